//! The state that a run keeps about one secret between observations: writes without a response, labels of other runs, its own
//! private label. The plan reads it, and only its outcome is reported. Must not make decisions.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::failure::Failure;
use crate::labels::WriteLabel;
use crate::outcome::{Change, Outcome};

/// What is known about this run's RestoreSecret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restoration {
    /// None was sent.
    #[default]
    NotSent,
    /// It was sent, but got no response.
    Unanswered,
    /// AWS accepted it, and no observation has shown its effect yet.
    Accepted,
    /// An observation has shown the secret restored.
    Shown,
}

/// What a run waits for between calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// A noun phrase, such as `the replicas in eu-central-1`.
    pub what: String,
    /// The failure to report if the wait does not help.
    pub failure: Option<Failure>,
}

impl Wait {
    /// Waits for something that AWS is expected to do.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            failure: None,
        }
    }

    /// Waits before repeating a call.
    pub fn to_repeat(operation: &str, failure: Failure) -> Self {
        Self {
            what: format!("the next try of {operation}"),
            failure: Some(failure),
        }
    }
}

/// The state that a run keeps about one secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The report so far.
    pub outcome: Outcome,
    /// The holder of the label before the run's first write of a value. The inner `None` means that no version held it, or that
    /// the holder is unknown.
    pub base: Option<Option<String>>,
    /// The holder of AWSPREVIOUS before that write; `None` if the secret could not be described.
    pub previous: Option<Option<String>>,
    /// Tokens of value writes that may have been applied although they got no response.
    pub sent: Vec<String>,
    /// The version of a CreateSecret that got no response: if it appears, this run created the secret.
    pub maybe_created: Option<String>,
    /// The target of a label move whose response was lost.
    pub move_sent: Option<String>,
    /// A move of AWSCURRENT that is in progress or has an unknown outcome: source and target version. It is reported, so that
    /// the user can undo the move if it was applied.
    pub moving: Option<(String, String)>,
    /// What is known about this run's RestoreSecret.
    pub restoration: Restoration,
    /// Whether CreateSecret failed because the name is scheduled for deletion. Only needed if DescribeSecret is denied.
    pub deletion_seen: bool,
    /// Whether CreateSecret failed because the name exists. Only needed if DescribeSecret is denied.
    pub name_taken: bool,
    /// Changes of metadata and of other labels that may have been applied although they got no response.
    pub unconfirmed: Vec<Change>,
    /// This run's version, if a later write took the label from it.
    pub overtaken: Option<String>,
    /// The version that a guarded write would create, if its ID is predictable: it lets a re-run recognize its own version.
    pub own: Option<String>,
    /// The private label of this run's guarded writes.
    pub write_label: Option<WriteLabel>,
    /// The number of times that private labels of other runs were observed. A label that persists belongs to a killed run.
    pub rivals: BTreeMap<String, u32>,
    /// Whether the run competes with concurrent writers: it waits for its turn, or has lost a race and not won one since.
    pub contended: bool,
    /// Whether, at the last observation, private labels of other runs filled the label quota but will be removed.
    pub frees_labels: bool,
    /// The number of guarded writes that AWS rejected because of a quota, although no label was about to be removed.
    pub limited: u32,
    /// Regions to which this run has requested replication.
    pub replicating: Vec<String>,
    /// Whether the resource policy has passed validation by AWS.
    pub policy_checked: bool,
    /// Whether validation has to wait until the secret can be named: without a secret ID, it is denied.
    pub policy_deferred: bool,
    /// Whether the user has been warned about the new secret's name.
    pub name_checked: bool,
    /// Whether a write was applied that no change describes: the removal of a killed run's label, a version that may belong to
    /// an earlier run, a step of a transaction.
    pub wrote_unnamed: bool,
    /// The failure to report instead of a general one if the run is cut short now.
    pub cut_short: Option<Failure>,
    /// What the run is waiting for, besides the response to a call.
    pub waiting: Option<Wait>,
    /// The holder of AWSCURRENT at the last observation.
    pub holder: Option<String>,
}

impl Attempt {
    /// Whether this run wrote the version, or may have written it.
    pub(crate) fn may_have_written(&self, id: &str) -> bool {
        self.outcome.has_recorded(id) || self.sent.iter().any(|sent| sent == id)
    }

    /// Whether this run created the secret with this version, or may have created it.
    pub(crate) fn may_have_created(&self, id: &str) -> bool {
        self.maybe_created.as_deref() == Some(id) || self.outcome.has_created(id)
    }

    /// Whether a write of this run may have been applied that is missing from the outcome.
    pub fn may_have_changed(&self) -> bool {
        self.cut_short.is_some()
            || !self.sent.is_empty()
            || !self.unconfirmed.is_empty()
            || !self.replicating.is_empty()
            || self.move_sent.is_some()
            || self.maybe_created.is_some()
            || self.restoration == Restoration::Unanswered
    }

    /// Records a move that had no effect. An earlier attempt of the call may still have been applied.
    pub fn record_not_moved(&mut self, error: &StoreError) {
        if !error.is_unknown_outcome() && error.attempts <= 1 {
            self.moving = None;
        }
    }

    /// Whether this run has written anything to AWS, or may have.
    pub fn has_written(&self) -> bool {
        !self.outcome.changes.is_empty()
            || self.wrote_unnamed
            || !self.sent.is_empty()
            || !self.unconfirmed.is_empty()
            || self.move_sent.is_some()
            || self.maybe_created.is_some()
            || self.restoration != Restoration::NotSent
    }

    /// Whether this run's version holds the label again, after a later write had taken it.
    pub(crate) fn has_regained_label(&self, holder: Option<&str>) -> bool {
        self.overtaken.is_some() && self.overtaken.as_deref() == holder
    }
}
