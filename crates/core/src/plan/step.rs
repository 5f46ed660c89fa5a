//! The types of a plan, and the order of its steps. Must not decide which steps a plan has.

use std::collections::BTreeMap;

use super::document::Document;
use crate::notice::Level;
use crate::outcome::VersionRef;

/// Whether ValidateResourcePolicy can name the secret: the secret must exist and not be scheduled for deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nameable {
    /// It can.
    Yes,
    /// The policy is validated without a secret ID, which callers restricted to certain secrets may not do.
    No,
    /// The response shows whether it can.
    Unknown,
}

/// One step of a plan. Steps run in order, and a failure ends the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// CreateSecret with everything requested.
    Create {
        /// The steps if the name exists; `None` if DescribeSecret has shown that it does not. Without steps, nothing is written
        /// to an existing secret, and the run observes again.
        otherwise: Option<Vec<Step>>,
        /// Whether the secret has no version, so that success means "created".
        vacant: bool,
    },
    /// RestoreSecret; then the run observes again.
    Restore,
    /// A delay until DescribeSecret shows what this run has done; afterward, the run observes again.
    Wait,
    /// UpdateSecret: description and key in one call, before the value, so that the new version uses the new key.
    Update {
        /// Whether it writes the description.
        description: bool,
        /// Whether it writes the KMS key.
        kms_key: bool,
    },
    /// A delay while another run is about to move AWSCURRENT; afterward, the run observes again.
    Yield,
    /// PutSecretValue with the request's first label.
    Put {
        /// The holder of that label; `None` if no version holds it, or the holder cannot be read.
        base: Option<String>,
    },
    /// PutSecretValue with a private label, then a move of AWSCURRENT that fails unless `base` still holds it.
    Swap {
        /// The holder of AWSCURRENT; `None` if the secret has no version.
        base: Option<String>,
    },
    /// A move of another requested label to the version that holds the value.
    Label {
        /// The label.
        label: String,
        /// Its holder.
        from: Option<String>,
    },
    /// Removal of private labels that killed runs left behind; each with the version that holds it.
    Sweep(Vec<(String, String)>),
    /// RemoveRegionsFromReplication.
    Unreplicate(Vec<String>),
    /// ReplicateSecretToRegions: regions and their KMS keys.
    Replicate(BTreeMap<String, Option<String>>),
    /// A wait until the replicas in these regions are in sync, or one has failed.
    AwaitReplicas(Vec<String>),
    /// ValidateResourcePolicy; an invalid policy ends the run. It precedes all writes, including those of other secrets in a
    /// transaction.
    CheckPolicy(Nameable),
    /// PutResourcePolicy, after the validation if that was not possible earlier.
    SetPolicy,
    /// UntagResource.
    Untag(Vec<String>),
    /// TagResource.
    Tag(BTreeMap<String, String>),
}

impl Step {
    /// Whether the step changes the secret for its users.
    pub const fn changes(&self) -> bool {
        !matches!(
            self,
            Self::Wait
                | Self::Yield
                | Self::Sweep(_)
                | Self::CheckPolicy(_)
                | Self::AwaitReplicas(_)
        )
    }

    /// Whether the step would do nothing.
    fn is_empty(&self) -> bool {
        match self {
            Self::Update {
                description,
                kms_key,
            } => !description && !kms_key,
            Self::Sweep(labels) => labels.is_empty(),
            Self::Replicate(regions) => regions.is_empty(),
            Self::Unreplicate(names) | Self::AwaitReplicas(names) | Self::Untag(names) => {
                names.is_empty()
            }
            Self::Tag(tags) => tags.is_empty(),
            _ => false,
        }
    }

    /// The position relative to other steps: first, steps that can reject the run; then what the new version depends on, the
    /// version, and what depends on it; the slowest last.
    const fn rank(&self) -> u8 {
        match self {
            Self::CheckPolicy(_) => 0,
            Self::Create { .. } | Self::Restore | Self::Wait | Self::Yield => 1,
            Self::Sweep(_) => 2,
            Self::Update { .. } => 3,
            Self::Put { .. } | Self::Swap { .. } => 4,
            Self::Unreplicate(_) => 5,
            Self::Replicate(_) => 6,
            // In the order in which they are added.
            Self::Tag(_) | Self::Untag(_) => 7,
            Self::SetPolicy => 8,
            Self::Label { .. } => 9,
            Self::AwaitReplicas(_) => 10,
        }
    }
}

/// The steps of a run, and the version that needs no write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The version that already holds the value, or that `if-exists: skip` leaves unchanged.
    pub keep: Option<VersionRef>,
    /// The document to write instead of the request's value.
    pub document: Option<Document>,
    /// Notices and warnings for the user.
    pub notices: Vec<(Level, String)>,
}

impl Plan {
    pub(super) fn of(steps: Vec<Step>) -> Self {
        Self {
            steps,
            ..Self::default()
        }
    }

    /// Inserts a step by rank, after those of the same rank, unless it would do nothing.
    pub(super) fn add(&mut self, step: Step) {
        if step.is_empty() {
            return;
        }
        let at = self
            .steps
            .iter()
            .take_while(|other| other.rank() <= step.rank())
            .count();
        self.steps.insert(at, step);
    }

    pub(super) fn add_all(&mut self, steps: impl IntoIterator<Item = Step>) {
        for step in steps {
            self.add(step);
        }
    }

    pub(super) fn keep_id(&self) -> Option<&str> {
        self.keep.as_ref().map(|version| version.id.as_str())
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.notices.push((Level::Notice, text.into()));
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.notices.push((Level::Warning, text.into()));
    }
}
