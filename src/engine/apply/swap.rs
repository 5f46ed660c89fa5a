//! Compare-and-swap: puts a version under the run's write label, moves AWSCURRENT to it only if the observed version still
//! holds it, and removes the write label. Also gives a version its other labels.

use std::time::Duration;

use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{CURRENT, WriteLabel};
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{Change, VersionRef};
use upsert_secret_core::plan::Step;
use upsert_secret_core::store::SecretStore;

use super::{Applied, Applier};

/// The longest that removing the write label may delay the end of a run.
const CLEANUP_LIMIT: Duration = Duration::from_secs(2);

/// Quota errors that are attributed to labels of other runs, which go away.
const MAX_LIMITED: u32 = 2;

impl<S: SecretStore> Applier<'_, S> {
    pub(super) async fn swap(&mut self, base: Option<String>) -> Result<Applied, Failure> {
        let (store, secret) = (self.context.store, self.id());
        // A different base makes a different document, and so a different version.
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
            // Such labels may be newer than the observation. Otherwise it is the quota of versions, which stays.
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
            // The first version of the secret, or one that an earlier attempt has made current.
            let mut stages = put.stages;
            stages.retain(|stage| *stage != label);
            // It was current before this run wrote anything: nothing has changed.
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
        self.record_sent();
        match store
            .move_label(secret, CURRENT, base.as_deref(), &id)
            .await
        {
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

    /// Records a conflict with another writer: its version stays, and this run starts over on top of it.
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

    /// Removes expired write labels. Best effort: the next run tries again.
    pub(super) async fn sweep(
        &mut self,
        labels: Vec<(String, String)>,
    ) -> Result<Applied, Failure> {
        let (store, id) = (self.context.store, self.id());
        for (label, version) in labels {
            let removed = store.remove_label(id, &label, &version).await;
            if removed.is_err_and(|error| error.is_denied()) {
                self.attempt.outcome.note(
                    Level::Notice,
                    "private labels of runs that were killed could not be taken off: UpdateSecretVersionStage is denied",
                );
                break;
            }
        }
        Ok(Applied::Done)
    }
}

/// Removes the run's write label after a failure, a signal or the time limit. No other write may follow those. `None` if
/// the label is gone; otherwise a notice for the user.
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
            "the private label {label} could not be taken off: the next guarded run that writes does it once it has expired"
        )),
    }
}

/// The result of removing the write label.
enum Removal {
    /// No version holds it: it was removed, was never put there, or an attempt without an answer removed it.
    Gone,
    /// It is there, and AWS changes no label of a secret that is scheduled for deletion.
    Deleted,
    /// It may be there.
    Failed,
}
