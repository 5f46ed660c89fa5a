//! What a run remembers about one secret between observations: writes without an answer, labels of other runs, its own
//! private label. The plan reads it, and only its outcome is reported. It makes no decision.

use std::collections::BTreeMap;

use crate::failure::Failure;
use crate::labels::WriteLabel;
use crate::outcome::{Change, Outcome};

/// What is known about this run's RestoreSecret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restoration {
    /// None was sent.
    #[default]
    NotSent,
    /// It was sent, and no answer arrived.
    Unanswered,
    /// AWS accepted it, and no observation has shown its effect yet.
    Accepted,
    /// An observation has shown the secret restored.
    Shown,
}

/// The memory of a run about one secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The report so far.
    pub outcome: Outcome,
    /// The holder of the label before the run's first write of a value. The inner `None` means no version, or an unknown
    /// one.
    pub base: Option<Option<String>>,
    /// The holder of AWSPREVIOUS before that write; `None` if the secret could not be described.
    pub previous: Option<Option<String>>,
    /// Tokens of value writes that may have been applied although no answer arrived.
    pub sent: Vec<String>,
    /// The version of a CreateSecret without an answer: if it appears, this run created the secret.
    pub maybe_created: Option<String>,
    /// The target of a label move whose answer was lost.
    pub move_sent: Option<String>,
    /// What is known about this run's RestoreSecret.
    pub restoration: Restoration,
    /// Whether CreateSecret failed because the name is scheduled for deletion. Only needed if DescribeSecret is denied.
    pub deletion_seen: bool,
    /// Whether CreateSecret failed because the name exists. Only needed if DescribeSecret is denied.
    pub name_taken: bool,
    /// Changes of metadata and of further labels that may have been applied although no answer arrived.
    pub unconfirmed: Vec<Change>,
    /// This run's version, if a later write took the label from it.
    pub overtaken: Option<String>,
    /// The version that a guarded write would create, if it is predictable: a re-run recognizes its own work by it.
    pub own: Option<String>,
    /// The private label of this run's guarded writes.
    pub write_label: Option<WriteLabel>,
    /// Sightings of other runs' private labels. A label that stays belongs to a killed run.
    pub rivals: BTreeMap<String, u32>,
    /// Whether the run competes with concurrent writers: it waits for its turn, or has lost a race and not won one since.
    pub contended: bool,
    /// Whether private labels of other runs fill the quota of labels, and will go away, at the last observation.
    pub frees_labels: bool,
    /// Guarded writes that AWS rejected for a quota although no label was about to go away.
    pub limited: u32,
    /// Regions to which this run has requested replication.
    pub replicating: Vec<String>,
    /// Whether the resource policy has passed AWS's validation.
    pub policy_checked: bool,
    /// The failure to report if the run is cut short now, instead of a general one.
    pub cut_short: Option<Failure>,
    /// The reason for waiting, for status lines.
    pub waiting: Option<String>,
    /// The holder of AWSCURRENT at the last observation.
    pub holder: Option<String>,
}

impl Attempt {
    /// Whether this run wrote a version, or may have written it.
    pub(crate) fn may_have_written(&self, id: &str) -> bool {
        self.outcome.has_recorded(id) || self.sent.iter().any(|sent| sent == id)
    }

    /// Whether this run created the secret with this version, or may have created it.
    pub(crate) fn may_have_created(&self, id: &str) -> bool {
        self.maybe_created.as_deref() == Some(id) || self.outcome.has_created(id)
    }

    /// Whether a write of this run may have been applied that the outcome does not name.
    pub fn may_have_changed(&self) -> bool {
        self.cut_short.is_some()
            || !self.sent.is_empty()
            || !self.unconfirmed.is_empty()
            || !self.replicating.is_empty()
            || self.move_sent.is_some()
            || self.maybe_created.is_some()
            || self.restoration == Restoration::Unanswered
    }

    /// Whether the label is on this run's version again, after a later write had taken it.
    pub(crate) fn has_regained_label(&self, holder: Option<&str>) -> bool {
        self.overtaken.is_some() && self.overtaken.as_deref() == holder
    }
}
