//! Compare-and-swap: a version is put under a label that only this process has, AWSCURRENT is moved to it from the version
//! that was observed and from no other, and the private label is removed. Also the further labels of a version.

use std::time::Duration;

use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{CURRENT, WriteLabel};
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{Change, VersionRef};
use upsert_secret_core::plan::Step;
use upsert_secret_core::store::SecretStore;

use super::applier::{Applier, StepOutcome};

/// How long removing the private label may delay the end of a run.
const CLEANUP_LIMIT: Duration = Duration::from_secs(2);

/// How often a quota error is taken for labels of others, which go away.
const MAX_LIMITED: u32 = 2;

impl<S: SecretStore> Applier<'_, S> {
    pub(super) async fn swap(&mut self, base: Option<String>) -> Result<StepOutcome, Failure> {
        // Another base makes another document, and so another version.
        let mark = base.clone().unwrap_or_default();
        if self.token.base.as_ref() != Some(&mark) {
            let scope = self.request.token_scope(self.context.store.region());
            let token = scope.token(self.context.run, self.value(), Some(&mark), || {
                self.context.system.unique()
            });
            *self.token = token;
        }
        let label = self.write_label(&self.token.id.clone());
        self.attempt.base = Some(base.clone());
        let put = match self
            .context
            .store
            .put_value(self.id(), &self.token.id, self.value(), &label)
            .await
        {
            Ok(put) => put,
            Err(error) if error.is("ResourceExistsException") && !self.token.replaced => {
                self.token.replace(self.context.system.unique());
                // What looked like our own work is not: the guard has to be asked again.
                if self.attempt.own.take().is_some() {
                    return Ok(StepOutcome::Retry(None));
                }
                return Ok(StepOutcome::Instead(vec![Step::Swap { base }]));
            }
            // The labels of others may be all that a secret can hold; their turns end soon.
            Err(error) if error.is("LimitExceededException") && self.attempt.living > 0 => {
                return Ok(StepOutcome::Yield);
            }
            // They may have come since the secret was looked at. Else it is the quota of versions, which stays.
            Err(error)
                if error.is("LimitExceededException") && self.attempt.limited < MAX_LIMITED =>
            {
                self.attempt.limited += 1;
                return Ok(StepOutcome::Retry(Some(error)));
            }
            Err(error) => {
                if error.is_unknown_outcome() {
                    self.record_sent();
                }
                return self.retry_if_changed(error);
            }
        };
        self.record_ids(&put.written.arn, &put.written.name);
        let id = put.written.version_id;
        if put.stages.iter().any(|stage| stage == CURRENT) {
            // The first version of a secret, or one that an earlier attempt has made current.
            let mut stages = put.stages;
            stages.retain(|stage| *stage != label);
            // It was current before this run wrote anything: nothing has changed.
            let held = self.attempt.holder.as_ref() == Some(&id) && !self.was_sent();
            let holder = if held { Some(id.clone()) } else { base };
            self.attempt.base = Some(holder.clone());
            self.record_current(id, stages, holder);
            self.drop_write_label().await;
            return Ok(StepOutcome::Done);
        }
        if !put.stages.contains(&label) {
            // An earlier attempt made this version: the label is still to be put on it.
            match self
                .context
                .store
                .move_label(self.id(), &label, None, &id)
                .await
            {
                Ok(()) => {}
                Err(error) if error.is_lost_swap() || error.is("LimitExceededException") => {
                    return Ok(self.lost().await);
                }
                Err(error) => return self.retry_if_unknown(error),
            }
        }
        self.make_current(id, base).await
    }

    async fn make_current(
        &mut self,
        id: String,
        base: Option<String>,
    ) -> Result<StepOutcome, Failure> {
        self.record_sent();
        match self
            .context
            .store
            .move_label(self.id(), CURRENT, base.as_deref(), &id)
            .await
        {
            Ok(()) => {
                self.record_current(id, vec![CURRENT.to_owned()], base);
                self.drop_write_label().await;
                Ok(StepOutcome::Done)
            }
            Err(error) if error.is_lost_swap() => Ok(self.lost().await),
            Err(error) => self.retry_if_unknown(error),
        }
    }

    /// Someone else was faster: their version stays, and this run starts over on top of it.
    async fn lost(&mut self) -> StepOutcome {
        self.attempt.contended = true;
        self.drop_write_label().await;
        StepOutcome::Yield
    }

    /// The private label of this run, from now on on this version.
    fn write_label(&mut self, version: &str) -> String {
        let context = self.context;
        let own = self.attempt.write_label.take().unwrap_or_else(|| {
            let end = context.system.now() + context.timeout.as_secs();
            WriteLabel::until(end, &context.system.unique())
        });
        let label = own.label.clone();
        self.attempt.write_label = Some(WriteLabel {
            on: Some(version.to_owned()),
            ..own
        });
        label
    }

    /// A failure leaves it where it is, for [`cleanup`].
    async fn drop_write_label(&mut self) {
        if let Some(WriteLabel {
            label,
            on: Some(version),
        }) = self.attempt.write_label.clone()
            && self
                .context
                .store
                .remove_label(self.id(), &label, &version)
                .await
                .is_ok()
        {
            self.attempt.write_label = Some(WriteLabel { label, on: None });
        }
    }

    pub(super) async fn label(
        &mut self,
        label: String,
        from: Option<String>,
    ) -> Result<StepOutcome, Failure> {
        let Some(version) = self.attempt.outcome.version.clone() else {
            return Ok(StepOutcome::Retry(None));
        };
        if from.as_ref() == Some(&version.id) || version.stages.contains(&label) {
            return Ok(StepOutcome::Done);
        }
        match self
            .context
            .store
            .move_label(self.id(), &label, from.as_deref(), &version.id)
            .await
        {
            Ok(()) => {
                self.attempt.outcome.record_label_move(&label, &version.id);
                self.attempt.outcome.record(Change::Labeled {
                    id: version.id.clone(),
                    label: label.clone(),
                });
                let mut stages = version.stages;
                stages.push(label);
                self.attempt.outcome.version = Some(VersionRef {
                    id: version.id,
                    stages,
                });
                Ok(StepOutcome::Done)
            }
            Err(error) if error.is_lost_swap() => Ok(StepOutcome::Retry(Some(error))),
            Err(error) => self.retry_if_unknown(error),
        }
    }

    /// Best effort: what cannot be taken off now is left to the next run.
    pub(super) async fn sweep(
        &mut self,
        labels: Vec<(String, String)>,
    ) -> Result<StepOutcome, Failure> {
        for (label, version) in labels {
            if let Err(error) = self
                .context
                .store
                .remove_label(self.id(), &label, &version)
                .await
                && error.is_denied()
            {
                self.attempt.outcome.note(
                    Level::Notice,
                    "private labels of runs that were killed could not be taken off: UpdateSecretVersionStage is denied",
                );
                break;
            }
        }
        Ok(StepOutcome::Done)
    }
}

/// Removes the run's private label where that has not been done: after a failure, a signal or the time limit. It is the
/// one write that may come after those. `None` once it is gone; otherwise what people should know.
pub(crate) async fn remove_write_label<S: SecretStore>(
    id: &str,
    label: &WriteLabel,
    store: &S,
) -> Option<String> {
    let version = label.on.as_deref()?;
    let store = store.for_cleanup();
    let removed = store.remove_label(id, &label.label, version);
    let gone = match tokio::time::timeout(CLEANUP_LIMIT, removed).await {
        Ok(Ok(())) => true,
        // It is not there: never put, or removed by an attempt whose answer was lost.
        Ok(Err(error)) => error.is_lost_swap(),
        Err(_) => false,
    };
    (!gone).then(|| {
        format!(
            "the private label {} could not be taken off: the next guarded run does it once it has expired",
            label.label
        )
    })
}
