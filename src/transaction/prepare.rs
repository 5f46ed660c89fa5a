//! The first phase: observes every secret, what it needs, and the labels of other transactions. The only write is the restore
//! of a secret that is scheduled for deletion.

use std::cell::RefCell;

use futures_util::StreamExt as _;
use futures_util::stream;
use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{TransactionLabel, is_transaction_label};
use upsert_secret_core::request::{Job, Request};
use upsert_secret_core::state::{Observed, ValueView};
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::{Goal, Snapshot, goal, has_more};

use super::driver::Transaction;
use super::member::{Member, leave};
use crate::batch::prefetch::{Prefetcher, chunks};
use crate::batch::{CONCURRENT_READS, CONCURRENT_SECRETS, PreparedTarget};
use crate::engine::upsert::{prepare_attempt, ready, record_settled};
use crate::run_report::ReportGuard;

impl<'a, S: SecretStore> Transaction<'a, S> {
    /// Observes every secret. `None` if one of them has no plan: then the report has the failure, and none is changed.
    pub(super) async fn prepare(
        &self,
        targets: &'a [PreparedTarget],
    ) -> Option<Vec<Member<'a, S>>> {
        let progress = &self.report.progress;
        progress.start_phase("looked at", targets.len());
        let prefetcher = Prefetcher::new(self.context.store, self.report);
        let members = stream::iter(chunks(targets))
            .map(|chunk| prefetcher.read(chunk))
            .buffered(CONCURRENT_READS)
            .map(stream::iter)
            .flatten()
            .map(|(index, first)| self.observe(index, &targets[index], first))
            .buffer_unordered(CONCURRENT_SECRETS)
            .filter_map(std::future::ready)
            .collect::<Vec<_>>();
        let mut members = self.with_progress(members).await;
        members.sort_by_key(|member| member.index);
        if self.report.has_failed() {
            leave(&members);
            return None;
        }
        self.observe_coordinators(&mut members).await;
        Some(members)
    }

    /// Observes one secret. `None` if it has no plan: then the report has the failure.
    async fn observe(
        &self,
        index: usize,
        target: &'a PreparedTarget,
        first: Option<ValueView>,
    ) -> Option<Member<'a, S>> {
        let mut guard = ReportGuard::new(index, self.report);
        guard.quiet = true;
        let request = match target {
            Ok(Job::Upsert(request)) => request,
            // `promote` and `rollback` have no transactions.
            Ok(Job::Move(_)) => return None,
            Err(why) => {
                guard.end(Err(why.clone()));
                return None;
            }
        };
        match self.goal(request, first, &mut guard.attempt).await {
            Ok((snapshot, goal, has_more)) => {
                self.report.progress.step();
                Some(Member {
                    context: self.context,
                    index,
                    request,
                    guard: RefCell::new(Some(guard)),
                    snapshot,
                    goal,
                    versions: None,
                    moved: false,
                    has_more,
                })
            }
            Err(failure) => {
                guard.end(Err(failure));
                None
            }
        }
    }

    async fn goal(
        &self,
        request: &Request,
        first: Option<ValueView>,
        attempt: &mut Attempt,
    ) -> Result<(Snapshot, Goal, bool), Failure> {
        let context = self.context;
        prepare_attempt(request, context, attempt);
        if let Some(ValueView::Value(read)) = &first
            // Only DescribeSecret shows all labels of another transaction.
            && !read.stages.iter().any(|stage| is_transaction_label(stage))
            && record_settled(request, read, attempt)
        {
            let snapshot = Snapshot {
                name: read.name.clone(),
                current: Some(read.version_id.clone()),
                ..Snapshot::default()
            };
            return Ok((snapshot, Goal::Same, false));
        }
        let mut turns = Backoff::endless();
        let (observed, plan) = ready(request, context, first, &mut turns, attempt).await?;
        let snapshot = match &observed {
            Observed::Present(present) => Snapshot::of(&present.secret, None),
            // The transaction depends on the holders of labels.
            Observed::NotDescribable(view) => {
                return Err(context.failure(&view.denied, &request.target, attempt));
            }
            Observed::Absent => Snapshot {
                name: request.target.name.clone(),
                ..Snapshot::default()
            },
        };
        let (goal, has_more) = (goal(&plan), has_more(&plan));
        attempt.outcome.version = plan.keep;
        Ok((snapshot, goal, has_more))
    }

    /// Describes coordinators of other transactions whose snapshot has no labels, because GetSecretValue does not show all.
    async fn observe_coordinators(&self, members: &mut [Member<'a, S>]) {
        let labels: Vec<TransactionLabel> = members
            .iter()
            .flat_map(|member| &member.snapshot.labels)
            .map(|(label, _)| label.clone())
            .collect();
        for member in members {
            if member.snapshot.labels.is_empty()
                && labels.iter().any(|label| member.coordinates(label))
                && let Ok(Some(secret)) = self.context.store.describe(member.id()).await
            {
                member.snapshot = Snapshot::of(&secret, None);
            }
        }
    }
}
