//! Shared by all parts of the driver: the secrets, the context, and concurrent work on many secrets. Must not make calls.

use std::future::Future;

use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::request::{Job, Request};
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::Content;

use crate::batch::CONCURRENT_SECRETS;
use crate::engine::context::Context;
use crate::engine::job::PreparedTarget;
use crate::run_report::{ReportGuard, RunReport};

/// One secret of a transaction.
pub(super) struct Member<'a> {
    pub(super) job: &'a Job,
    pub(super) guard: ReportGuard<'a>,
    /// The content needed to write the value.
    pub(super) content: Content,
    /// Whether the plan writes more than the value.
    pub(super) has_more: bool,
    /// The version that is replaced.
    pub(super) base: Option<String>,
    /// Whether an earlier attempt of this run may have staged a version.
    pub(super) has_staged: bool,
    /// The version that this run wrote.
    pub(super) version: Option<String>,
    pub(super) failure: Option<Failure>,
}

impl<'a> Member<'a> {
    pub(super) fn id(&self) -> &'a str {
        &self.job.target().id
    }

    /// The desired state, if the job writes a value.
    pub(super) fn request(&self) -> Option<&'a Request> {
        match self.job {
            Job::Upsert(request) => Some(request),
            Job::Move(_) => None,
        }
    }
}

/// A transaction over the secrets of a run.
pub(super) struct Driver<'a, S> {
    pub(super) context: Context<'a, S>,
    pub(super) targets: &'a [PreparedTarget],
    pub(super) report: &'a RunReport,
}

impl<S: SecretStore> Driver<'_, S> {
    /// Runs an action on each item, many concurrently, and shows the progress.
    pub(super) async fn for_each<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        act: impl AsyncFn(T),
    ) {
        let work = items.into_iter().map(|item| act(item).boxed_local());
        self.all(work.collect()).await;
    }

    // Boxed so that the concurrent loop is compiled only once.
    async fn all(&self, work: Vec<LocalBoxFuture<'_, ()>>) {
        let work = stream::iter(work).for_each_concurrent(CONCURRENT_SECRETS, |act| act);
        self.with_progress(work).await;
    }

    /// Waits for a future and shows the progress periodically.
    pub(super) async fn with_progress<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = self.report.progress.tick() => {}
            }
        }
    }
}
