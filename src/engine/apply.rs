//! Applies a plan step by step and records the results. Decides only which errors mean that the secret has changed since it was
//! observed, so that the run must observe it again.

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::outcome::Change;
use upsert_secret_core::plan::{Document, Plan, Step};
use upsert_secret_core::request::Request;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::value::SecretValue;
use upsert_secret_core::version_id::RequestToken;

use super::context::Context;

mod metadata;
mod put;
mod record;
pub(crate) mod swap;

/// The result of a step, or of a whole plan.
pub(crate) enum Applied {
    /// It succeeded.
    Done,
    /// Other runs are writing: wait for a turn, with no limit on the number of tries, and observe again.
    Yield,
    /// Observe again, a limited number of times. The error is reported after the last try.
    Retry(Option<StoreError>),
}

/// The state of a run while it applies a plan to one secret.
pub(crate) struct Applier<'a, S> {
    request: &'a Request,
    context: Context<'a, S>,
    /// The token of the next write.
    token: &'a mut RequestToken,
    /// The document to write instead of the value in the request.
    document: Option<Document>,
    /// The remaining steps in reverse order.
    steps: Vec<Step>,
    attempt: &'a mut Attempt,
}

impl<'a, S: SecretStore> Applier<'a, S> {
    /// Applies a plan.
    ///
    /// # Errors
    /// AWS rejected a step. The attempt holds the changes made until then.
    pub(crate) async fn apply(
        plan: Plan,
        request: &'a Request,
        context: Context<'a, S>,
        token: &'a mut RequestToken,
        attempt: &'a mut Attempt,
    ) -> Result<Applied, Failure> {
        let mut applier = Self {
            request,
            context,
            token,
            document: plan.document,
            steps: Vec::new(),
            attempt,
        };
        // First, so that it is reported even if a step fails.
        if let Some(kept) = plan.keep {
            applier.record_kept(kept);
        }
        applier.push_steps(plan.steps);
        while let Some(step) = applier.steps.pop() {
            match applier.step(step).await? {
                Applied::Done => applier.attempt.waiting = None,
                ended => return Ok(ended),
            }
        }
        Ok(Applied::Done)
    }

    async fn step(&mut self, step: Step) -> Result<Applied, Failure> {
        let (store, id) = (self.context.store, &self.request.target.id);
        match step {
            Step::Create { otherwise, vacant } => self.create(otherwise, vacant).await,
            // `ready` handles these steps before it returns a plan.
            Step::Restore | Step::Wait | Step::Yield => Ok(Applied::Retry(None)),
            Step::CheckPolicy(_) => Ok(Applied::Done),
            Step::Update {
                description,
                kms_key,
            } => self.update(description, kms_key).await,
            Step::Put { base } => self.put(base).await,
            Step::Swap { base } => self.swap(base).await,
            Step::Label { label, from } => self.label(label, from).await,
            Step::Sweep(labels) => self.sweep(labels).await,
            Step::Untag(keys) => {
                let sent = store.untag(id, &keys).await;
                self.record_metadata(sent, Change::Untagged(keys))
            }
            Step::Tag(tags) => {
                let sent = store.tag(id, &tags).await;
                self.record_metadata(sent, Change::Tagged(tags.into_keys().collect()))
            }
            Step::Unreplicate(regions) => {
                let sent = store.remove_replicas(id, &regions).await;
                self.record_metadata(sent, Change::Unreplicated(regions))
            }
            Step::Replicate(regions) => self.replicate(regions).await,
            Step::AwaitReplicas(regions) => self.await_replicas(regions).await,
            Step::SetPolicy => self.set_policy().await,
        }
    }

    /// Inserts steps before the remaining ones.
    fn push_steps(&mut self, steps: Vec<Step>) -> Applied {
        self.steps.extend(steps.into_iter().rev());
        Applied::Done
    }

    /// Handles an error that a change of the secret would explain; the next observation shows whether it does.
    fn retry_if_changed(&self, error: StoreError) -> Result<Applied, Failure> {
        if error.is("InvalidRequestException") || error.is("ResourceNotFoundException") {
            return Ok(Applied::Retry(Some(error)));
        }
        self.retry_if_unknown(error)
    }

    /// Records a change that an earlier attempt of a call may have made; the next observation shows whether it did.
    fn record_unconfirmed(&mut self, error: &StoreError, change: impl FnOnce() -> Change) {
        if error.is_unknown_outcome() || error.attempts > 1 {
            self.attempt.unconfirmed.push(change());
        }
    }

    /// Handles an error with an unknown outcome; the next observation shows the outcome.
    fn retry_if_unknown(&self, error: StoreError) -> Result<Applied, Failure> {
        if error.is_unknown_outcome() {
            return Ok(Applied::Retry(Some(error)));
        }
        Err(self.failure(&error))
    }

    /// The value to write.
    fn value(&self) -> &SecretValue {
        self.document
            .as_ref()
            .map_or(&self.request.value, Document::value)
    }

    fn id(&self) -> &'a str {
        &self.request.target.id
    }

    fn failure(&self, error: &StoreError) -> Failure {
        self.context
            .failure(error, self.request.subject(), self.attempt)
    }
}
