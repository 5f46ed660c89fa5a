//! Inputs checked: names, limits, encodings, regions, the SDK's own variables. Everything that can
//! be refused without a network is refused here, every message names the input as the user wrote
//! it, and none quotes a value. No AWS in this room.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::failure::Failure;
use crate::inputs::{Environment, RawInputs};
use crate::json;
use crate::policy::Policy;
use crate::value::{Kind, SecretBytes, SecretValue};

mod batch;
mod choices;
mod grant;
mod identity;
mod json_key;
mod labels;
mod material;
mod policy;
mod problems;
mod proxies;
mod public;
mod reach;
mod region;
mod replicas;
mod settings;
mod shift;
mod source;
mod tags;
mod target;

pub use batch::{Batch, Draft, Lacking};
use choices::StoreAs;
pub use choices::{Compare, IfExists, OnRotation, OnScheduledDeletion, ReplicaPolicy, TagPolicy};
pub use grant::{Grant, Trust, Wanted};
pub use identity::{Identity, Role, TokenRequest, Via};
pub use json_key::JsonKey;
pub use labels::{CURRENT, PENDING, PREVIOUS};
pub use material::{Found, Secrecy};
use problems::Problems;
pub use problems::Spelling;
pub use proxies::{Proxies, Proxy, passwords as proxy_passwords};
use reach::DEFAULT_TIMEOUT;
pub use reach::{MAX_TIMEOUT, Reach};
pub(crate) use region::{domain, is_region, partition};
pub use settings::{Endpoint, Settings, endpoint};
pub use shift::{Ask, Shift, Which};
pub use source::{Source, load};
pub use target::Target;

/// The shortest key for version ids: below that an id could be searched for the value.
const MIN_KEY_BYTES: usize = 16;
/// Limit of AWS for a description, in characters.
const MAX_DESCRIPTION: usize = 2_048;
/// Limit of AWS for a key id, in characters.
const MAX_KMS_KEY: usize = 2_048;

/// What the user wants to be true. Everything in it has been checked.
pub struct Request {
    /// Which secret.
    pub target: Target,
    /// What it shall hold.
    pub value: SecretValue,
    /// Given only.
    pub description: Option<String>,
    /// Given only, as given.
    pub kms_key_id: Option<String>,
    /// Given only.
    pub tags: Option<BTreeMap<String, String>>,
    /// What happens to tags that are not listed.
    pub tag_policy: TagPolicy,
    /// Given only: regions, and the keys there where they are given.
    pub replicas: Option<BTreeMap<String, Option<String>>>,
    /// What happens to replicas that are not listed.
    pub replica_policy: ReplicaPolicy,
    /// Given only.
    pub policy: Option<Policy>,
    /// Whether that policy may let in everybody.
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
    /// The labels that the version shall hold; the first is the one that is compared and written with
    /// the value. [`CURRENT`] alone by default.
    pub stages: Vec<String>,
    /// The version that must be current for anything to be written.
    pub expected: Option<String>,
    /// The keys of a JSON object that are set; without any, the value is stored as it stands.
    pub json: Vec<JsonKey>,
    /// The value is a JSON document made of parts: one that says the same is as good.
    pub composed: bool,
    /// The value is for a secret that has none yet; one that is there stays.
    pub seeds: bool,
    /// How AWS is reached.
    pub reach: Arc<Reach>,
    /// What may be a mistake, though not a reason to refuse.
    pub doubts: Vec<String>,
}

impl Request {
    /// Checks everything; `source` is the value as [`load`] found it.
    ///
    /// # Errors
    /// Every problem at once, class `bad input`; or unusable credentials in the environment.
    pub fn check(
        raw: RawInputs,
        source: Source,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let mut problems = Problems::new(Spelling::of(&raw));
        let mut doubts = Vec::new();
        let settings = Settings::check(environment, &mut problems.found, &mut doubts)?;
        let target = Target::given(raw.name.as_deref(), &mut problems);
        let region = region::choose(
            &raw,
            target.as_ref(),
            environment,
            &mut problems,
            &mut doubts,
        );
        let timeout = reach::timeout(raw.timeout.as_deref(), DEFAULT_TIMEOUT, &mut problems);
        let (identity, unusable) =
            match identity::check(&raw, environment, &mut problems, &mut doubts) {
                Ok(identity) => (identity, None),
                Err(why) => (Identity::default(), Some(why)),
            };
        let reach = Arc::new(Reach {
            region,
            identity: Arc::new(identity),
            timeout,
            settings,
        });
        let request = Self::describe(raw, target, source, &reach, &mut problems, doubts);
        // What is wrong with the inputs comes first: it may be why there are no credentials.
        problems.verdict()?;
        unusable.map_or(Ok(request), Err)
    }

    /// Checks everything that is about the secret itself.
    fn describe(
        raw: RawInputs,
        target: Option<Target>,
        source: Source,
        reach: &Arc<Reach>,
        problems: &mut Problems,
        mut doubts: Vec<String>,
    ) -> Self {
        for (input, given) in [("stage", &raw.stage), ("version-id", &raw.version_id)] {
            if given.is_some() {
                problems.add(
                    input,
                    "is for the command `promote`; `version-stages` says which labels a new version gets",
                );
            }
        }
        let stages = labels::list(raw.version_stages.as_deref(), problems);
        let expected = labels::version_id(
            "expected-version-id",
            raw.expected_version_id.as_deref(),
            problems,
        );
        let kind = problems.choice(
            "store-as",
            raw.store_as.as_deref(),
            &[("string", StoreAs::String), ("binary", StoreAs::Binary)],
        );
        let value = SecretValue::new(source.bytes, kind.into())
            .map_err(|why| {
                let hint = match why {
                    crate::value::ValueError::NotUtf8 => "; `store-as: binary` stores any bytes",
                    crate::value::ValueError::Mask => {
                        "; pass the secret itself on, not a log line or an output of it"
                    }
                    _ => "",
                };
                problems.add(source.input, format!("{why}{hint}"));
            })
            .ok();
        if let Some(value) = &value {
            doubts.extend(value.doubts().into_iter().map(str::to_owned));
        }
        let keys = json_key::check(&raw, value.as_ref(), problems);
        check_lengths(&raw, problems);
        let tags = raw.tags.as_deref().and_then(|text| {
            tags::parse(text)
                .map_err(|why| problems.add("tags", why))
                .ok()
        });
        let tag_policy = problems.choice(
            "tag-policy",
            raw.tag_policy.as_deref(),
            &[("merge", TagPolicy::Merge), ("replace", TagPolicy::Replace)],
        );
        if tag_policy == TagPolicy::Replace && raw.tags.is_none() {
            problems.add("tag-policy", "is `replace`, but no tags are given");
        }
        let (replicas, replica_policy) = replicas::check(&raw, reach.region.as_deref(), problems);
        let (policy, allow_public_policy) = policy::check(&raw, problems);
        check_key(&raw, problems);
        let request = Self {
            description: raw.description,
            kms_key_id: raw.kms_key_id,
            tags,
            tag_policy,
            replicas,
            replica_policy,
            policy,
            allow_public_policy,
            if_exists: problems.choice(
                "if-exists",
                raw.if_exists.as_deref(),
                &[("update", IfExists::Update), ("skip", IfExists::Skip)],
            ),
            compare: problems.choice(
                "compare",
                raw.compare.as_deref(),
                &[
                    ("auto", Compare::Auto),
                    ("always", Compare::Always),
                    ("never", Compare::Never),
                ],
            ),
            version_id_key: raw.version_id_key,
            on_scheduled_deletion: problems.choice(
                "on-scheduled-deletion",
                raw.on_scheduled_deletion.as_deref(),
                &[
                    ("fail", OnScheduledDeletion::Fail),
                    ("restore", OnScheduledDeletion::Restore),
                ],
            ),
            on_rotation: problems.choice(
                "on-rotation",
                raw.on_rotation.as_deref(),
                &[("fail", OnRotation::Fail), ("allow", OnRotation::Allow)],
            ),
            stages,
            expected,
            json: keys,
            composed: false,
            seeds: false,
            reach: Arc::clone(reach),
            doubts,
            target: target.unwrap_or_default(),
            value: value
                .unwrap_or_else(|| SecretValue::stored(SecretBytes::new(Vec::new()), Kind::String)),
        };
        request.refuse_public_value(problems);
        request
    }

    /// The label that the value is compared with and written under.
    #[must_use]
    pub fn label(&self) -> &str {
        self.stages.first().map_or(CURRENT, String::as_str)
    }

    /// Whether a value that is there is what shall be there.
    #[must_use]
    pub fn is_met_by(&self, there: &SecretValue) -> bool {
        there.same_as(&self.value)
            || self.composed
                && there.kind() == self.value.kind()
                && json::is_equal_json(self.value.expose(), there.expose())
    }

    /// Whether what is there has to be compared. Where an existing value is left alone its content does not matter.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.compare != Compare::Never && self.if_exists == IfExists::Update && !self.seeds
    }

    /// Whether AWSCURRENT may only be moved away from the version that was observed.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.label() == CURRENT && (self.expected.is_some() || !self.json.is_empty() || self.seeds)
    }

    /// Whether DescribeSecret has to be allowed.
    #[must_use]
    pub fn needs_sight(&self) -> bool {
        self.tag_policy == TagPolicy::Replace
            || self.replicas.is_some()
            || self.expected.is_some()
            || !self.json.is_empty()
            || self.seeds
            || self.stages.iter().any(|stage| stage != CURRENT)
    }
}

fn check_key(raw: &RawInputs, problems: &mut Problems) {
    if let Some(key) = &raw.version_id_key
        && key.expose().len() < MIN_KEY_BYTES
    {
        problems.add(
            "version-id-key",
            format!("must have at least {MIN_KEY_BYTES} bytes: version ids are public, and a short key could be guessed from them"),
        );
    }
}

fn check_lengths(raw: &RawInputs, problems: &mut Problems) {
    if let Some(text) = &raw.description
        && text.chars().count() > MAX_DESCRIPTION
    {
        problems.add(
            "description",
            format!("is longer than {MAX_DESCRIPTION} characters"),
        );
    }
    if let Some(key) = &raw.kms_key_id
        && (key.len() > MAX_KMS_KEY || !key.chars().all(|c| c.is_ascii_graphic()))
    {
        problems.add(
            "kms-key-id",
            "must be a key id, a key ARN, an alias (`alias/…`) or an alias ARN",
        );
    }
}

#[cfg(test)]
pub(crate) mod tests;
