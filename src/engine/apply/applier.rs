//! The state of carrying a plan out, and what its steps share. Sends nothing itself.

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::plan::{Document, Step};
use upsert_secret_core::request::Request;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::value::SecretValue;
use upsert_secret_core::version_id::RequestToken;

use crate::engine::context::Context;

/// The result of one step.
pub(crate) enum StepOutcome {
    /// Go on with the next step.
    Done,
    /// Observe again. The error says what to report if that never helps.
    Retry(Option<StoreError>),
    /// Others are writing: wait for a turn, then observe again.
    Yield,
    /// The name exists after all: go on with these steps.
    Instead(Vec<Step>),
}

/// One run's view of one secret while steps are carried out.
pub(crate) struct Applier<'a, S> {
    /// The desired state.
    pub(crate) request: &'a Request,
    /// The store and everything around it.
    pub(crate) context: Context<'a, S>,
    /// The token of the next write.
    pub(crate) token: &'a mut RequestToken,
    /// What is written, where that is not the request's own value.
    pub(crate) document: Option<Document>,
    /// What has been done and seen.
    pub(crate) attempt: &'a mut Attempt,
}

impl<S: SecretStore> Applier<'_, S> {
    /// After an error that a changed secret would explain: observing again shows whether it has changed.
    pub(super) fn retry_if_changed(&self, error: StoreError) -> Result<StepOutcome, Failure> {
        if error.is("InvalidRequestException") || error.is("ResourceNotFoundException") {
            return Ok(StepOutcome::Retry(Some(error)));
        }
        self.retry_if_unknown(error)
    }

    /// After an answer that never came, or could not be read: the secret is read back, never guessed at.
    pub(super) fn retry_if_unknown(&self, error: StoreError) -> Result<StepOutcome, Failure> {
        if error.is_unknown_outcome() {
            return Ok(StepOutcome::Retry(Some(error)));
        }
        Err(self.failure(&error))
    }

    /// Records the ids that an answer names.
    pub(super) fn record_ids(&mut self, arn: &str, name: &str) {
        self.attempt.outcome.arn = Some(arn.to_owned());
        self.attempt.outcome.name = Some(name.to_owned());
    }

    /// Records that a version with this token may exist although no answer said so.
    pub(super) fn record_sent(&mut self) {
        if !self.was_sent() {
            self.attempt.sent.push(self.token.id.clone());
        }
    }

    pub(super) fn was_sent(&self) -> bool {
        self.attempt.sent.contains(&self.token.id)
    }

    /// What is written.
    pub(super) fn value(&self) -> &SecretValue {
        self.document
            .as_ref()
            .map_or(&self.request.value, Document::value)
    }

    pub(super) fn id(&self) -> &str {
        &self.request.target.id
    }

    pub(super) fn failure(&self, error: &StoreError) -> Failure {
        self.context
            .failure(error, &self.request.target, self.attempt)
    }
}
