//! What a run can change, and the line that tells it.

use std::fmt;

/// Something that this run changed; one line of the report each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The secret was created, with these parts.
    Created {
        /// With a description.
        description: bool,
        /// With a key.
        kms_key: bool,
        /// With so many tags.
        tags: usize,
        /// With so many replicas.
        replicas: usize,
    },
    /// It was taken back from deletion.
    Restored,
    /// The description was written.
    Description,
    /// The key was written.
    KmsKey(String),
    /// A version was written under a label.
    Version {
        /// Its id.
        id: String,
        /// The label.
        label: String,
    },
    /// A label was moved to a version that existed and holds the value.
    Moved {
        /// Its id.
        id: String,
        /// The label.
        label: String,
    },
    /// A version got a label besides.
    Labeled {
        /// Its id.
        id: String,
        /// The label.
        label: String,
    },
    /// `promote`: the version is current now.
    Promoted(String),
    /// `rollback`: the version is current again.
    RolledBack(String),
    /// A version was written, and somebody wrote the same value right after it.
    Superseded {
        /// Ours.
        ours: String,
        /// Theirs, which is current.
        by: String,
    },
    /// A version was made current, and taken back because others could not be.
    Reverted(String),
    /// Tags were written: their keys.
    Tagged(Vec<String>),
    /// Tags were removed: their keys.
    Untagged(Vec<String>),
    /// Replicas were asked for, in these regions.
    Replicated(Vec<String>),
    /// Replicas were removed, in these regions.
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
                let mut parts = Vec::new();
                if *description {
                    parts.push("a description".to_owned());
                }
                if *kms_key {
                    parts.push("a KMS key".to_owned());
                }
                for (number, one) in [(*tags, "tag"), (*replicas, "replica")] {
                    match number {
                        0 => {}
                        1 => parts.push(format!("1 {one}")),
                        more => parts.push(format!("{more} {one}s")),
                    }
                }
                match &parts[..] {
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
            Self::Reverted(id) => write!(
                f,
                "made version {id} AWSCURRENT, and took that back because not all could be"
            ),
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
