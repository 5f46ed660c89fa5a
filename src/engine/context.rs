//! What all steps on a secret have in common: the store, the system, the run's identity and limits.

use std::time::Duration;

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::request::Request;
use upsert_secret_core::store::{SecretStore, Subject};
use upsert_secret_core::target::Target;
use upsert_secret_core::value::SecretValue;
use upsert_secret_core::version_id::{RequestToken, RunIdentity};

use super::system::System;
use crate::progress::Progress;

/// The surroundings of every step.
pub(crate) struct Context<'a, S> {
    /// The secrets of one account and region.
    pub(crate) store: &'a S,
    /// Time, waits and random numbers.
    pub(crate) system: &'a dyn System,
    /// What identifies the CI run across its attempts.
    pub(crate) run: Option<&'a RunIdentity>,
    /// The time limit of the whole run: private labels expire by it.
    pub(crate) timeout: Duration,
    /// Status lines for what takes long.
    pub(crate) progress: &'a Progress,
}

// By hand: a derived one would ask the store to be `Copy`.
impl<S> Clone for Context<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Context<'_, S> {}

impl<S: SecretStore> Context<'_, S> {
    /// The token of a write of this value; a guarded one builds on a version.
    pub(crate) fn token(
        &self,
        request: &Request,
        value: &SecretValue,
        base: Option<&str>,
    ) -> RequestToken {
        let scope = request.token_scope(self.store.region());
        scope.token(self.run, value, base, || self.system.unique())
    }

    /// Explains an error of a call about this secret.
    pub(crate) fn failure(
        &self,
        error: &StoreError,
        target: &Target,
        attempt: &Attempt,
    ) -> Failure {
        let subject = Subject {
            id: &target.id,
            name: &target.name,
            arn: attempt.outcome.arn.as_deref(),
        };
        self.store.diagnose(error, subject)
    }
}
