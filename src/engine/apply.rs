//! Carries a plan out, step by step, and records the results. Decides nothing but how to handle a race: which answers mean
//! that someone else was faster, so that the secret has to be observed again.

use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::outcome::Change;
use upsert_secret_core::plan::{Plan, Step};
use upsert_secret_core::store::SecretStore;

mod applier;
mod create;
mod metadata;
mod policy;
mod put;
mod record;
mod swap;

pub(crate) use applier::Applier;
use applier::StepOutcome;
pub(crate) use swap::remove_write_label;

/// The result of carrying a plan out.
pub(crate) enum Applied {
    /// The goal is reached.
    Done,
    /// Others are writing: wait for a turn, however often, and observe again.
    Yield,
    /// Observe again. The error says what to report if that never helps.
    Retry(Option<StoreError>),
}

impl<S: SecretStore> Applier<'_, S> {
    /// Carries the plan out.
    ///
    /// # Errors
    /// Whatever AWS rejects for good. What was done until then is in the attempt.
    pub(crate) async fn apply(&mut self, plan: Plan) -> Result<Applied, Failure> {
        self.document = plan.document;
        // First, so that it is known even if a step fails.
        if let Some(kept) = plan.keep {
            self.record_kept(kept);
        }
        let mut steps = plan.steps;
        steps.reverse();
        while let Some(step) = steps.pop() {
            match self.step(step).await? {
                StepOutcome::Done => {}
                StepOutcome::Retry(why) => return Ok(Applied::Retry(why)),
                StepOutcome::Yield => return Ok(Applied::Yield),
                StepOutcome::Instead(others) => steps.extend(others.into_iter().rev()),
            }
        }
        Ok(Applied::Done)
    }

    async fn step(&mut self, step: Step) -> Result<StepOutcome, Failure> {
        match step {
            Step::Create { otherwise, vacant } => self.create(otherwise, vacant).await,
            Step::Restore => self.restore().await,
            Step::Wait => Ok(StepOutcome::Retry(None)),
            Step::Update {
                description,
                kms_key,
            } => self.update(description, kms_key).await,
            Step::Yield => Ok(StepOutcome::Yield),
            Step::Put { base } => self.put(base).await,
            Step::Swap { base } => self.swap(base).await,
            Step::Label { label, from } => self.label(label, from).await,
            Step::Sweep(labels) => self.sweep(labels).await,
            Step::Untag(keys) => {
                let sent = self.context.store.untag(self.id(), &keys).await;
                self.metadata_written(sent, Change::Untagged(keys))
            }
            Step::Tag(tags) => {
                let sent = self.context.store.tag(self.id(), &tags).await;
                self.metadata_written(sent, Change::Tagged(tags.into_keys().collect()))
            }
            Step::Unreplicate(regions) => {
                let sent = self
                    .context
                    .store
                    .remove_replicas(self.id(), &regions)
                    .await;
                self.metadata_written(sent, Change::Unreplicated(regions))
            }
            Step::Replicate(regions) => self.replicate(regions).await,
            Step::AwaitReplicas(regions) => self.await_replicas(regions).await,
            Step::CheckPolicy => self.check_policy().await,
            Step::SetPolicy => self.set_policy().await,
        }
    }

    async fn restore(&mut self) -> Result<StepOutcome, Failure> {
        self.attempt.restore_sent = true;
        match self.context.store.restore(self.id()).await {
            Ok(()) => {
                self.attempt.outcome.record(Change::Restored);
                Ok(StepOutcome::Retry(None))
            }
            // Restored by the attempt before this one, or by someone else.
            Err(error) if error.attempts > 1 && error.is("InvalidRequestException") => {
                Ok(StepOutcome::Retry(Some(error)))
            }
            Err(error) => self.retry_if_unknown(error),
        }
    }
}
