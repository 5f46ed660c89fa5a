//! The changes that a run can make to a secret, each with its line in the report. It prints nothing.

use std::fmt;

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
    },
    /// The secret was restored from a scheduled deletion.
    Restored,
    /// The description was written.
    Description,
    /// The KMS key was written.
    KmsKey(String),
    /// A version was written under a label.
    Version {
        /// Its id.
        id: String,
        /// The label.
        label: String,
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
    /// A version was written, and another writer's version with the same value is current.
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
    /// A version was made current and rolled back, because the transaction failed.
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

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created {
                description,
                kms_key,
                tags,
                replicas,
            } => {
                let parts = [
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
            Self::Version { id, label } => {
                write!(f, "wrote the value as version {id}, now {label}")
            }
            Self::Moved { id, label } => {
                write!(f, "moved {label} to version {id}, which holds the value")
            }
            Self::Labeled { id, label } => write!(f, "gave version {id} the label {label}"),
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
            Self::Replicated(regions) => write!(f, "replicated it to {}", regions.join(", ")),
            Self::Unreplicated(regions) => {
                write!(f, "removed the replicas in {}", regions.join(", "))
            }
            Self::Policy => write!(f, "wrote the resource policy"),
        }
    }
}

/// A number of things: `1 tag`, `2 tags`.
pub(crate) fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
