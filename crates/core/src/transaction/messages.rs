//! The messages between the transaction and its driver: commands out, events in. The driver runs the commands of a round
//! concurrently and returns one event for each. It makes no decisions.

use crate::failure::Failure;
use crate::state::{VersionLabels, holder};

use super::goal::Goal;

/// One secret, as it was observed and planned.
#[derive(Clone, Debug, Hash)]
pub struct Look {
    /// The name of the secret.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// What the transaction does to it.
    pub goal: Goal,
}

/// One observation of all secrets.
#[derive(Debug)]
pub struct Observation {
    /// The secrets, in the order of the first observation.
    pub looks: Vec<Look>,
    /// The time, in seconds since 1970.
    pub now: u64,
    /// A fresh random UUID.
    pub unique: String,
}

/// The labels of one secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels {
    versions: VersionLabels,
    /// Whether DescribeSecret has shown them. GetSecretValue shows those of the current version only.
    pub(super) is_complete: bool,
}

impl Labels {
    /// All labels, as DescribeSecret shows them.
    pub fn all(versions: VersionLabels) -> Self {
        Self {
            versions,
            is_complete: true,
        }
    }

    /// The labels of the current version, as GetSecretValue shows them.
    pub fn of_current(id: &str, stages: &[String]) -> Self {
        Self {
            versions: [(id.to_owned(), stages.to_vec())].into(),
            is_complete: false,
        }
    }

    /// The version that holds a label.
    pub fn holder(&self, label: &str) -> Option<&str> {
        holder(&self.versions, label)
    }

    /// Every label with the version that holds it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let versions = self.versions.iter();
        versions.flat_map(|(id, labels)| labels.iter().map(|label| (label.as_str(), id.as_str())))
    }
}

/// A call for the driver, about the secret at an index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// DescribeSecret.
    Describe(usize),
    /// PutSecretValue of the new version under these labels. A KMS key that changes is written before.
    Put {
        /// The secret.
        member: usize,
        /// The labels.
        labels: Vec<String>,
    },
    /// CreateSecret.
    Create(usize),
    /// UpdateSecretVersionStage as a compare-and-swap.
    Label {
        /// The secret.
        member: usize,
        /// The label.
        label: String,
        /// The version that must hold it; `None` if no version may.
        from: Option<String>,
        /// The version that gets it; `None` to remove it.
        to: Option<String>,
    },
    /// Reads the value again, and compares it.
    Read(usize),
}

impl Command {
    /// The index of the secret.
    pub fn member(&self) -> usize {
        match self {
            Self::Describe(member)
            | Self::Put { member, .. }
            | Self::Create(member)
            | Self::Label { member, .. }
            | Self::Read(member) => *member,
        }
    }
}

/// The result of a command, about the secret at an index.
#[derive(Clone, Debug, Hash)]
pub enum Event {
    /// Of [`Command::Describe`].
    Described(usize, Result<Labels, Failure>),
    /// Of [`Command::Put`]: the version, and its labels after the call.
    Put(usize, String, Vec<String>),
    /// Of [`Command::Create`]: the version.
    Created(usize, String),
    /// Of [`Command::Create`]: another writer has created the secret.
    Exists(usize),
    /// A write of a value failed. The version is there if the write may have been applied all the same.
    WriteFailed(usize, Failure, Option<String>),
    /// Of [`Command::Label`].
    Label(usize, Answer),
    /// Of [`Command::Read`]: whether the value is still the one that was asked for, and the labels of the current version.
    Read(usize, Result<(bool, Labels), Failure>),
    /// The command was not sent, because another of its round had failed.
    Skipped(usize),
}

impl Event {
    /// Whether a round that [stops](Round::stops) sends no further commands after this event.
    pub fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::Exists(_)
                | Self::WriteFailed(..)
                | Self::Label(_, Answer::Lost { .. } | Answer::Rejected(_))
        )
    }
}

/// The answer to UpdateSecretVersionStage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It was applied.
    Applied,
    /// Another version holds the label, or none. A call that was retried may have been applied by its first attempt.
    Lost {
        /// Whether there was more than one attempt.
        retried: bool,
        /// The failure to report if the label turns out not to have moved.
        failure: Failure,
    },
    /// No answer arrived: it may have been applied.
    NoAnswer(Failure),
    /// It was rejected, and not applied.
    Rejected(Failure),
}

/// What the driver does next.
#[derive(Clone, Debug)]
pub enum Next {
    /// Observes and plans every secret, then calls [`super::Transaction::observed`].
    Observe,
    /// Waits for another run, then observes.
    WaitForOther {
        /// Whether the other run was seen to make progress, so that waiting starts afresh.
        progress: bool,
    },
    /// Waits for its turn after a conflict, then observes.
    WaitForTurn,
    /// Runs commands at the same time.
    Round(Round),
    /// Reports the results, and after a commit writes everything but the values.
    End(Ending),
}

/// Commands that run at the same time.
#[derive(Clone, Debug)]
pub struct Round {
    /// What is done with the secrets, for the progress: "12 secrets staged".
    pub verb: &'static str,
    /// The commands, at most one for each secret.
    pub commands: Vec<Command>,
    /// Whether commands that have not been sent are skipped after a failure.
    pub stops: bool,
    /// Whether a command is sent again, so that the driver waits first.
    pub is_retry: bool,
}

/// The end of a transaction.
#[derive(Clone, Debug, Hash)]
pub struct Ending {
    /// Whether every new version is current.
    pub committed: bool,
    /// Whether versions of a killed run were rolled back.
    pub recovered: bool,
    /// Whether that run had secrets that this one has not, which may still have its values.
    pub left_others: bool,
    /// A failure of the run that is no secret's own.
    pub failure: Option<Failure>,
    /// The secrets from which private labels could not be removed.
    pub labeled: Vec<usize>,
    /// By secret: what became of it.
    pub members: Vec<MemberEnding>,
}

/// What became of one secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MemberEnding {
    /// The new version, if AWSCURRENT has moved to it, or may have.
    pub written: Option<Written>,
    /// The failure of this secret.
    pub failure: Option<Failure>,
}

/// A new version that is current, or was.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Written {
    /// It is the first version, which stays.
    First(String),
    /// It is current; `from` was before.
    Current {
        /// Its id.
        id: String,
        /// The version before.
        from: String,
    },
    /// It was current until another writer replaced it; `from` was before.
    Replaced {
        /// Its id.
        id: String,
        /// The version before.
        from: String,
    },
    /// It was current until AWSCURRENT was moved back.
    RolledBack(String),
}
