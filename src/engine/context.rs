//! The state shared by all work on the secrets of a run: the store, the system, the run's identity and time limit. Must not
//! make calls.

use std::time::Duration;

use upsert_secret_core::attempt::{Attempt, Wait};
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::request::Request;
use upsert_secret_core::store::{SecretStore, Subject};
use upsert_secret_core::value::SecretValue;
use upsert_secret_core::version_id::{RequestToken, RunIdentity};

use super::system::System;
use crate::progress::Progress;

/// The store and the run, as the engine sees them.
pub(crate) struct Context<'a, S> {
    /// The secrets of one account and region.
    pub(crate) store: &'a S,
    /// Time, delays and random numbers.
    pub(crate) system: &'a dyn System,
    /// The identity of the CI run across its attempts.
    pub(crate) run: Option<&'a RunIdentity>,
    /// The time limit of the whole run, after which its private labels expire.
    pub(crate) timeout: Duration,
    /// Status lines during long waits.
    pub(crate) progress: &'a Progress,
}

// Not derived, because that would require `S: Clone`.
impl<S> Clone for Context<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Context<'_, S> {}

impl<S: SecretStore> Context<'_, S> {
    /// The token for a write of this value. `base` is the version that a guarded write is based on.
    pub(crate) fn token(
        &self,
        request: &Request,
        value: &SecretValue,
        base: Option<&str>,
    ) -> RequestToken {
        let scope = request.token_scope(self.store.region());
        scope.token(self.run, value, base, || self.system.unique())
    }

    /// Explains an error of a call about this secret to the user.
    pub(crate) fn failure(
        &self,
        error: &StoreError,
        subject: Subject<'_>,
        attempt: &Attempt,
    ) -> Failure {
        let subject = Subject {
            arn: attempt.outcome.arn.as_deref(),
            ..subject
        };
        self.store.diagnose(error, subject)
    }

    /// Waits for the next try; returns `false` after the last one. What the run waits for stays recorded during that try,
    /// because the time limit may cut it short.
    pub(crate) async fn wait(
        &self,
        backoff: &mut Backoff,
        wait: Wait,
        attempt: &mut Attempt,
    ) -> bool {
        attempt.waiting = Some(wait);
        self.system.wait(backoff).await
    }
}
