//! What a run is asked to make true of one secret. Everything in these types has been checked; checking is for the config
//! crate.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::choices::{
    Compare, IfExists, OnRotation, OnScheduledDeletion, ReplicaPolicy, TagPolicy,
};
use crate::json::{self, JsonText, KeyEdit, KeyPath};
use crate::labels::CURRENT;
use crate::resource_policy::ResourcePolicy;
use crate::target::Target;
use crate::value::{SecretBytes, SecretValue};
use crate::version_id::TokenScope;

/// The desired state of one secret. `None` means "leave as it is".
pub struct Request {
    /// Which secret.
    pub target: Target,
    /// The value.
    pub value: SecretValue,
    /// The description.
    pub description: Option<String>,
    /// The KMS key, as given.
    pub kms_key_id: Option<String>,
    /// Tags.
    pub tags: Option<BTreeMap<String, String>>,
    /// What happens to tags that are not listed.
    pub tag_policy: TagPolicy,
    /// Replica regions, and the keys there where they are given.
    pub replicas: Option<BTreeMap<String, Option<String>>>,
    /// What happens to replicas that are not listed.
    pub replica_policy: ReplicaPolicy,
    /// The resource policy.
    pub policy: Option<ResourcePolicy>,
    /// Whether that policy may be public.
    pub allow_public_policy: bool,
    /// What happens where there is a value already.
    pub if_exists: IfExists,
    /// Whether the current value is read.
    pub compare: Compare,
    /// Keys version ids to values.
    pub version_id_key: Option<Arc<SecretBytes>>,
    /// What happens to a secret that is scheduled for deletion.
    pub on_scheduled_deletion: OnScheduledDeletion,
    /// What happens to a secret with rotation.
    pub on_rotation: OnRotation,
    /// The labels that the version gets. The first is the one that is compared and written with the value; [`CURRENT`]
    /// alone by default.
    pub stages: Vec<String>,
    /// The version that must be current for anything to be written.
    pub expected: Option<String>,
    /// The keys of a JSON object that are set; without any, the value is stored as it is.
    pub json: Vec<JsonKey>,
    /// Whether the value is a JSON document composed of parts, so that an equal document is as good.
    pub composed: bool,
    /// Whether the value is only for a secret that has none yet.
    pub seeds: bool,
}

impl Request {
    /// The label that the value is compared with and written under.
    #[must_use]
    pub fn label(&self) -> &str {
        self.stages.first().map_or(CURRENT, String::as_str)
    }

    /// Whether a stored value is the desired one.
    #[must_use]
    pub fn is_met_by(&self, stored: &SecretValue) -> bool {
        stored.same_as(&self.value)
            || self.composed
                && stored.kind() == self.value.kind()
                && json::is_equal_json(self.value.expose(), stored.expose())
    }

    /// Whether the current value has to be compared. Where an existing value is left alone its content does not matter.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.compare != Compare::Never && self.if_exists == IfExists::Update && !self.seeds
    }

    /// Whether the value is written by compare-and-swap.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.label() == CURRENT && (self.expected.is_some() || !self.json.is_empty() || self.seeds)
    }

    /// Whether DescribeSecret has to be allowed.
    #[must_use]
    pub fn needs_describe(&self) -> bool {
        self.tag_policy == TagPolicy::Replace
            || self.replicas.is_some()
            || self.expected.is_some()
            || !self.json.is_empty()
            || self.seeds
            || self.stages.iter().any(|stage| stage != CURRENT)
    }

    /// What the tokens of this request's writes are made from.
    #[must_use]
    pub fn token_scope<'a>(&'a self, region: &'a str) -> TokenScope<'a> {
        TokenScope {
            name: &self.target.name,
            region,
            labels: &self.stages,
            json_keys: self.json.iter().map(|json| json.path.to_string()).collect(),
            key: self.version_id_key.as_deref(),
        }
    }
}

/// A key of a JSON object and what it is set to.
pub struct JsonKey {
    /// Where in the document.
    pub path: KeyPath,
    /// The value, as JSON.
    pub text: JsonText,
    /// Whether it is only for a document that does not have the key yet.
    pub seeds: bool,
}

impl JsonKey {
    /// The edit of the document.
    #[must_use]
    pub fn edit(&self) -> KeyEdit<'_> {
        KeyEdit {
            path: &self.path,
            value: &self.text,
            only_if_absent: self.seeds,
        }
    }
}

/// A move of AWSCURRENT between versions that exist.
pub struct LabelMove {
    /// Which secret.
    pub target: Target,
    /// To which version.
    pub direction: Direction,
    /// The version that must be current before the move.
    pub expected: Option<String>,
    /// What happens to a secret with rotation.
    pub on_rotation: OnRotation,
}

/// Which version becomes current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The selected one.
    Promote(VersionSelector),
    /// The one that was current before, if it is the older one.
    Rollback,
}

/// How a version is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionSelector {
    /// The version that holds this label.
    Stage(String),
    /// The version with this id.
    Version(String),
}

/// What is asked of one secret.
pub enum Job {
    /// `upsert`
    Upsert(Box<Request>),
    /// `promote`, `rollback`
    Move(Box<LabelMove>),
}

impl Job {
    /// Which secret.
    #[must_use]
    pub fn target(&self) -> &Target {
        match self {
            Self::Upsert(request) => &request.target,
            Self::Move(label_move) => &label_move.target,
        }
    }
}
