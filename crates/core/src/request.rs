//! Checked requests: the desired state of a secret, or a move of its labels. Must not check inputs; the config crate does.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::choices::{
    Compare, IfExists, OnRotation, OnScheduledDeletion, ReplicaPolicy, TagPolicy,
};
pub use crate::json::JsonKey;
use crate::json::{self, KeyPath};
use crate::labels::CURRENT;
use crate::resource_policy::ResourcePolicy;
use crate::store::{Asked, Subject};
use crate::target::Target;
use crate::value::{SecretBytes, SecretValue};
use crate::version_id::TokenScope;

/// The desired state of one secret. `None` keeps the current state.
pub struct Request {
    /// The secret.
    pub target: Target,
    /// The value.
    pub value: SecretValue,
    /// The description.
    pub description: Option<String>,
    /// The KMS key, as given.
    pub kms_key_id: Option<String>,
    /// Tags.
    pub tags: Option<BTreeMap<String, String>>,
    /// How to handle tags that are not listed.
    pub tag_policy: TagPolicy,
    /// Replica regions and, if given, their KMS keys.
    pub replicas: Option<BTreeMap<String, Option<String>>>,
    /// How to handle replicas that are not listed.
    pub replica_policy: ReplicaPolicy,
    /// The resource policy.
    pub policy: Option<ResourcePolicy>,
    /// Whether the policy may grant public access.
    pub allow_public_policy: bool,
    /// What to do if there is a current value.
    pub if_exists: IfExists,
    /// Whether the current value is read.
    pub compare: Compare,
    /// The key for deriving version IDs from values.
    pub version_id_key: Option<Arc<SecretBytes>>,
    /// What to do with a secret that is scheduled for deletion.
    pub on_scheduled_deletion: OnScheduledDeletion,
    /// What to do with a secret that has rotation enabled.
    pub on_rotation: OnRotation,
    /// The labels of the version, by default only [`CURRENT`], which comes first if it is listed. The value is compared with
    /// the holder of the first label, and written with that label.
    pub stages: Vec<String>,
    /// The version that must be current before anything is written.
    pub expected: Option<String>,
    /// The keys to set in a JSON object. If empty, the complete value is written.
    pub json: Vec<JsonKey>,
    /// The keys of a value that is a JSON document composed of parts, for which an equal document is not a difference; empty
    /// for any other value.
    pub composed: Vec<KeyPath>,
    /// Whether the value is only written to a secret that has none.
    pub seeds: bool,
}

impl Request {
    /// The first label. The value is compared with its holder and written with it.
    pub fn label(&self) -> &str {
        self.stages.first().map_or(CURRENT, String::as_str)
    }

    /// Whether a stored value exists and is the desired one.
    pub fn is_met_by(&self, stored: Option<&SecretValue>) -> bool {
        stored.is_some_and(|stored| {
            *stored == self.value
                || !self.composed.is_empty()
                    && stored.kind() == self.value.kind()
                    && json::is_equal_json(self.value.expose(), stored.expose())
        })
    }

    /// Whether the current value is read and compared. A value that is left unchanged is not.
    pub fn reads(&self) -> bool {
        self.compare != Compare::Never && self.if_exists == IfExists::Update && !self.seeds
    }

    /// Whether the value is staged without becoming current.
    pub fn is_staged(&self) -> bool {
        self.label() != CURRENT
    }

    /// Whether the value is written by compare-and-swap.
    pub fn is_guarded(&self) -> bool {
        self.label() == CURRENT
            && (self.expected.is_some()
                || !self.json.is_empty()
                || self.seeds
                || self.if_exists == IfExists::Skip)
    }

    /// Whether the request needs permission for DescribeSecret.
    pub(crate) fn needs_describe(&self) -> bool {
        self.tag_policy == TagPolicy::Replace
            || self.replicas.is_some()
            || self.expected.is_some()
            || !self.json.is_empty()
            || self.seeds
            || self.stages.iter().any(|stage| stage != CURRENT)
    }

    /// The secret, and the inputs needed for a diagnosis.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            asked: Asked {
                kms_key_id: self.kms_key_id.as_deref(),
                has_tags: self.tags.is_some(),
            },
            ..Subject::new(&self.target.id, &self.target.name)
        }
    }

    /// The keys of the document that the request composes or edits; empty if the request is about a complete value.
    pub(crate) fn named_keys(&self) -> Vec<&KeyPath> {
        let edited = self.json.iter().map(|json| &json.path);
        edited.chain(&self.composed).collect()
    }

    /// The keys of a JSON object that a write sets. Seeds may already exist.
    pub fn written_keys(&self) -> Vec<String> {
        let written = self.json.iter().filter(|json| !json.seeds);
        written.map(|json| json.path.to_string()).collect()
    }

    /// The scope of the tokens for this request's writes.
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

/// A move of AWSCURRENT between existing versions.
pub struct LabelMove {
    /// The secret.
    pub target: Target,
    /// The version that AWSCURRENT moves to.
    pub direction: Direction,
    /// The version that must be current before the move.
    pub expected: Option<String>,
    /// What to do with a secret that has rotation enabled.
    pub on_rotation: OnRotation,
    /// Whether the labels of the current version may be read together with its value, 20 secrets per call.
    pub reads: bool,
}

impl LabelMove {
    /// Whether the current version, which has these labels, is known to need no move.
    pub fn is_settled_by(&self, stages: &[String]) -> bool {
        match &self.direction {
            Direction::Promote(VersionSelector::Stage(label)) => stages.contains(label),
            _ => false,
        }
    }

    /// The secret, for a diagnosis.
    pub fn subject(&self) -> Subject<'_> {
        Subject::new(&self.target.id, &self.target.name)
    }
}

/// The version that becomes current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The selected one.
    Promote(VersionSelector),
    /// The previous version, if it is older than the current one.
    Rollback,
    /// The version that was current before a release, if the release's version is current.
    Undo {
        /// The version that the release made current.
        from: String,
        /// The version before.
        to: String,
    },
    /// No version: the secret is only observed, because an unfinished transaction includes it.
    Stay,
}

/// A version, by label or ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionSelector {
    /// The version that holds this label.
    Stage(String),
    /// The version with this id.
    Version(String),
}

/// The job of a run for one secret.
pub enum Job {
    /// `upsert`
    Upsert(Box<Request>),
    /// `promote`, `rollback`
    Move(Box<LabelMove>),
}

impl Job {
    /// The secret.
    pub fn target(&self) -> &Target {
        match self {
            Self::Upsert(request) => &request.target,
            Self::Move(label_move) => &label_move.target,
        }
    }

    /// The secret, and the inputs needed for a diagnosis.
    pub fn subject(&self) -> Subject<'_> {
        match self {
            Self::Upsert(request) => request.subject(),
            Self::Move(label_move) => label_move.subject(),
        }
    }

    /// Whether current versions may be read 20 secrets per call.
    pub fn reads(&self) -> bool {
        match self {
            Self::Upsert(request) => request.reads(),
            Self::Move(label_move) => label_move.reads,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{label_move, request};
    use crate::value::{Kind, SecretBytes};

    #[test]
    fn composed_document_is_met_by_an_equal_one() {
        let document = r#"{"a":1,"b":2}"#;
        let other_order = r#"{ "b": 2, "a": 1 }"#;
        let cases = [
            (true, document, Kind::String, true),
            (true, other_order, Kind::String, true),
            (true, other_order, Kind::Binary, false),
            (true, r#"{"a":1}"#, Kind::String, false),
            (false, document, Kind::String, true),
            (false, other_order, Kind::String, false),
        ];
        for (composed, stored, kind, wanted) in cases {
            let mut request = request(&[("VALUE", document)]);
            request.composed = match composed {
                true => vec![KeyPath::parse("a").unwrap()],
                false => Vec::new(),
            };
            let stored_value = SecretValue::stored(SecretBytes::new(stored.into()), kind);
            assert_eq!(
                request.is_met_by(Some(&stored_value)),
                wanted,
                "{composed} {stored} {kind:?}"
            );
            assert!(!request.is_met_by(None));
        }
    }

    #[test]
    fn seed_is_guarded_and_reads_no_value() {
        let mut request = request(&[]);
        assert!(request.reads() && !request.is_guarded() && !request.needs_describe());
        request.seeds = true;
        assert!(!request.reads() && request.is_guarded() && request.needs_describe());
        request.stages = vec!["blue".to_owned()];
        assert!(!request.is_guarded());
    }

    #[test]
    fn job_has_the_target_of_its_request() {
        let upsert = Job::Upsert(Box::new(request(&[("NAME", "prod/b")])));
        let promote = Job::Move(Box::new(label_move(true, &[])));
        assert_eq!(upsert.target().name, "prod/b");
        assert_eq!(promote.target().name, "a");
    }
}
