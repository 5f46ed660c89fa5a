//! Records writes of the value in the attempt: the version that holds the value, and the change that caused it. Must not make
//! calls.

use upsert_secret_core::choices::IfExists;
use upsert_secret_core::error::StoreError;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::outcome::{Change, VersionRef};
use upsert_secret_core::store::{SecretStore, WrittenVersion};

use super::{Applied, Applier};

impl<S: SecretStore> Applier<'_, S> {
    /// Records that a version already holds the value. If this run wrote that version but got no response, this counts as a
    /// change.
    pub(super) fn record_kept(&mut self, kept: VersionRef) {
        let id = kept.id.clone();
        let base = self.attempt.base.clone();
        let moved = base.as_ref().is_some_and(|base| base.as_ref() != Some(&id));
        let change = if self.attempt.maybe_created.as_ref() == Some(&id) {
            self.record_created(&id);
            None
        } else if self.attempt.move_sent.as_ref() == Some(&id) {
            Some(self.move_change(&id))
        } else {
            let is_ours = self.attempt.sent.contains(&id);
            match &self.attempt.overtaken {
                Some(ours) if *ours != id && !is_ours => {
                    // If the secret is left unchanged, its value is unknown.
                    (self.request.if_exists == IfExists::Update).then(|| Change::Superseded {
                        ours: ours.clone(),
                        by: id.clone(),
                    })
                }
                Some(_) => Some(self.version_change(&id)),
                None => is_ours.then(|| self.version_change(&id)),
            }
        };
        if let Some(change) = change
            && moved
            && !self.attempt.outcome.has_recorded(&id)
        {
            match (&change, &self.attempt.overtaken) {
                (Change::Superseded { ours, .. }, _) => self.attempt.outcome.forget_overtaken(ours),
                (_, Some(ours)) if *ours == id => self.attempt.outcome.forget_overtaken(ours),
                _ => {}
            }
            self.attempt.outcome.record(change);
            if self.request.label() == CURRENT {
                self.attempt.outcome.moved_from = base.flatten();
            }
        }
        self.attempt.outcome.version = Some(kept);
    }

    fn version_change(&self, id: &str) -> Change {
        Change::Version {
            id: id.to_owned(),
            label: self.request.label().to_owned(),
            keys: self.request.written_keys(),
        }
    }

    pub(super) fn move_change(&self, id: &str) -> Change {
        Change::Moved {
            id: id.to_owned(),
            label: self.request.label().to_owned(),
        }
    }

    /// Records that a version holds the label after a put. `holder` is the version that held it before.
    pub(super) fn record_current(
        &mut self,
        id: String,
        stages: Vec<String>,
        holder: Option<String>,
    ) {
        let first = self.attempt.base.clone().flatten();
        let moved = holder.as_ref() != Some(&id) || first.as_ref() != Some(&id);
        if self.attempt.maybe_created.as_ref() == Some(&id) {
            self.record_created(&id);
        } else if moved && !self.attempt.outcome.has_recorded(&id) {
            self.attempt.outcome.record(self.version_change(&id));
            if self.request.label() == CURRENT {
                self.attempt.outcome.moved_from = [holder, first]
                    .into_iter()
                    .flatten()
                    .find(|holder| *holder != id);
            }
        }
        for stage in &stages {
            self.attempt.outcome.record_label_move(stage, &id);
        }
        self.attempt.outcome.version = Some(VersionRef { id, stages });
    }

    pub(super) fn record_created(&mut self, version_id: &str) {
        let outcome = &mut self.attempt.outcome;
        outcome.record_created(self.request, version_id);
    }

    /// Records that a later write has taken the label from a version that this run wrote; the next observation shows it.
    pub(super) fn record_replaced(&mut self, id: String, stages: Vec<String>) -> Applied {
        if self.attempt.maybe_created.as_ref() == Some(&id) {
            self.record_created(&id);
        }
        let base = self.attempt.base.clone().flatten();
        let outcome = &mut self.attempt.outcome;
        if self.request.label() == CURRENT && !outcome.has_recorded(&id) {
            outcome.moved_from = base.filter(|base| *base != id);
        }
        outcome.record_overtaken(&id, self.request.label(), stages.clone());
        self.record_overtaken(id, stages, None)
    }

    /// Records that a later write may have taken the label from this run's version; the next observation shows it.
    pub(super) fn record_overtaken(
        &mut self,
        id: String,
        stages: Vec<String>,
        error: Option<StoreError>,
    ) -> Applied {
        self.attempt.overtaken = Some(id.clone());
        self.attempt.outcome.version = Some(VersionRef { id, stages });
        Applied::Retry(error)
    }

    /// Records the IDs in a response.
    pub(super) fn record_ids(&mut self, written: &WrittenVersion) {
        self.attempt.outcome.arn = Some(written.arn.clone());
        self.attempt.outcome.name = Some(written.name.clone());
    }

    /// Records that the token's version may exist although no response confirmed it.
    pub(super) fn record_sent(&mut self) {
        if !self.was_sent() {
            self.attempt.sent.push(self.token.id.clone());
        }
    }

    pub(super) fn was_sent(&self) -> bool {
        self.attempt.sent.contains(&self.token.id)
    }
}
