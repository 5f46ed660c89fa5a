//! What a run remembers about one secret from one look to the next: writes whose answers were lost, labels of other runs,
//! its own private label. The plan decides by it. Only the outcome inside it is reported.

use std::collections::BTreeMap;

use crate::labels::WriteLabel;
use crate::outcome::Outcome;

/// The memory of a run about one secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// What is reported.
    pub outcome: Outcome,
    /// The holder of the label before the run's first write of a value; the inner `None` is "no version, or none that
    /// can be seen".
    pub base: Option<Option<String>>,
    /// Tokens of writes of a value that may have been applied although no answer was seen.
    pub sent: Vec<String>,
    /// The version of a CreateSecret whose answer never came: if it turns up, this run created the secret.
    pub maybe_created: Option<String>,
    /// The version that AWS was asked to move the label to, without an answer that says so.
    pub move_sent: Option<String>,
    /// Whether a RestoreSecret was sent.
    pub restore_sent: bool,
    /// Whether creating failed because the name is scheduled for deletion, which DescribeSecret, denied, cannot show.
    pub deletion_seen: bool,
    /// This run's version, where a later write took the label from it.
    pub overtaken: Option<String>,
    /// The version that a guarded write would create, where that can be predicted: a re-run recognizes its own work by
    /// it.
    pub own: Option<String>,
    /// The private label of this run's guarded writes.
    pub write_label: Option<WriteLabel>,
    /// How often each private label of another run was seen. One that stays belongs to a run that was killed.
    pub rivals: BTreeMap<String, u32>,
    /// Whether others write at the same time and this run has not won yet.
    pub contended: bool,
    /// Private labels of runs that may still be going on, as of the last look.
    pub living: usize,
    /// Guarded writes that AWS rejected for a quota although no other run was seen.
    pub limited: u32,
    /// Regions that this run has asked to replicate to.
    pub replicating: Vec<String>,
    /// Whether the resource policy has passed AWS's validation.
    pub policy_checked: bool,
    /// What the run is waiting for.
    pub waiting: Option<String>,
    /// The holder of AWSCURRENT as of the last look.
    pub holder: Option<String>,
}

impl Attempt {
    /// Whether this run wrote a version, or may have.
    #[must_use]
    pub fn may_have_written(&self, id: &str) -> bool {
        self.outcome.has_recorded(id) || self.sent.iter().any(|sent| sent == id)
    }

    /// Whether the label is on this run's version again, after a later write had taken it.
    pub(crate) fn has_regained_label(&self, holder: Option<&str>) -> bool {
        self.overtaken.is_some() && self.overtaken.as_deref() == holder
    }
}
