//! Inputs checked: names, limits, encodings, regions, the SDK's own variables. Everything that can
//! be refused without a network is refused here, every message names the input as the user wrote
//! it, and none quotes a value. No AWS in this room.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::failure::{Class, Failure};
use crate::inputs::{Environment, RawInputs, variable};
use crate::value::{Kind, SecretBytes, SecretValue};

mod choices;
mod identity;
mod proxies;
mod public;
mod region;
mod settings;
mod source;
mod tags;
mod target;

use choices::StoreAs;
pub use choices::{Compare, IfExists, OnRotation, OnScheduledDeletion, TagPolicy};
pub use identity::{Identity, Role, TokenRequest, Via};
pub use proxies::{Proxies, Proxy, passwords as proxy_passwords};
pub(crate) use region::is_region;
pub use settings::{Endpoint, Settings, endpoint};
pub use source::{Source, load};
pub use target::Target;

/// The shortest key for version ids: below that an id could be searched for the value.
const MIN_KEY_BYTES: usize = 16;
/// Limit of AWS for a description, in characters.
const MAX_DESCRIPTION: usize = 2_048;
/// Limit of AWS for a key id, in characters.
const MAX_KMS_KEY: usize = 2_048;
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);
const MAX_TIMEOUT: Duration = Duration::from_hours(6);

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
    /// What happens where there is a value already.
    pub if_exists: IfExists,
    /// Whether the current value is read.
    pub compare: Compare,
    /// Keys version ids to values.
    pub version_id_key: Option<SecretBytes>,
    /// What happens to a secret that is scheduled for deletion.
    pub on_scheduled_deletion: OnScheduledDeletion,
    /// What happens to a secret with rotation.
    pub on_rotation: OnRotation,
    /// The region; `None` leaves it to the profile.
    pub region: Option<String>,
    /// Who we are to AWS.
    pub identity: Arc<Identity>,
    /// For the whole run.
    pub timeout: Duration,
    /// How the SDK shall behave.
    pub settings: Settings,
    /// What may be a mistake, though not a reason to refuse.
    pub doubts: Vec<String>,
}

/// How inputs are called in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `kms-key-id`, as in a workflow.
    Action,
    /// `UPSERT_SECRET_KMS_KEY_ID`
    Variable,
}

impl Spelling {
    /// How the user of these inputs wrote them.
    #[must_use]
    pub fn of(raw: &RawInputs) -> Self {
        if raw.from_action {
            Self::Action
        } else {
            Self::Variable
        }
    }

    /// The input's name as the user wrote it.
    #[must_use]
    pub fn name(self, input: &str) -> String {
        match self {
            Self::Action => format!("`{input}`"),
            Self::Variable => variable(input),
        }
    }
}

/// Collects everything that is wrong, so that one run tells all of it.
struct Problems {
    spelling: Spelling,
    found: Vec<String>,
}

impl Problems {
    fn add(&mut self, input: &str, text: impl AsRef<str>) {
        let name = self.spelling.name(input);
        self.found.push(format!("{name} {}", text.as_ref()));
    }

    fn failure(&self) -> Failure {
        Failure::new(
            Class::Input,
            self.found.join("\n"),
            "correct the input; nothing was sent to AWS",
        )
    }

    /// One of a few words; the first is the default.
    fn choice<T: Copy + Default>(
        &mut self,
        input: &str,
        given: Option<&str>,
        words: &[(&str, T)],
    ) -> T {
        let Some(given) = given else {
            return T::default();
        };
        if let Some((_, choice)) = words.iter().find(|(word, _)| *word == given) {
            return *choice;
        }
        let list: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        self.add(input, format!("must be {}", list.join(" or ")));
        T::default()
    }
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
        let mut problems = Problems {
            spelling: Spelling::of(&raw),
            found: Vec::new(),
        };
        let mut doubts = Vec::new();
        let settings = Settings::check(environment, &mut problems.found, &mut doubts)?;

        let target = match &raw.name {
            Some(name) => Target::parse(name)
                .map_err(|why| problems.add("name", why))
                .ok(),
            None => {
                problems.add(
                    "name",
                    "is not given: it is the name or the ARN of the secret",
                );
                None
            }
        };
        let region = region::choose(
            &raw,
            target.as_ref(),
            environment,
            &mut problems,
            &mut doubts,
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
        if let Some(key) = &raw.version_id_key
            && key.expose().len() < MIN_KEY_BYTES
        {
            problems.add(
                "version-id-key",
                format!("must have at least {MIN_KEY_BYTES} bytes: version ids are public, and a short key could be guessed from them"),
            );
        }
        let identity = identity::check(&raw, environment, &mut problems, &mut doubts);
        if !problems.found.is_empty() && identity.is_err() {
            // What is wrong with the inputs comes first: it may be why.
            return Err(problems.failure());
        }
        let request = Self {
            description: raw.description,
            kms_key_id: raw.kms_key_id,
            tags,
            tag_policy,
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
            region,
            identity: Arc::new(identity?),
            timeout: match timeout(raw.timeout.as_deref()) {
                Ok(limit) => limit,
                Err(why) => {
                    problems.add("timeout", why);
                    DEFAULT_TIMEOUT
                }
            },
            settings,
            doubts,
            target: target.unwrap_or_default(),
            value: value
                .unwrap_or_else(|| SecretValue::stored(SecretBytes::new(Vec::new()), Kind::String)),
        };
        request.refuse_public_value(&mut problems);
        if problems.found.is_empty() {
            Ok(request)
        } else {
            Err(problems.failure())
        }
    }
}

fn timeout(given: Option<&str>) -> Result<Duration, &'static str> {
    const WRONG: &str = "must be a time from 1s to 6h, such as `90s`, `2m` or `1h`";
    let Some(given) = given else {
        return Ok(DEFAULT_TIMEOUT);
    };
    let unit = given.trim_start_matches(|c: char| c.is_ascii_digit());
    let seconds = match unit {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(WRONG),
    };
    given[..given.len() - unit.len()]
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(seconds))
        .map(Duration::from_secs)
        .filter(|limit| (Duration::from_secs(1)..=MAX_TIMEOUT).contains(limit))
        .ok_or(WRONG)
}

#[cfg(test)]
pub(crate) mod tests;
