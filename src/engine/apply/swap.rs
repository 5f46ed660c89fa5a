//! Compare-and-swap: writes a version with the run's write label, moves AWSCURRENT to it only if the observed version still
//! holds AWSCURRENT, and removes the write label. Also adds other staging labels to a version.

use std::time::Duration;

use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{CURRENT, WriteLabel};
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{Change, VersionRef};
use upsert_secret_core::plan::Step;
use upsert_secret_core::store::SecretStore;

use super::{Applied, Applier};

/// The maximum time that removing the write label may delay the end of a run.
const CLEANUP_LIMIT: Duration = Duration::from_secs(2);

/// The number of quota errors that are attributed to temporary labels of other runs.
const MAX_LIMITED: u32 = 2;

impl<S: SecretStore> Applier<'_, S> {
    pub(super) async fn swap(&mut self, base: Option<String>) -> Result<Applied, Failure> {
        let (store, secret) = (self.context.store, self.id());
        // A different base results in a different document, and therefore in a different version.
        let base_id = base.as_deref().unwrap_or_default();
        if self.token.base.as_deref() != Some(base_id) {
            *self.token = self
                .context
                .token(self.request, self.value(), Some(base_id));
        }
        let label = self.write_label();
        self.attempt.base = Some(base.clone());
        let token = &self.token.id;
        let put = match store
            .put_value(secret, token, self.value(), &[&label])
            .await
        {
            Ok(put) => put,
            Err(error) if error.is("ResourceExistsException") && !self.token.replaced => {
                self.token.replace(self.context.system.unique());
                // The version that looked like this run's own is not: check the guard again.
                if self.attempt.own.take().is_some() {
                    return Ok(Applied::Retry(None));
                }
                return Ok(self.push_steps(vec![Step::Swap { base }]));
            }
            Err(error) if error.is("LimitExceededException") && self.attempt.frees_labels => {
                return Ok(Applied::Yield);
            }
            // Those labels may be newer than the observation. Otherwise the cause is the quota of versions, which is permanent.
            Err(error)
                if error.is("LimitExceededException") && self.attempt.limited < MAX_LIMITED =>
            {
                self.attempt.limited += 1;
                return Ok(Applied::Retry(Some(error)));
            }
            Err(error) => {
                if error.is_unknown_outcome() {
                    self.record_sent();
                }
                self.attempt.name_taken &= !error.is("ResourceNotFoundException");
                return self.retry_if_changed(error);
            }
        };
        self.record_ids(&put.written);
        let id = put.written.version_id;
        if put.stages.iter().any(|stage| stage == CURRENT) {
            // The first version of the secret, or one that an earlier attempt made current.
            let mut stages = put.stages;
            stages.retain(|stage| *stage != label);
            // It was current before this run wrote anything, so nothing has changed.
            let held = self.attempt.holder.as_ref() == Some(&id) && !self.was_sent();
            let holder = if held { Some(id.clone()) } else { base };
            self.attempt.base = Some(holder.clone());
            self.attempt.contended = false;
            self.record_current(id, stages, holder);
            self.drop_write_label().await;
            return Ok(Applied::Done);
        }
        if !put.stages.contains(&label) {
            // An earlier attempt created this version, so this put did not label it.
            match store.move_label(secret, &label, None, &id).await {
                Ok(()) => {}
                Err(error) if error.is_lost_swap() || error.is("LimitExceededException") => {
                    return Ok(self.record_conflict().await);
                }
                Err(error) => return self.retry_if_unknown(error),
            }
        }
        let sent_before = self.was_sent();
        self.record_sent();
        if let Some(base) = &base {
            self.attempt.moving = Some((base.clone(), id.clone()));
        }
        let moved = store
            .move_label(secret, CURRENT, base.as_deref(), &id)
            .await;
        if let (Err(error), false) = (&moved, sent_before) {
            self.attempt.record_not_moved(error);
        }
        match moved {
            Ok(()) => {
                self.attempt.contended = false;
                self.record_current(id, vec![CURRENT.to_owned()], base);
                self.drop_write_label().await;
                Ok(Applied::Done)
            }
            Err(error) if error.is_lost_swap() => Ok(self.record_conflict().await),
            Err(error) => self.retry_if_unknown(error),
        }
    }

    /// Records a conflict with another writer. Its version stays current, and this run starts over from that version.
    async fn record_conflict(&mut self) -> Applied {
        self.attempt.contended = true;
        self.drop_write_label().await;
        Applied::Yield
    }

    /// The run's write label, recorded as held by the token's version.
    fn write_label(&mut self) -> String {
        let context = self.context;
        let own = self.attempt.write_label.get_or_insert_with(|| {
            let end = context.system.now() + context.timeout.as_secs();
            WriteLabel::until(end, &context.system.unique())
        });
        own.on = Some(self.token.id.clone());
        own.label.clone()
    }

    /// Removes the write label. After a failure it stays recorded for [`remove_write_label`].
    async fn drop_write_label(&mut self) {
        let (store, id) = (self.context.store, self.id());
        if let Some(own) = &mut self.attempt.write_label
            && let Some(version) = &own.on
            && store.remove_label(id, &own.label, version).await.is_ok()
        {
            own.on = None;
        }
    }

    pub(super) async fn label(
        &mut self,
        label: String,
        from: Option<String>,
    ) -> Result<Applied, Failure> {
        let Some(version) = self.attempt.outcome.version.clone() else {
            return Ok(Applied::Retry(None));
        };
        if from.as_ref() == Some(&version.id) || version.stages.contains(&label) {
            return Ok(Applied::Done);
        }
        let (store, secret) = (self.context.store, self.id());
        let VersionRef { id, mut stages } = version;
        match store.move_label(secret, &label, from.as_deref(), &id).await {
            Ok(()) => {
                let outcome = &mut self.attempt.outcome;
                outcome.record_label_move(&label, &id);
                outcome.record(Change::Labeled {
                    id: id.clone(),
                    label: label.clone(),
                });
                stages.push(label);
                outcome.version = Some(VersionRef { id, stages });
                Ok(Applied::Done)
            }
            Err(error) => {
                self.record_unconfirmed(&error, || Change::Labeled { id, label });
                if error.is_lost_swap() {
                    return Ok(Applied::Retry(Some(error)));
                }
                self.retry_if_unknown(error)
            }
        }
    }

    /// Removes expired write labels. Best effort: if it fails, the next run tries again.
    pub(super) async fn sweep(
        &mut self,
        labels: Vec<(String, String)>,
    ) -> Result<Applied, Failure> {
        let (store, id) = (self.context.store, self.id());
        for (label, version) in labels {
            let removed = store.remove_label(id, &label, &version).await;
            self.attempt.wrote_unnamed |= removed.is_ok();
            if removed.is_err_and(|error| error.is_denied()) {
                self.attempt.outcome.note(
                    Level::Notice,
                    "private labels of runs that were killed could not be removed: UpdateSecretVersionStage is denied",
                );
                break;
            }
        }
        Ok(Applied::Done)
    }
}

/// Removes the run's write label after a failure, a signal or the time limit. The run must not write anything afterward.
/// Returns `None` if the label is gone; otherwise a notice for the user.
pub(crate) async fn remove_write_label<S: SecretStore>(
    id: &str,
    label: &WriteLabel,
    store: &S,
) -> Option<String> {
    let version = label.on.as_deref()?;
    let label = &label.label;
    let store = store.for_cleanup();
    let removal = async {
        match store.remove_label(id, label, version).await {
            Ok(()) => Removal::Gone,
            Err(error) if error.is_lost_swap() => match store.describe(id).await {
                Ok(Some(secret)) if secret.holder(label).is_none() => Removal::Gone,
                Ok(Some(secret)) if secret.deleted => Removal::Deleted,
                Ok(None) => Removal::Gone,
                Ok(Some(_)) | Err(_) => Removal::Failed,
            },
            Err(_) => Removal::Failed,
        }
    };
    let removal = tokio::time::timeout(CLEANUP_LIMIT, removal).await;
    match removal.unwrap_or(Removal::Failed) {
        Removal::Gone => None,
        Removal::Deleted => Some(format!(
            "the private label {label} could not be removed, because the secret is scheduled for deletion: after a \
             restore, the next guarded run that writes removes it once it has expired"
        )),
        Removal::Failed => Some(format!(
            "the private label {label} could not be removed: the next guarded run that writes removes it \
             once it has expired"
        )),
    }
}

/// The result of removing the write label.
enum Removal {
    /// No version holds the label: it was removed, it was never added, or an attempt without a response removed it.
    Gone,
    /// The label remains, because AWS does not change labels of a secret that is scheduled for deletion.
    Deleted,
    /// The label may remain.
    Failed,
}
