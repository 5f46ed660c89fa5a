//! What the parts of the driver share: the secrets, the context, and work on many secrets at a time. It makes no calls.

use std::future::Future;

use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::request::Request;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::Content;

use crate::batch::CONCURRENT_SECRETS;
use crate::engine::context::Context;
use crate::run_report::{ReportGuard, RunReport};

/// One secret of a transaction.
pub(super) struct Member<'a> {
    pub(super) request: &'a Request,
    pub(super) guard: ReportGuard<'a>,
    /// What a write of the value needs.
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

impl Member<'_> {
    pub(super) fn id(&self) -> &str {
        &self.request.target.id
    }
}

/// A transaction over the secrets of a run.
pub(super) struct Driver<'a, S> {
    pub(super) context: Context<'a, S>,
    pub(super) report: &'a RunReport,
}

impl<S: SecretStore> Driver<'_, S> {
    /// Runs an action on each item, many at a time, and shows the progress.
    pub(super) async fn for_each<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        act: impl AsyncFn(T),
    ) {
        let work = items.into_iter().map(|item| act(item).boxed_local());
        self.all(work.collect()).await;
    }

    // Boxed, so that the code that waits for many exists once.
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
