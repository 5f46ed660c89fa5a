//! CreateSecret and PutSecretValue, and the move of the label to a version that already existed. Each answer is read by one
//! question: can the version have existed before the call?

use std::collections::BTreeMap;

use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{CURRENT, PREVIOUS};
use upsert_secret_core::outcome::VersionRef;
use upsert_secret_core::plan::{Step, arn_is_absent};
use upsert_secret_core::store::{LabeledVersion, NewSecret, SecretStore};

use super::{Applied, Applier};

impl<S: SecretStore> Applier<'_, S> {
    pub(super) async fn create(
        &mut self,
        otherwise: Option<Vec<Step>>,
        vacant: bool,
    ) -> Result<Applied, Failure> {
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
        // Otherwise an earlier run with this token may have created it, and AWS's answer is the same.
        let ours = vacant || self.token.fresh;
        match self.context.store.create(&new).await {
            Ok(written) => {
                self.attempt.base.get_or_insert(None);
                self.record_ids(&written);
                if ours {
                    self.record_created(&written.version_id);
                }
                if written.attempts > 1 {
                    self.record_sent();
                }
                // The answer to a retry shows what was created, not what happened since.
                let retried = written.attempts > 1 || sent_before;
                let mut steps = otherwise.unwrap_or_default();
                if ours {
                    // CreateSecret wrote the metadata.
                    steps.retain(|step| matches!(step, Step::Put { .. }));
                }
                match steps[..] {
                    _ if ours && !retried => Ok(Applied::Done),
                    [] => Ok(Applied::Retry(None)),
                    // A put with the same token changes nothing, and its answer names the labels.
                    _ => Ok(self.push_steps(steps)),
                }
            }
            Err(error) if error.is("ResourceExistsException") => {
                self.attempt.name_taken = true;
                match otherwise.unwrap_or_default() {
                    steps if steps.is_empty() => Ok(Applied::Retry(Some(error))),
                    steps => Ok(self.push_steps(steps)),
                }
            }
            // The name is scheduled for deletion, or its deletion has not completed.
            Err(error) if error.is("InvalidRequestException") => {
                self.attempt.deletion_seen = true;
                Ok(Applied::Retry(Some(error)))
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

    pub(super) async fn put(&mut self, holder: Option<String>) -> Result<Applied, Failure> {
        let (store, request) = (self.context.store, self.request);
        let (id, label) = (&request.target.id, request.label());
        // The holder before the *first* put: a holder that is read afterwards could be a later writer's version, and moving
        // the label away from it would revert that write.
        let base = self.attempt.base.get_or_insert(holder.clone()).clone();
        let sent_before = self.was_sent();
        let token = &self.token.id;
        let put = match store.put_value(id, token, self.value(), &[label]).await {
            Ok(put) => put,
            // The token's version holds another value: an earlier attempt of this CI run, before the
            // CI secret was changed, or another leg of its matrix.
            Err(error) if error.is("ResourceExistsException") && !self.token.replaced => {
                self.token.replace(self.context.system.unique());
                return Ok(self.push_steps(vec![Step::Put { base: holder }]));
            }
            // It would only have told what happened since this run created the secret.
            Err(error)
                if error.is_denied() && self.attempt.outcome.has_recorded(&self.token.id) =>
            {
                return Ok(Applied::Done);
            }
            Err(error)
                if error.is("ResourceNotFoundException")
                    && request.target.is_arn()
                    && self.attempt.outcome.arn.is_none() =>
            {
                return Err(arn_is_absent(request));
            }
            Err(error) => {
                if error.is_unknown_outcome() {
                    self.record_sent();
                }
                return self.retry_if_changed(error);
            }
        };
        self.record_ids(&put.written);
        let version = put.written.version_id.clone();
        if put.stages.iter().any(|stage| stage == label) {
            self.record_current(version, put.stages, holder);
            return Ok(Applied::Done);
        }
        let retried = put.written.attempts > 1 || sent_before;
        match base {
            _ if self.is_replaced(&put) => Ok(self.record_replaced(version, put.stages)),
            Some(holder) if holder != version => self.repair(put, Some(&holder), retried).await,
            // No version holds the label, which AWS checks as well.
            None if label != CURRENT => self.repair(put, None, retried).await,
            // The holder is unknown. The version is an earlier run's, because this was the only attempt: write a new one.
            None if !retried => {
                self.token.replace(self.context.system.unique());
                Ok(self.push_steps(vec![Step::Put { base: None }]))
            }
            _ => Ok(self.record_overtaken(version, put.stages, None)),
        }
    }

    /// Whether the version has held the label, because of this run, until a later write: only this run can have created it,
    /// or AWSPREVIOUS has moved there since the secret was described.
    fn is_replaced(&self, put: &LabeledVersion) -> bool {
        let id = &put.written.version_id;
        let holds_previous = put.stages.iter().any(|stage| stage == PREVIOUS);
        let held_previous = |previous: &Option<String>| previous.as_ref() == Some(id);
        self.token.fresh
            || self.attempt.maybe_created.as_ref() == Some(id)
            || self.request.label() == CURRENT
                && holds_previous
                && self
                    .attempt
                    .previous
                    .as_ref()
                    .is_some_and(|it| !held_previous(it))
    }

    /// Moves the label to a version that existed without it: the value came back under a keyed id or in a re-run, or a
    /// retry was answered after a later write. In the second case the holder has changed, and AWS rejects the move.
    async fn repair(
        &mut self,
        put: LabeledVersion,
        holder: Option<&str>,
        retried: bool,
    ) -> Result<Applied, Failure> {
        let store = self.context.store;
        let id = put.written.version_id;
        let label = self.request.label();
        let moved = store.move_label(self.id(), label, holder, &id).await;
        if !moved.as_ref().is_err_and(|error| error.attempts == 0) {
            self.attempt.move_sent = Some(id.clone());
        }
        match moved {
            Ok(()) => {
                let mut stages = put.stages;
                if label == CURRENT {
                    stages.retain(|stage| stage != PREVIOUS);
                    self.attempt.outcome.moved_from = holder.map(str::to_owned);
                }
                stages.insert(0, label.to_owned());
                self.attempt.outcome.record_label_move(label, &id);
                self.attempt.outcome.record(self.move_change(&id));
                self.attempt.outcome.version = Some(VersionRef { id, stages });
                Ok(Applied::Done)
            }
            // The next observation shows whether it arrived.
            Err(error) if error.is_unknown_outcome() => Ok(Applied::Retry(Some(error))),
            Err(error) if retried && error.is_denied() || error.is_lost_swap() => {
                Ok(self.record_overtaken(id, put.stages, Some(error)))
            }
            Err(error) => Err(self.failure(&error)),
        }
    }
}
