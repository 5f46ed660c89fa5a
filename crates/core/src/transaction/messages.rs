//! The messages between the transaction and its driver: commands out, events in. The driver runs the commands of a round
//! concurrently and returns one event for each. Must not make decisions.

use crate::failure::Failure;
use crate::state::{VersionLabels, holder};

use super::goal::Goal;

/// One secret, as observed and planned.
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
    /// Whether DescribeSecret returned them. GetSecretValue returns only those of the current version.
    pub(super) is_complete: bool,
}

impl Labels {
    /// All labels, as returned by DescribeSecret.
    pub fn all(versions: VersionLabels) -> Self {
        Self {
            versions,
            is_complete: true,
        }
    }

    /// The labels of the current version, as returned by GetSecretValue.
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

    /// All labels, each with the version that holds it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let versions = self.versions.iter();
        versions.flat_map(|(id, labels)| labels.iter().map(|label| (label.as_str(), id.as_str())))
    }
}

/// A call that the driver has to make, about the secret at an index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// DescribeSecret.
    Describe(usize),
    /// PutSecretValue of the new version with these labels. A changed KMS key is written first.
    Put {
        /// The secret.
        member: usize,
        /// The labels.
        labels: Vec<String>,
    },
    /// UpdateSecretVersionStage of these labels to an existing version, one by one, then DescribeSecret.
    Attach {
        /// The secret.
        member: usize,
        /// The version.
        version: String,
        /// The labels. No version holds them yet.
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
        /// The version that must hold the label; `None` if no version may hold it.
        from: Option<String>,
        /// The version that receives the label; `None` to remove it.
        to: Option<String>,
    },
    /// Reads the value again and compares it.
    Read(usize),
}

impl Command {
    /// The index of the secret.
    pub fn member(&self) -> usize {
        match self {
            Self::Describe(member)
            | Self::Put { member, .. }
            | Self::Attach { member, .. }
            | Self::Create(member)
            | Self::Label { member, .. }
            | Self::Read(member) => *member,
        }
    }
}

/// The result of a command, about the secret at an index.
#[derive(Clone, Debug, Hash)]
pub enum Event {
    /// The result of [`Command::Describe`].
    Described(usize, Result<Labels, Failure>),
    /// The result of [`Command::Put`] and [`Command::Attach`]: the version, and its labels after the call.
    Put(usize, String, Vec<String>),
    /// The result of [`Command::Create`]: the version.
    Created(usize, String),
    /// The result of [`Command::Create`] if another writer has created the secret.
    Exists(usize),
    /// Writing a value or labeling a version failed. Includes the version if the write may have been applied anyway.
    WriteFailed(usize, Failure, Option<String>),
    /// The result of [`Command::Label`].
    Label(usize, Answer),
    /// The result of [`Command::Read`]: whether the value is still the requested one, and the labels of the current version.
    Read(usize, Result<(bool, Labels), Failure>),
    /// The command was not sent, because another command of the round failed.
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

/// The response to UpdateSecretVersionStage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It was applied.
    Applied,
    /// Another version holds the label, or none does. If the call was retried, its first attempt may have been applied.
    Lost {
        /// Whether there was more than one attempt.
        retried: bool,
        /// The failure to report if the label did not move.
        failure: Failure,
    },
    /// There was no response; the call may have been applied.
    NoAnswer(Failure),
    /// The call was rejected, and not applied.
    Rejected(Failure),
}

/// What the driver does next.
#[derive(Clone, Debug)]
pub enum Next {
    /// Observes and plans every secret, then calls [`super::Transaction::observed`].
    Observe,
    /// Waits for another run, then observes.
    WaitForOther {
        /// Whether the other run made progress, which restarts the wait.
        progress: bool,
    },
    /// Waits for its turn after a conflict, then observes.
    WaitForTurn,
    /// Runs commands concurrently.
    Round(Round),
    /// Reports the results and, after a commit, writes everything except the values.
    End(Ending),
}

/// Commands that run concurrently.
#[derive(Clone, Debug)]
pub struct Round {
    /// The verb for the progress line, as in "12 secrets staged".
    pub verb: &'static str,
    /// The commands, at most one per secret.
    pub commands: Vec<Command>,
    /// Whether unsent commands are skipped after a failure.
    pub stops: bool,
    /// Whether a command is resent, in which case the driver waits first.
    pub is_retry: bool,
}

/// The end of a transaction.
#[derive(Clone, Debug, Hash)]
pub struct Ending {
    /// Whether every new version is current.
    pub committed: bool,
    /// Whether versions of a killed run were rolled back.
    pub recovered: bool,
    /// Whether that run had secrets that this run does not have. They may still have the killed run's values.
    pub left_others: bool,
    /// A failure of the whole run, not of an individual secret.
    pub failure: Option<Failure>,
    /// The secrets from which private labels could not be removed.
    pub labeled: Vec<usize>,
    /// The result for each secret.
    pub members: Vec<MemberEnding>,
}

/// The result for one secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MemberEnding {
    /// The new version, if AWSCURRENT has moved to it or may have moved.
    pub written: Option<Written>,
    /// The failure of this secret.
    pub failure: Option<Failure>,
}

/// A new version that is or was current.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Written {
    /// It is the first version, which stays current.
    First(String),
    /// It is current; `from` was current before.
    Current {
        /// Its id.
        id: String,
        /// The version before.
        from: String,
    },
    /// It was current until another writer replaced it; `from` was current before.
    Replaced {
        /// Its id.
        id: String,
        /// The version before.
        from: String,
    },
    /// It was current until AWSCURRENT was moved back.
    RolledBack(String),
}
