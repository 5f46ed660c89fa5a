//! What a run has found and done so far. It is kept up to date while the run goes on, so that a run
//! that is cut short still reports the ids it knows. Holds no value and prints nothing.

use std::collections::BTreeMap;

use crate::lease::Lease;
use crate::plan::Planned;
use crate::redact::Level;

mod change;

pub use change::Change;

/// A version that holds the value, and its staging labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its id.
    pub id: String,
    /// Labels, as AWS named them last.
    pub stages: Vec<String>,
}

/// The word that says what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Result {
    /// The secret did not exist.
    Created,
    /// Something was written.
    Updated,
    /// All was as asked.
    Unchanged,
}

impl Result {
    /// As in the output `result`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// In a word.
    pub result: Result,
    /// In order.
    pub steps: Vec<Planned>,
}

/// Version ids and their labels.
pub type Labels = BTreeMap<String, Vec<String>>;

/// Found and done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Full ARN, once known.
    pub arn: Option<String>,
    /// Name, once known.
    pub name: Option<String>,
    /// Region, once known.
    pub region: Option<String>,
    /// The version that holds the value, once AWS has confirmed it.
    pub version: Option<Version>,
    /// Of the command `plan`.
    pub preview: Option<Preview>,
    /// What was changed, in order.
    pub changes: Vec<Change>,
    /// What people should know.
    pub notices: Vec<(Level, String)>,
    /// The holder of AWSCURRENT before our first write of a value; the inner `None` is "nobody, or
    /// nobody we could see".
    pub base: Option<Option<String>>,
    /// The holder of AWSCURRENT right before this run moved it.
    pub moved_from: Option<String>,
    /// Tokens of writes of a value that may have been applied without our seeing the answer.
    pub sent: Vec<String>,
    /// The version of a CreateSecret whose answer never came: if it turns up, we created the secret.
    pub maybe_created: Option<String>,
    /// A version that we asked AWS to move AWSCURRENT to.
    pub move_sent: Option<String>,
    /// A RestoreSecret was sent.
    pub restore_sent: bool,
    /// Creating failed because the name is scheduled for deletion, and DescribeSecret is denied.
    pub deletion_seen: bool,
    /// Our version was written, and somebody wrote after it.
    pub overtaken: Option<String>,
    /// The version that a guarded write would make, where that can be told: a re-run finds its own
    /// work by it.
    pub own: Option<String>,
    /// The private label of this run's guarded writes.
    pub lease: Option<Lease>,
    /// How often each private label of another run was seen: one that stays is of a run that was
    /// killed.
    pub rivals: BTreeMap<String, u32>,
    /// Others write at the same time, and this run has not won yet.
    pub contended: bool,
    /// Private labels of runs that may still go on, when the secret was last looked at.
    pub living: usize,
    /// Guarded writes that AWS refused for a quota with no other run to be seen.
    pub limited: u32,
    /// Regions that this run has asked to be replicated to.
    pub replicating: Vec<String>,
    /// The resource policy has passed AWS's checks.
    pub policy_checked: bool,
    /// What the run is waiting for.
    pub waiting: Option<String>,
    /// Who held AWSCURRENT when the secret was last looked at.
    pub holder: Option<String>,
    /// Which version held which labels when the secret was first looked at, and after what was done;
    /// only where labels are what the run is about.
    pub labels: Option<(Labels, Labels)>,
}

impl Outcome {
    /// What happened, or would happen, in a word.
    #[must_use]
    pub fn result(&self) -> Result {
        if let Some(preview) = &self.preview {
            preview.result
        } else if self
            .changes
            .iter()
            .any(|change| matches!(change, Change::Created { .. }))
        {
            Result::Created
        } else if self.changes.is_empty() {
            Result::Unchanged
        } else {
            Result::Updated
        }
    }

    /// Whether anything was changed, or would be.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.result() != Result::Unchanged
    }

    /// Whether the secret was taken back from deletion.
    #[must_use]
    pub fn restored(&self) -> bool {
        self.changes.contains(&Change::Restored)
    }

    /// AWSCURRENT's holder before this run, if this run moved it.
    #[must_use]
    pub fn previous(&self) -> Option<&str> {
        self.moved_from.as_deref()
    }

    /// Whether it is already told how this version came to be current.
    #[must_use]
    pub fn recorded(&self, id: &str) -> bool {
        let version = self.version.as_ref().map(|version| version.id.as_str());
        self.changes.iter().any(|change| match change {
            Change::Created { .. } => version == Some(id),
            Change::Version { id: written, .. }
            | Change::Moved { id: written, .. }
            | Change::Promoted(written)
            | Change::RolledBack(written)
            | Change::Superseded { by: written, .. } => written == id,
            _ => false,
        })
    }

    /// Whether this run wrote a version, or may have.
    #[must_use]
    pub fn wrote(&self, id: &str) -> bool {
        self.recorded(id) || self.sent.iter().any(|sent| sent == id)
    }

    /// Records that a label is on a version now, and AWSPREVIOUS where AWSCURRENT came from.
    pub fn relabel(&mut self, label: &str, to: &str) {
        let Some((_, after)) = &mut self.labels else {
            return;
        };
        let held = |after: &Labels, label: &str| {
            after
                .iter()
                .find(|(_, labels)| labels.iter().any(|held| held == label))
                .map(|(id, _)| id.clone())
        };
        let from = held(after, label);
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
        if label == "AWSCURRENT"
            && let Some(from) = from
        {
            give("AWSPREVIOUS", &from);
        }
        after.retain(|_, labels| !labels.is_empty());
    }

    /// Records a change, once.
    pub fn did(&mut self, change: Change) {
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    /// Tells people something, once.
    pub fn note(&mut self, level: Level, text: impl Into<String>) {
        let notice = (level, text.into());
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }
}
