//! What a plan is made of, and the order of its steps.

use std::collections::BTreeMap;

use super::document::Document;
use crate::notice::Level;
use crate::outcome::VersionRef;

/// One thing to do. Steps are done in order, each only if the one before it succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// CreateSecret with everything that is asked. `otherwise` is what to do, unseen, where the name
    /// turns out to exist; without it: look again.
    Create {
        /// Blind mode's steps.
        otherwise: Option<Vec<Step>>,
        /// Whether no version can exist, so that an answer of success means "created".
        vacant: bool,
    },
    /// RestoreSecret; then look again.
    Restore,
    /// Nothing, for a moment: AWS has not caught up with what was done. Then look again.
    Wait,
    /// UpdateSecret: description and key in one call, before the value, so that the new version
    /// uses the new key.
    Update {
        /// To be written.
        description: bool,
        /// To be written.
        kms_key: bool,
    },
    /// Nothing, for a moment: another run is about to move AWSCURRENT. Then look again.
    Yield,
    /// PutSecretValue under the request's first label.
    Put {
        /// The holder of that label; `None` is "nobody, or nobody we can see".
        base: Option<String>,
    },
    /// PutSecretValue under a private label, then AWSCURRENT moved from `base`, and only from it.
    Swap {
        /// The holder of AWSCURRENT; `None` where the secret has no version.
        base: Option<String>,
    },
    /// A further label for the version that holds the value.
    Label {
        /// The label.
        label: String,
        /// Who holds it.
        from: Option<String>,
    },
    /// Private labels, and the versions that hold them, of runs that ended without dropping them.
    Sweep(Vec<(String, String)>),
    /// RemoveRegionsFromReplication.
    Unreplicate(Vec<String>),
    /// ReplicateSecretToRegions: regions, and the keys there.
    Replicate(BTreeMap<String, Option<String>>),
    /// DescribeSecret until the replicas in these regions are in sync, or one has failed.
    AwaitReplicas(Vec<String>),
    /// ValidateResourcePolicy; nothing is written where it finds fault.
    CheckPolicy,
    /// PutResourcePolicy.
    SetPolicy,
    /// UntagResource; before tagging, because a secret has at most 50 tags.
    Untag(Vec<String>),
    /// TagResource.
    Tag(BTreeMap<String, String>),
}

impl Step {
    /// Whether it changes the secret for those who use it.
    #[must_use]
    pub const fn changes(&self) -> bool {
        !matches!(
            self,
            Self::Wait | Self::Yield | Self::Sweep(_) | Self::CheckPolicy | Self::AwaitReplicas(_)
        )
    }

    /// Where it comes among the others. What may refuse comes first, then what the new version builds on, the
    /// version, and what comes from it; what takes long is last.
    const fn rank(&self) -> u8 {
        match self {
            Self::Create { .. } | Self::Restore | Self::Wait | Self::Yield => 0,
            Self::CheckPolicy => 1,
            Self::Sweep(_) => 2,
            Self::Update { .. } => 3,
            Self::Put { .. } | Self::Swap { .. } => 4,
            Self::Unreplicate(_) => 5,
            Self::Replicate(_) => 6,
            Self::Untag(_) => 7,
            Self::Tag(_) => 8,
            Self::SetPolicy => 9,
            Self::Label { .. } => 10,
            Self::AwaitReplicas(_) => 11,
        }
    }
}

/// What to do, and what holds already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In order.
    pub steps: Vec<Step>,
    /// The version that holds the value already, or that `if-exists: skip` leaves alone.
    pub keep: Option<VersionRef>,
    /// What is written, where it is not the request's value as it stands.
    pub document: Option<Document>,
    /// What people should know.
    pub notices: Vec<(Level, String)>,
}

impl Plan {
    pub(super) fn of(steps: Vec<Step>) -> Self {
        Self {
            steps,
            ..Self::default()
        }
    }

    /// Adds a step where it belongs, after others of its kind.
    pub(super) fn add(&mut self, step: Step) {
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

    /// The version that holds the value already.
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
