//! Checked requests: the desired state of a secret, or a move of its labels. The config crate checks inputs; nothing here
//! does.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::choices::{
    Compare, IfExists, OnRotation, OnScheduledDeletion, ReplicaPolicy, TagPolicy,
};
use crate::json;
pub use crate::json::JsonKey;
use crate::labels::CURRENT;
use crate::resource_policy::ResourcePolicy;
use crate::target::Target;
use crate::value::{SecretBytes, SecretValue};
use crate::version_id::TokenScope;

/// The desired state of one secret. `None` leaves the current state.
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
    /// What happens to tags that are not listed.
    pub tag_policy: TagPolicy,
    /// Replica regions and, if given, their KMS keys.
    pub replicas: Option<BTreeMap<String, Option<String>>>,
    /// What happens to replicas that are not listed.
    pub replica_policy: ReplicaPolicy,
    /// The resource policy.
    pub policy: Option<ResourcePolicy>,
    /// Whether that policy may be public.
    pub allow_public_policy: bool,
    /// What happens if there is a current value.
    pub if_exists: IfExists,
    /// Whether the current value is read.
    pub compare: Compare,
    /// The key that derives version ids from values.
    pub version_id_key: Option<Arc<SecretBytes>>,
    /// What happens to a secret that is scheduled for deletion.
    pub on_scheduled_deletion: OnScheduledDeletion,
    /// What happens to a secret with rotation.
    pub on_rotation: OnRotation,
    /// The labels of the version, by default only [`CURRENT`], which is first wherever it is listed. The value is compared
    /// with the holder of the first label, and written under it.
    pub stages: Vec<String>,
    /// The version that must be current for anything to be written.
    pub expected: Option<String>,
    /// The keys to set in a JSON object. If there are none, the whole value is written.
    pub json: Vec<JsonKey>,
    /// Whether the value is a JSON document composed of parts, for which an equal document is no difference.
    pub composed: bool,
    /// Whether the value is only written to a secret without one.
    pub seeds: bool,
}

impl Request {
    /// The first label, whose holder is compared and under which the value is written.
    pub fn label(&self) -> &str {
        self.stages.first().map_or(CURRENT, String::as_str)
    }

    /// Whether a stored value, if there is one, is the desired one.
    pub(crate) fn is_met_by(&self, stored: Option<&SecretValue>) -> bool {
        stored.is_some_and(|stored| {
            *stored == self.value
                || self.composed
                    && stored.kind() == self.value.kind()
                    && json::is_equal_json(self.value.expose(), stored.expose())
        })
    }

    /// Whether the current value is read and compared. A value that is left alone is not.
    pub fn reads(&self) -> bool {
        self.compare != Compare::Never && self.if_exists == IfExists::Update && !self.seeds
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

    /// What the tokens of this request's writes identify.
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

/// A move of AWSCURRENT between versions that exist.
pub struct LabelMove {
    /// The secret.
    pub target: Target,
    /// The version that AWSCURRENT moves to.
    pub direction: Direction,
    /// The version that must be current before the move.
    pub expected: Option<String>,
    /// What happens to a secret with rotation.
    pub on_rotation: OnRotation,
}

/// The version that becomes current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The selected one.
    Promote(VersionSelector),
    /// The previous version, if it is older than the current one.
    Rollback,
}

/// A version, by label or id.
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
            request.composed = composed;
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
