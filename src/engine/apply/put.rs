//! CreateSecret, PutSecretValue, and moving a staging label to a version that already existed. Every response is interpreted by
//! one question: can the version have existed before the call?

use std::collections::BTreeMap;

use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{CURRENT, PREVIOUS};
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::VersionRef;
use upsert_secret_core::plan::{CREATED_UNSEEN, Step, UNCHECKED, arn_is_absent, not_created};
use upsert_secret_core::store::{LabeledVersion, NewSecret, SecretStore};

use super::{Applied, Applier};

impl<S: SecretStore> Applier<'_, S> {
    pub(super) async fn create(
        &mut self,
        otherwise: Option<Vec<Step>>,
        vacant: bool,
    ) -> Result<Applied, Failure> {
        let request = self.request;
        if otherwise.as_ref().is_some_and(Vec::is_empty) && !vacant && !self.token.fresh {
            // Only a fresh token proves that the secret did not exist.
            self.token.replace(self.context.system.unique());
        }
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
        // Otherwise an earlier run with this token may have created it, and the response from AWS is identical.
        let mut ours = vacant || self.token.fresh;
        match self.context.store.create(&new).await {
            Ok(written) => {
                self.attempt.base.get_or_insert(None);
                self.record_ids(&written);
                ours = ours || self.has_become_visible().await;
                self.attempt.wrote_unnamed |= !ours;
                if ours {
                    self.record_created(&written.version_id);
                    if otherwise.is_some() {
                        self.attempt.outcome.note(Level::Notice, CREATED_UNSEEN);
                    }
                }
                if written.attempts > 1 {
                    self.record_sent();
                }
                // The response to a retry shows what was created, not what has happened since.
                let retried = written.attempts > 1 || sent_before;
                let mut steps = otherwise.unwrap_or_default();
                if ours {
                    // CreateSecret has already written the metadata.
                    steps.retain(|step| matches!(step, Step::Put { .. }));
                }
                match steps[..] {
                    _ if ours && !retried => Ok(Applied::Done),
                    [] => Ok(Applied::Retry(None)),
                    // Repeating a put with the same token changes nothing, and its response contains the labels.
                    _ if ours => Ok(self.push_steps(steps)),
                    _ => Ok(self.push_unchecked(steps)),
                }
            }
            Err(error) if error.is("ResourceExistsException") => {
                self.attempt.name_taken = true;
                match otherwise.unwrap_or_default() {
                    steps if steps.is_empty() => Ok(Applied::Retry(Some(error))),
                    steps => Ok(self.push_unchecked(steps)),
                }
            }
            Err(error) if otherwise.is_some() && error.denies_secret() => {
                Err(not_created(self.failure(&error)))
            }
            // The name is scheduled for deletion, or its deletion is still in progress.
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

    /// Whether DescribeSecret, which was denied, now succeeds. With attribute-based access control, it succeeds once the secret
    /// exists with its tags, so this run created the secret.
    async fn has_become_visible(&mut self) -> bool {
        // In case the run is cut short here.
        self.attempt.maybe_created = Some(self.token.id.clone());
        let described = self.context.store.describe(self.id()).await;
        if described.as_ref().is_err_and(StoreError::is_denied) {
            self.attempt.maybe_created = None;
        }
        matches!(described, Ok(Some(_)))
    }

    /// Writes to a secret that exists, or may have existed, and cannot be described.
    fn push_unchecked(&mut self, steps: Vec<Step>) -> Applied {
        self.attempt.outcome.note(Level::Warning, UNCHECKED);
        self.push_steps(steps)
    }

    pub(super) async fn put(&mut self, holder: Option<String>) -> Result<Applied, Failure> {
        let (store, request) = (self.context.store, self.request);
        let (id, label) = (&request.target.id, request.label());
        // The holder before the *first* put. A holder read later could be another writer's version, and moving the label away
        // from it would revert that write.
        let base = self.attempt.base.get_or_insert(holder.clone()).clone();
        let sent_before = self.was_sent();
        let token = &self.token.id;
        if let (Some(base), CURRENT) = (&base, label) {
            self.attempt.moving = Some((base.clone(), token.clone()));
        }
        let put = store.put_value(id, token, self.value(), &[label]).await;
        if let (Err(error), false) = (&put, sent_before) {
            self.attempt.record_not_moved(error);
        }
        let put = match put {
            Ok(put) => put,
            // The token's version holds a different value, written by an earlier attempt of this CI run before the CI secret
            // changed, or by another job of its matrix.
            Err(error) if error.is("ResourceExistsException") && !self.token.replaced => {
                self.token.replace(self.context.system.unique());
                return Ok(self.push_steps(vec![Step::Put { base: holder }]));
            }
            // This read would only have shown what happened since this run created the secret.
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
            // No version holds the label. AWS checks this as well.
            None if label != CURRENT => self.repair(put, None, retried).await,
            // The holder is unknown. This was the only attempt, so the version belongs to an earlier run: write a new one.
            None if !retried => {
                self.token.replace(self.context.system.unique());
                Ok(self.push_steps(vec![Step::Put { base: None }]))
            }
            _ => Ok(self.record_overtaken(version, put.stages, None)),
        }
    }

    /// Whether a later write took the label from a version that held it because of this run: only this run can have created the
    /// version, or AWSPREVIOUS has moved there since the secret was described.
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

    /// Moves the label to a version that already existed without it, either because the value is in use again (with a keyed ID
    /// or in a re-run), or because a retry got its response after a later write. In the second case the holder has changed, and
    /// AWS rejects the move.
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
            // The next observation shows whether the write arrived.
            Err(error) if error.is_unknown_outcome() => Ok(Applied::Retry(Some(error))),
            Err(error) if retried && error.is_denied() || error.is_lost_swap() => {
                Ok(self.record_overtaken(id, put.stages, Some(error)))
            }
            Err(error) => Err(self.failure(&error)),
        }
    }
}
