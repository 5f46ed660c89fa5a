//! CreateSecret. Everything turns on one question: can the version that the answer names have existed before this very
//! call?

use std::collections::BTreeMap;

use upsert_secret_core::failure::Failure;
use upsert_secret_core::plan::Step;
use upsert_secret_core::store::{NewSecret, SecretStore};

use super::applier::{Applier, StepOutcome};

impl<S: SecretStore> Applier<'_, S> {
    pub(super) async fn create(
        &mut self,
        otherwise: Option<Vec<Step>>,
        vacant: bool,
    ) -> Result<StepOutcome, Failure> {
        let request = self.request;
        let (no_tags, no_replicas) = (BTreeMap::new(), BTreeMap::new());
        let new = NewSecret {
            name: &request.target.name,
            token: &self.token.id,
            value: self.value(),
            description: request.description.as_deref(),
            kms_key_id: request.kms_key_id.as_deref(),
            tags: request.tags.as_ref().unwrap_or(&no_tags),
            replicas: request.replicas.as_ref().unwrap_or(&no_replicas),
        };
        let sent_before = self.was_sent();
        // Else an earlier run with this token may have made it, and AWS answers the same.
        let ours = vacant || self.token.fresh;
        match self.context.store.create(&new).await {
            Ok(written) => {
                self.attempt.base.get_or_insert(None);
                self.record_ids(&written.arn, &written.name);
                if ours {
                    self.record_created(&written.version_id);
                }
                if written.attempts > 1 {
                    self.record_sent();
                }
                // The answer to a retry tells what was created, not what has happened since.
                let retried = written.attempts > 1 || sent_before;
                match otherwise {
                    _ if ours && !retried => Ok(StepOutcome::Done),
                    None => Ok(StepOutcome::Retry(None)),
                    // A put changes nothing then, and its answer names the labels.
                    Some(steps) => Ok(StepOutcome::Instead(steps)),
                }
            }
            Err(error) if error.is("ResourceExistsException") => match otherwise {
                Some(steps) => Ok(StepOutcome::Instead(steps)),
                None => Ok(StepOutcome::Retry(Some(error))),
            },
            // The name is scheduled for deletion, or was deleted a moment ago.
            Err(error) if error.is("InvalidRequestException") => {
                self.attempt.deletion_seen = true;
                Ok(StepOutcome::Retry(Some(error)))
            }
            Err(error) => {
                if error.is_unknown_outcome() {
                    self.record_sent();
                    self.attempt.base.get_or_insert(None);
                    if ours {
                        self.attempt.maybe_created = Some(self.token.id.clone());
                    }
                }
                self.retry_if_unknown(error)
            }
        }
    }
}
