//! The changes that a run can make to a secret, each with its line in the report. Must not print.

use std::fmt;

use crate::request::{Direction, LabelMove};

/// A change to a secret, in one line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The secret was created.
    Created {
        /// Whether it was given a description.
        description: bool,
        /// Whether it was given a KMS key.
        kms_key: bool,
        /// The number of its tags.
        tags: usize,
        /// The number of its replicas.
        replicas: usize,
        /// The keys of its JSON document that were set.
        keys: Vec<String>,
    },
    /// The secret was restored from a scheduled deletion.
    Restored,
    /// The description was written.
    Description,
    /// The KMS key was written.
    KmsKey(String),
    /// A version was written with a label.
    Version {
        /// Its id.
        id: String,
        /// The label.
        label: String,
        /// The keys of a JSON document that were set; empty if a complete value was written.
        keys: Vec<String>,
    },
    /// A label was moved to an existing version that holds the value.
    Moved {
        /// Its id.
        id: String,
        /// The label.
        label: String,
    },
    /// A version was given another label.
    Labeled {
        /// Its id.
        id: String,
        /// The label.
        label: String,
    },
    /// `promote` made the version current.
    Promoted(String),
    /// `rollback` made the version current again.
    RolledBack(String),
    /// A version was written, but another writer's version with the same value is current.
    Superseded {
        /// The version of this run.
        ours: String,
        /// The current version.
        by: String,
    },
    /// A version was given a label, and a later write has replaced it.
    Overtaken {
        /// Its id.
        id: String,
        /// The label.
        label: String,
    },
    /// A version was made current, then rolled back because the transaction failed.
    Reverted(String),
    /// Tags with these keys were written.
    Tagged(Vec<String>),
    /// Tags with these keys were removed.
    Untagged(Vec<String>),
    /// Replication to these regions was requested.
    Replicated(Vec<String>),
    /// The replicas in these regions were removed.
    Unreplicated(Vec<String>),
    /// The resource policy was written.
    Policy,
}

impl Change {
    /// The change for moving AWSCURRENT to a version.
    pub fn of_move(label_move: &LabelMove, id: &str) -> Self {
        let id = id.to_owned();
        match label_move.direction {
            Direction::Promote(_) => Self::Promoted(id),
            Direction::Rollback | Direction::Undo { .. } | Direction::Stay => Self::RolledBack(id),
        }
    }

    /// Whether this change made the version current.
    pub fn made_current(&self, version: &str) -> bool {
        match self {
            Self::Version { id, .. } | Self::Promoted(id) | Self::RolledBack(id) => id == version,
            _ => false,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created {
                description,
                kms_key,
                tags,
                replicas,
                keys,
            } => {
                let parts = [
                    (!keys.is_empty()).then(|| key_list(keys)),
                    description.then(|| "a description".to_owned()),
                    kms_key.then(|| "a KMS key".to_owned()),
                    (*tags > 0).then(|| counted(*tags, "tag")),
                    (*replicas > 0).then(|| counted(*replicas, "replica")),
                ];
                match &parts.into_iter().flatten().collect::<Vec<_>>()[..] {
                    [] => write!(f, "created the secret"),
                    [one] => write!(f, "created the secret with {one}"),
                    [rest @ .., last] => {
                        write!(f, "created the secret with {} and {last}", rest.join(", "))
                    }
                }
            }
            Self::Restored => write!(f, "restored the secret, which was scheduled for deletion"),
            Self::Description => write!(f, "wrote the description"),
            Self::KmsKey(key) => write!(f, "wrote the KMS key: {key}"),
            Self::Version { id, label, keys } if keys.is_empty() => {
                write!(f, "wrote the value as version {id}, now {label}")
            }
            Self::Version { id, label, keys } => {
                write!(f, "set {} in version {id}, now {label}", key_list(keys))
            }
            Self::Moved { id, label } => {
                write!(f, "moved {label} to version {id}, which holds the value")
            }
            Self::Labeled { id, label } => write!(f, "added the label {label} to version {id}"),
            Self::Promoted(id) => write!(f, "made version {id} AWSCURRENT"),
            Self::RolledBack(id) => write!(f, "made version {id} AWSCURRENT again"),
            Self::Superseded { ours, by } => write!(
                f,
                "wrote the value as version {ours}; version {by}, written right after it, holds the same value and is AWSCURRENT"
            ),
            Self::Overtaken { id, label } => {
                write!(
                    f,
                    "made version {id} {label}, which a later write has replaced"
                )
            }
            Self::Reverted(id) => write!(f, "made version {id} AWSCURRENT and rolled it back"),
            Self::Tagged(keys) => write!(f, "wrote tags: {}", keys.join(", ")),
            Self::Untagged(keys) => write!(f, "removed tags: {}", keys.join(", ")),
            Self::Replicated(regions) => {
                write!(f, "replicated the secret to {}", regions.join(", "))
            }
            Self::Unreplicated(regions) => {
                write!(f, "removed the replicas in {}", regions.join(", "))
            }
            Self::Policy => write!(f, "wrote the resource policy"),
        }
    }
}

/// The maximum number of keys listed by name.
const MAX_KEYS: usize = 5;

/// The keys of a document as given, so that `database.password` is not mistaken for a path.
fn key_list(keys: &[String]) -> String {
    match keys {
        [key] => format!("the key `{key}`"),
        keys if keys.len() <= MAX_KEYS => format!("the keys `{}`", keys.join("`, `")),
        keys => counted(keys.len(), "key"),
    }
}

/// A number of things: `1 tag`, `2 tags`.
pub fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
