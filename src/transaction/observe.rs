//! Observes all secrets of a transaction: values 20 per call, then one plan each. The only write is the restore of a secret
//! that is scheduled for deletion.

use std::cell::RefCell;

use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::is_transaction_label;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::VersionRef;
use upsert_secret_core::plan::{Decision, decide_label_move, maybe_absent, rotation};
use upsert_secret_core::request::{Direction, Job, LabelMove};
use upsert_secret_core::state::{Observed, SecretMetadata, ValueView};
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::{Content, Goal, Labels, Look, Observation, goal, has_more};

use super::driver::{Driver, Member};
use crate::batch::prefetch::{Prefetcher, chunks};
use crate::engine::label_move::{observe_labels, record_settled_move};
use crate::engine::upsert::{prepare_attempt, ready, record_settled};
use crate::run_report::ReportGuard;

impl<'a, S: SecretStore> Driver<'a, S> {
    /// The secrets of the transaction. `None` if one of the jobs cannot run; the report has its failure.
    pub(super) fn members(&self) -> Option<Vec<Member<'a>>> {
        let mut members = Vec::new();
        let mut is_complete = true;
        for (index, target) in self.targets.iter().enumerate() {
            let mut guard = ReportGuard::new(index, self.report);
            guard.quiet = true;
            match target {
                Ok(job) => members.push(Member {
                    job,
                    guard,
                    content: Content::default(),
                    has_more: false,
                    base: None,
                    has_staged: false,
                    version: None,
                    failure: None,
                }),
                Err(why) => {
                    guard.end(Err(why.clone()));
                    is_complete = false;
                }
            }
        }
        is_complete.then_some(members)
    }

    /// Observes every secret. `None` if one of them has no plan; its member has the failure, and nothing was written.
    pub(super) async fn observe(&self, members: &mut [Member<'a>]) -> Option<Observation> {
        let progress = &self.report.progress;
        progress.start_phase("observed", members.len());
        let prefetcher = Prefetcher::new(self.context.store, self.report, self.targets);
        let values: RefCell<Vec<_>> = RefCell::new(members.iter().map(|_| None).collect());
        let chunks = chunks(members.iter().map(|member| Some(member.job)));
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
        let request = match member.job {
            Job::Upsert(request) => request,
            Job::Move(label_move) => return self.look_at_labels(label_move, member, first).await,
        };
        let context = self.context;
        let attempt = &mut member.guard.attempt;
        (member.content, member.has_more) = (Content::default(), false);
        (member.base, member.version, attempt.moving) = (None, None, None);
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
                let denied = context.failure(&view.denied, request.subject(), attempt);
                return Err(match view.value {
                    ValueView::NoValue | ValueView::Unread(_) => maybe_absent(denied),
                    ValueView::Value(_) | ValueView::Deleted(_) => denied,
                });
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

    /// Reads the labels for a label move.
    async fn look_at_labels(
        &self,
        request: &LabelMove,
        member: &mut Member<'a>,
        first: Option<ValueView>,
    ) -> Result<Look, Failure> {
        let attempt = &mut member.guard.attempt;
        let region = self.context.store.region();
        attempt.outcome.region = Some(region.to_owned());
        (member.base, member.version, attempt.moving) = (None, None, None);
        if let Some(ValueView::Value(read)) = &first
            && !read.stages.iter().any(|stage| is_transaction_label(stage))
            && record_settled_move(request, read, attempt)
        {
            return Ok(Look {
                name: read.name.clone(),
                labels: Labels::of_current(&read.version_id, &read.stages),
                goal: Goal::Keep,
            });
        }
        let (secret, listed) = if request.direction == Direction::Stay {
            // A secret that does not exist is not part of the unfinished transaction.
            let described = self.context.store.describe(&request.target.id).await;
            let failure = |error| self.context.failure(&error, request.subject(), attempt);
            let described = described.map_err(failure)?;
            (described.unwrap_or_default(), Vec::new())
        } else {
            observe_labels(request, self.context, attempt).await?
        };
        attempt.outcome.record_labels(&secret.versions);
        let goal = match decide_label_move(request, &secret, &listed, region)? {
            Decision::Keep(id, _) => {
                attempt.outcome.version = (!id.is_empty()).then(|| VersionRef {
                    stages: secret.labels(&id),
                    id,
                });
                Goal::Keep
            }
            Decision::Move { from, to, .. } => {
                let base = from.ok_or_else(|| no_current_version(&secret))?;
                attempt.outcome.version = None;
                member.base = Some(base.clone());
                Goal::Promote { base, to }
            }
        };
        if let Some(text) = rotation(&secret).filter(|_| goal != Goal::Keep) {
            attempt.outcome.note(Level::Notice, text);
        }
        Ok(Look {
            name: request.target.name.clone(),
            labels: Labels::all(secret.versions),
            goal,
        })
    }
}

/// The failure for a first move of AWSCURRENT, which cannot be rolled back: AWS does not remove the label.
fn no_current_version(secret: &SecretMetadata) -> Failure {
    Failure::refused(
        format!("no version of {} is current", secret.name),
        "make its version current first, with `promote` of this secret alone",
    )
}
