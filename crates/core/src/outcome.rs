//! The report about one secret: IDs, changes, notices. Updated during the run, so that a run that is cut short still reports
//! the known IDs. Must not hold values or print.

use std::collections::BTreeMap;

use crate::labels::{CURRENT, PREVIOUS};
use crate::notice::Level;
use crate::request::Request;
use crate::state::{SecretMetadata, SecretVersion, VersionLabels, holder};

mod change;

pub use change::{Change, counted};

/// A version and its staging labels, as last returned by AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRef {
    /// The version id.
    pub id: String,
    /// Its labels.
    pub stages: Vec<String>,
}

impl VersionRef {
    /// The version with a label, as DescribeSecret shows it.
    pub(crate) fn holder(secret: &SecretMetadata, label: &str) -> Option<Self> {
        secret.holder(label).map(|id| Self {
            id: id.to_owned(),
            stages: secret.labels(id),
        })
    }
}

impl From<&SecretVersion> for VersionRef {
    fn from(version: &SecretVersion) -> Self {
        Self {
            id: version.version_id.clone(),
            stages: version.stages.clone(),
        }
    }
}

/// The kind of change, as in the output `result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// The secret did not exist.
    Created,
    /// Something was written.
    Updated,
    /// Nothing had to be written.
    Unchanged,
}

impl ChangeKind {
    /// The word of the output `result`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// One step of a plan, described in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStep {
    /// The action.
    pub what: String,
    /// The reason.
    pub why: String,
}

/// The changes that a run would make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The kind of change.
    pub kind: ChangeKind,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
}

/// The report about one secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The full ARN, once known.
    pub arn: Option<String>,
    /// The name, once known.
    pub name: Option<String>,
    /// The region, once known.
    pub region: Option<String>,
    /// The version that holds the value, once AWS has confirmed it.
    pub version: Option<VersionRef>,
    /// The result of the command `plan`; absent for other commands.
    pub preview: Option<Preview>,
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// Notices and warnings for the user.
    pub notices: Vec<(Level, String)>,
    /// The holder of AWSCURRENT before this run moved it.
    pub moved_from: Option<String>,
    /// All labels before and after; only for runs that change labels (`promote`, `rollback`, `version-stages`).
    pub labels: Option<(VersionLabels, VersionLabels)>,
}

impl Outcome {
    /// The actual or planned kind of change.
    pub fn kind(&self) -> ChangeKind {
        let is_created = |change: &Change| matches!(change, Change::Created { .. });
        match &self.preview {
            Some(preview) => preview.kind,
            // Rolled-back changes have no effect, and another writer may have made the others.
            None if !self.has_lasting_change() => ChangeKind::Unchanged,
            None if self.changes.iter().any(is_created) => ChangeKind::Created,
            None => ChangeKind::Updated,
        }
    }

    /// Whether anything was changed, or would be in a dry run.
    pub fn changed(&self) -> bool {
        self.kind() != ChangeKind::Unchanged
    }

    /// Whether anything was changed and not rolled back.
    pub fn has_lasting_change(&self) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|change| !matches!(change, Change::Reverted(_)))
    }

    /// Whether the secret was restored from a scheduled deletion.
    pub fn restored(&self) -> bool {
        self.changes.contains(&Change::Restored)
    }

    /// Whether this run created the secret with this version.
    pub(crate) fn has_created(&self, id: &str) -> bool {
        let is_created = |change: &Change| matches!(change, Change::Created { .. });
        let version = self.version.as_ref();
        version.is_some_and(|version| version.id == id) && self.changes.iter().any(is_created)
    }

    /// Whether a recorded change made this version current.
    pub fn has_recorded(&self, id: &str) -> bool {
        let names = |change: &Change| match change {
            Change::Version { id: written, .. }
            | Change::Moved { id: written, .. }
            | Change::Promoted(written)
            | Change::RolledBack(written)
            | Change::Superseded { by: written, .. } => written == id,
            _ => false,
        };
        self.has_created(id) || self.changes.iter().any(names)
    }

    /// Records the labels before the run, unless already recorded.
    pub fn record_labels(&mut self, versions: &VersionLabels) {
        self.labels
            .get_or_insert_with(|| (versions.clone(), versions.clone()));
    }

    /// Records that a label moved to a version, and AWSPREVIOUS to the version that AWSCURRENT left.
    pub fn record_label_move(&mut self, label: &str, to: &str) {
        let Some((_, after)) = &mut self.labels else {
            return;
        };
        let from = holder(after, label).map(str::to_owned);
        if from.as_deref() == Some(to) {
            return;
        }
        let mut give = |label: &str, to: &str| {
            for labels in after.values_mut() {
                labels.retain(|held| held != label);
            }
            after
                .entry(to.to_owned())
                .or_default()
                .push(label.to_owned());
        };
        give(label, to);
        if label == CURRENT
            && let Some(from) = from
        {
            give(PREVIOUS, &from);
        }
        after.retain(|_, labels| !labels.is_empty());
    }

    /// Records that the secret was created with everything in the request.
    pub fn record_created(&mut self, request: &Request, version_id: &str) {
        self.record(Change::Created {
            description: request.description.is_some(),
            kms_key: request.kms_key_id.is_some(),
            tags: request.tags.as_ref().map_or(0, BTreeMap::len),
            replicas: request.replicas.as_ref().map_or(0, BTreeMap::len),
            keys: request.written_keys(),
        });
        self.record_label_move(CURRENT, version_id);
        self.version = Some(VersionRef {
            id: version_id.to_owned(),
            stages: vec![CURRENT.to_owned()],
        });
    }

    /// Records that this run gave a version a label, and that a later write replaced the version.
    pub fn record_overtaken(&mut self, id: &str, label: &str, stages: Vec<String>) {
        if !self.has_recorded(id) {
            self.record(Change::Overtaken {
                id: id.to_owned(),
                label: label.to_owned(),
            });
        }
        self.version = Some(VersionRef {
            id: id.to_owned(),
            stages,
        });
    }

    /// Whether it is recorded that a later write has replaced this version.
    pub fn is_overtaken(&self, id: &str) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|change| matches!(change, Change::Overtaken { id: ours, .. } if ours == id))
    }

    /// Removes that record when later observations supersede it.
    pub fn forget_overtaken(&mut self, id: &str) {
        let is_record =
            |change: &Change| matches!(change, Change::Overtaken { id: ours, .. } if ours == id);
        self.changes.retain(|change| !is_record(change));
    }

    /// Records a change, unless already recorded.
    pub fn record(&mut self, change: Change) {
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    /// Adds a notice, unless already added.
    pub fn note(&mut self, level: Level, text: impl Into<String>) {
        let notice = (level, text.into());
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }
}

#[cfg(test)]
mod tests;
