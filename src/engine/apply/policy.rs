//! The steps that validate and write the resource policy.

use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::outcome::Change;
use upsert_secret_core::plan::check_validation;
use upsert_secret_core::store::SecretStore;

use super::applier::{Applier, StepOutcome};

/// Tries for a principal that AWS does not know yet: a new role can be named some seconds after it was created. About a
/// minute in all.
const MAX_TRIES: u32 = 36;

impl<S: SecretStore> Applier<'_, S> {
    pub(super) async fn check_policy(&mut self) -> Result<StepOutcome, Failure> {
        let Some(policy) = self.request.policy.as_ref() else {
            return Ok(StepOutcome::Done);
        };
        if self.attempt.policy_checked {
            return Ok(StepOutcome::Done);
        }
        let mut backoff = Backoff::new(MAX_TRIES);
        loop {
            let answer = self
                .context
                .store
                .validate_policy(self.id(), policy.text())
                .await;
            let again = match &answer {
                Ok(validation) => validation
                    .findings
                    .iter()
                    .any(|finding| is_unknown(&finding.message)),
                Err(error) => is_unknown_principal(error),
            };
            if again && self.wait_for_principals(&mut backoff).await {
                continue;
            }
            return match answer {
                Ok(validation) => {
                    check_validation(&validation, self.request.allow_public_policy, self.id())?;
                    self.attempt.policy_checked = true;
                    Ok(StepOutcome::Done)
                }
                Err(error) => self.retry_if_changed(error),
            };
        }
    }

    pub(super) async fn set_policy(&mut self) -> Result<StepOutcome, Failure> {
        let Some(policy) = self.request.policy.as_ref() else {
            return Ok(StepOutcome::Done);
        };
        let public = self.request.allow_public_policy;
        let mut backoff = Backoff::new(MAX_TRIES);
        loop {
            let sent = self
                .context
                .store
                .put_policy(self.id(), policy.text(), public)
                .await;
            match sent {
                Err(error)
                    if is_unknown_principal(&error)
                        && self.wait_for_principals(&mut backoff).await => {}
                sent => return self.metadata_written(sent, Change::Policy),
            }
        }
    }

    /// Waits; whether a try is left.
    async fn wait_for_principals(&mut self, backoff: &mut Backoff) -> bool {
        self.context
            .progress
            .say(|| "waiting for AWS to know the principals of the resource policy".to_owned());
        self.attempt.waiting = Some("AWS to know the principals of the resource policy".to_owned());
        let more = self.context.system.wait(backoff).await;
        self.attempt.waiting = None;
        more
    }
}

fn is_unknown_principal(error: &StoreError) -> bool {
    error.is("MalformedPolicyDocumentException") && error.message().is_some_and(is_unknown)
}

fn is_unknown(message: &str) -> bool {
    message.contains("unsupported principal")
}
