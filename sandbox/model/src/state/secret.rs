//! A secret: its metadata, versions and replicas. How staging labels move is in `staging.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::SystemTime,
};

/// The value of a version. A string and a binary value with the same bytes are different.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Content {
    String(Arc<str>),
    Binary(Arc<[u8]>),
}

#[derive(Clone)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) stages: BTreeSet<String>,
    pub(crate) content: Content,
    pub(crate) created: SystemTime,
    pub(crate) kms_key_id: Option<String>,
    pub(crate) accessed: Option<SystemTime>,
}

#[derive(Clone, Copy)]
pub(crate) struct Deletion {
    /// The end of the recovery window.
    pub(crate) due: SystemTime,
}

/// The replicas of a primary, or the primary of a replica.
#[derive(Clone)]
pub(crate) enum Origin {
    Primary(Vec<Replica>),
    ReplicaOf(String),
}

#[derive(Clone)]
pub(crate) struct Replica {
    pub(crate) region: String,
    pub(crate) kms_key_id: Option<String>,
    pub(crate) progress: Progress,
}

/// The state of a replica. Its secret exists once it is in sync, and follows the primary from then on.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    Copying {
        /// How often DescribeSecret of the primary still reports `InProgress`.
        left: usize,
        /// Whether the replica replaces an existing secret with its name.
        overwrite: bool,
    },
    InSync,
    /// The reason, as `StatusMessage` shows it.
    Failed(String),
}

impl Replica {
    /// The status in `ReplicationStatus`.
    pub(crate) fn status(&self) -> &'static str {
        match self.progress {
            Progress::Copying { .. } => "InProgress",
            Progress::InSync => "InSync",
            Progress::Failed(_) => "Failed",
        }
    }

    pub(crate) fn message(&self) -> Option<&str> {
        match &self.progress {
            Progress::Failed(message) => Some(message),
            _ => None,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Secret {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) kms_key_id: Option<String>,
    /// `None` until the first tag: until then, responses omit the field; it is `[]` once all tags are removed.
    pub(crate) tags: Option<BTreeMap<String, String>>,
    /// Oldest first, including versions without staging labels.
    pub(crate) versions: Vec<Version>,
    pub(crate) created: SystemTime,
    pub(crate) changed: SystemTime,
    pub(crate) accessed: Option<SystemTime>,
    pub(crate) deletion: Option<Deletion>,
    pub(crate) rotation: Option<bool>,
    pub(crate) owning_service: Option<String>,
    pub(crate) origin: Origin,
    /// The resource policy, as the request sent it.
    pub(crate) policy: Option<String>,
}

impl Secret {
    pub(crate) fn new(arn: String, name: &str, now: SystemTime) -> Self {
        Self {
            arn,
            name: name.to_owned(),
            description: None,
            kms_key_id: None,
            tags: None,
            versions: Vec::new(),
            created: now,
            changed: now,
            accessed: None,
            deletion: None,
            rotation: None,
            owning_service: None,
            origin: Origin::Primary(Vec::new()),
            policy: None,
        }
    }

    pub(crate) fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    pub(crate) fn holder(&self, stage: &str) -> Option<&Version> {
        let mut versions = self.versions.iter();
        versions.find(|version| version.stages.contains(stage))
    }

    /// Whether the secret still exists at this time: its recovery window, if any, has not ended.
    pub(crate) fn survives(&self, now: SystemTime) -> bool {
        self.deletion.is_none_or(|deletion| deletion.due > now)
    }

    pub(crate) fn is_replica(&self) -> bool {
        matches!(self.origin, Origin::ReplicaOf(_))
    }

    pub(crate) fn replicas(&self) -> &[Replica] {
        match &self.origin {
            Origin::Primary(replicas) => replicas,
            Origin::ReplicaOf(_) => &[],
        }
    }

    pub(crate) fn replicas_mut(&mut self) -> &mut [Replica] {
        match &mut self.origin {
            Origin::Primary(replicas) => replicas,
            Origin::ReplicaOf(_) => &mut [],
        }
    }
}
