//! PutSecretValue, and the move of the label that a version needs which existed already.

use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{CURRENT, PREVIOUS};
use upsert_secret_core::outcome::{Change, VersionRef};
use upsert_secret_core::plan::{Step, arn_is_absent};
use upsert_secret_core::store::{LabeledVersion, SecretStore};

use super::applier::{Applier, StepOutcome};

impl<S: SecretStore> Applier<'_, S> {
    pub(super) async fn put(&mut self, holder: Option<String>) -> Result<StepOutcome, Failure> {
        // The holder before the *first* put: one read afterwards could be a later writer's, and
        // moving the label away from it would undo their work.
        let base = self.attempt.base.get_or_insert(holder.clone()).clone();
        let sent_before = self.was_sent();
        let put = match self
            .context
            .store
            .put_value(
                self.id(),
                &self.token.id,
                self.value(),
                self.request.label(),
            )
            .await
        {
            Ok(put) => put,
            // The token's version holds another value: an earlier attempt of this CI run, before the
            // CI secret was changed, or another leg of its matrix.
            Err(error) if error.is("ResourceExistsException") && !self.token.replaced => {
                self.token.replace(self.context.system.unique());
                return Ok(StepOutcome::Instead(vec![Step::Put { base: holder }]));
            }
            Err(error)
                if error.is("ResourceNotFoundException")
                    && self.request.target.is_arn()
                    && self.attempt.outcome.arn.is_none() =>
            {
                return Err(arn_is_absent(self.request));
            }
            Err(error) => {
                if error.is_unknown_outcome() {
                    self.record_sent();
                }
                return self.retry_if_changed(error);
            }
        };
        self.record_ids(&put.written.arn, &put.written.name);
        let id = put.written.version_id.clone();
        let label = self.request.label();
        if put.stages.iter().any(|stage| stage == label) {
            self.record_current(id, put.stages, holder);
            return Ok(StepOutcome::Done);
        }
        let retried = put.written.attempts > 1 || sent_before;
        match base {
            // Nobody else can have made this version: it was current, and somebody wrote after us.
            _ if self.token.fresh => {
                self.record_overtaken(id, put.stages);
                Ok(StepOutcome::Retry(None))
            }
            Some(holder) if holder != id => self.repair(put, Some(&holder), retried).await,
            // Nobody holds it, which AWS checks as well.
            None if label != CURRENT => self.repair(put, None, retried).await,
            // Nobody to move it from can be seen. A first and only attempt found a version that an
            // earlier run had written, so a new version is what was asked for.
            None if !retried => {
                self.token.replace(self.context.system.unique());
                Ok(StepOutcome::Instead(vec![Step::Put { base: None }]))
            }
            _ => {
                self.record_overtaken(id, put.stages);
                Ok(StepOutcome::Retry(None))
            }
        }
    }

    /// The version existed and is not current: A→B→A under a keyed id or in a re-run, or a retry that
    /// was answered after a later writer. AWS tells the two apart, by comparing the holder.
    async fn repair(
        &mut self,
        put: LabeledVersion,
        holder: Option<&str>,
        retried: bool,
    ) -> Result<StepOutcome, Failure> {
        let id = put.written.version_id;
        self.attempt.move_sent = Some(id.clone());
        let label = self.request.label();
        match self
            .context
            .store
            .move_label(self.id(), label, holder, &id)
            .await
        {
            Ok(()) => {
                let mut stages = put.stages;
                if label == CURRENT {
                    stages.retain(|stage| stage != PREVIOUS);
                    self.attempt.outcome.moved_from = holder.map(str::to_owned);
                }
                stages.insert(0, label.to_owned());
                self.attempt.outcome.record_label_move(label, &id);
                self.attempt.outcome.record(Change::Moved {
                    id: id.clone(),
                    label: label.to_owned(),
                });
                self.attempt.outcome.version = Some(VersionRef { id, stages });
                Ok(StepOutcome::Done)
            }
            Err(error)
                if error.is_unknown_outcome()
                    || retried && error.is_denied()
                    || error.is_lost_swap() =>
            {
                self.record_overtaken(id, put.stages);
                Ok(StepOutcome::Retry(Some(error)))
            }
            Err(error) => Err(self.failure(&error)),
        }
    }
}
