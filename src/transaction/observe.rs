//! The observation of all secrets of a transaction: values twenty a call, then one plan each. The only write is the restore of a
//! secret that is scheduled for deletion.

use std::cell::RefCell;

use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::is_transaction_label;
use upsert_secret_core::request::Job;
use upsert_secret_core::state::{Observed, ValueView};
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::{Content, Goal, Labels, Look, Observation, goal, has_more};

use super::driver::{Driver, Member};
use crate::batch::PreparedTarget;
use crate::batch::prefetch::{Prefetcher, chunks};
use crate::engine::upsert::{prepare_attempt, ready, record_settled};
use crate::run_report::ReportGuard;

impl<'a, S: SecretStore> Driver<'a, S> {
    /// The secrets of the transaction. `None` if one of the jobs cannot run: then the report has the failure.
    pub(super) fn members(&self, targets: &'a [PreparedTarget]) -> Option<Vec<Member<'a>>> {
        let mut members = Vec::new();
        let mut is_complete = true;
        for (index, target) in targets.iter().enumerate() {
            let mut guard = ReportGuard::new(index, self.report);
            guard.quiet = true;
            match target {
                Ok(Job::Upsert(request)) => members.push(Member {
                    request,
                    guard,
                    content: Content::default(),
                    has_more: false,
                    base: None,
                    has_staged: false,
                    version: None,
                    failure: None,
                }),
                // `promote` and `rollback` have no transactions.
                Ok(Job::Move(_)) => is_complete = false,
                Err(why) => {
                    guard.end(Err(why.clone()));
                    is_complete = false;
                }
            }
        }
        is_complete.then_some(members)
    }

    /// Observes every secret. `None` if one of them has no plan: then its member has the failure, and nothing was written.
    pub(super) async fn observe(&self, members: &mut [Member<'a>]) -> Option<Observation> {
        let progress = &self.report.progress;
        progress.start_phase("looked at", members.len());
        let requests: Vec<_> = members.iter().map(|member| member.request).collect();
        let prefetcher = Prefetcher::new(self.context.store, self.report);
        let values: RefCell<Vec<_>> = RefCell::new(requests.iter().map(|_| None).collect());
        let chunks = chunks(requests.iter().copied().map(Some));
        self.for_each(chunks, async |chunk| {
            for (index, value) in prefetcher.read(chunk).await {
                values.borrow_mut()[index] = value;
            }
        })
        .await;
        let looks = RefCell::new(Vec::new());
        let all = members.iter_mut().zip(values.into_inner()).enumerate();
        self.for_each(all, async |(index, (member, first))| {
            match self.look(member, first).await {
                Ok(look) => looks.borrow_mut().push((index, look)),
                Err(failure) => member.failure = Some(failure),
            }
            progress.step();
        })
        .await;
        let mut looks = looks.into_inner();
        if looks.len() < members.len() {
            return None;
        }
        looks.sort_by_key(|(index, _)| *index);
        Some(Observation {
            looks: looks.into_iter().map(|(_, look)| look).collect(),
            now: self.context.system.now(),
            unique: self.context.system.unique(),
        })
    }

    async fn look(
        &self,
        member: &mut Member<'a>,
        first: Option<ValueView>,
    ) -> Result<Look, Failure> {
        let (context, request) = (self.context, member.request);
        let attempt = &mut member.guard.attempt;
        (member.content, member.has_more) = (Content::default(), false);
        (member.base, member.version) = (None, None);
        prepare_attempt(request, context, attempt);
        if let Some(ValueView::Value(read)) = &first
            // Only DescribeSecret shows all labels of another transaction.
            && !read.stages.iter().any(|stage| is_transaction_label(stage))
            && record_settled(request, read, attempt)
        {
            return Ok(Look {
                name: read.name.clone(),
                labels: Labels::of_current(&read.version_id, &read.stages),
                goal: Goal::Keep,
            });
        }
        let mut turns = Backoff::endless();
        let (observed, plan) = ready(request, context, first, &mut turns, attempt).await?;
        let (name, labels) = match observed {
            Observed::Present(present) => (present.secret.name, present.secret.versions),
            Observed::Absent => (request.target.name.clone(), Default::default()),
            // The transaction depends on the holders of labels.
            Observed::NotDescribable(view) => {
                return Err(context.failure(&view.denied, &request.target, attempt));
            }
        };
        member.has_more = has_more(&plan);
        let (goal, content) = goal(&plan);
        member.content = content;
        if let Goal::Replace { base } = &goal {
            member.base = Some(base.clone());
        }
        attempt.outcome.version = plan.keep;
        Ok(Look {
            name,
            labels: Labels::all(labels),
            goal,
        })
    }
}
