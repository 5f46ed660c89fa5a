//! Builds requests for tests, from pairs of an input's name and text. Supports only the inputs that tests use, and must not
//! check them; the config crate does.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::choices::Choice;
use crate::json::{JsonText, KeyPath};
use crate::labels::CURRENT;
use crate::request::{Direction, JsonKey, LabelMove, Request, VersionSelector};
use crate::resource_policy::ResourcePolicy;
use crate::target::Target;
use crate::value::{Kind, SecretBytes, SecretValue};

fn choice<T: Choice>(word: &str) -> T {
    T::parse(word).unwrap()
}

fn bytes(text: &str) -> SecretBytes {
    SecretBytes::new(text.as_bytes().to_vec())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty())
}

fn map(text: &str) -> BTreeMap<String, String> {
    words(text)
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key.to_owned(), value.to_owned())
        })
        .collect()
}

/// A request with these inputs, named as in `UPSERT_SECRET_NAME` without the prefix.
pub(crate) fn request(pairs: &[(&str, &str)]) -> Request {
    let given = |name: &str| {
        let mut found = pairs.iter().filter(|(key, _)| *key == name);
        found.next_back().map(|(_, text)| *text)
    };
    let value = given("VALUE").unwrap_or("made-up");
    let kind = given("STORE_AS").map_or(Kind::String, choice);
    let mut request = Request {
        target: Target::parse(given("NAME").unwrap_or("a")).unwrap(),
        value: SecretValue::new(bytes(value), kind).unwrap(),
        description: None,
        kms_key_id: None,
        tags: None,
        tag_policy: Default::default(),
        replicas: None,
        replica_policy: Default::default(),
        policy: None,
        allow_public_policy: false,
        if_exists: Default::default(),
        compare: Default::default(),
        version_id_key: None,
        on_scheduled_deletion: Default::default(),
        on_rotation: Default::default(),
        stages: vec![CURRENT.to_owned()],
        expected: None,
        json: Vec::new(),
        composed: Vec::new(),
        seeds: false,
    };
    for (key, text) in pairs {
        let text = *text;
        match *key {
            "NAME" | "VALUE" | "STORE_AS" => {}
            "DESCRIPTION" => request.description = Some(text.to_owned()),
            "KMS_KEY_ID" => request.kms_key_id = Some(text.to_owned()),
            "TAGS" => request.tags = Some(map(text)),
            "TAG_POLICY" => request.tag_policy = choice(text),
            "REPLICA_REGIONS" => {
                let regions = map(text).into_iter().filter(|(region, _)| region != "none");
                let keyed =
                    regions.map(|(region, key)| (region, Some(key).filter(|key| !key.is_empty())));
                request.replicas = Some(keyed.collect());
            }
            "REPLICA_POLICY" => request.replica_policy = choice(text),
            "RESOURCE_POLICY" => request.policy = Some(ResourcePolicy::parse(text).unwrap()),
            "ALLOW_PUBLIC_POLICY" => request.allow_public_policy = choice(text),
            "IF_EXISTS" => request.if_exists = choice(text),
            "COMPARE" => request.compare = choice(text),
            "VERSION_ID_KEY" => request.version_id_key = Some(Arc::new(bytes(text))),
            "ON_SCHEDULED_DELETION" => request.on_scheduled_deletion = choice(text),
            "ON_ROTATION" => request.on_rotation = choice(text),
            "VERSION_STAGES" => {
                request.stages = words(text).map(str::to_owned).collect();
                request.stages.sort_by_key(|label| label != CURRENT);
            }
            "EXPECTED_VERSION_ID" => request.expected = Some(text.to_owned()),
            "COMPOSED" => request
                .composed
                .extend(words(text).map(|word| KeyPath::parse(word).unwrap())),
            "JSON_KEY" => request.json.push(JsonKey {
                path: KeyPath::parse(text).unwrap(),
                text: JsonText::string(value),
                seeds: false,
            }),
            other => panic!("tests have no input {other}"),
        }
    }
    request
}

/// A label move with these inputs, named as for [`request`].
pub(crate) fn label_move(promote: bool, pairs: &[(&str, &str)]) -> LabelMove {
    let mut label_move = LabelMove {
        target: Target::parse("a").unwrap(),
        direction: if promote {
            Direction::Promote(VersionSelector::Stage("candidate".to_owned()))
        } else {
            Direction::Rollback
        },
        expected: None,
        on_rotation: Default::default(),
        reads: false,
    };
    for (key, text) in pairs {
        let owned = (*text).to_owned();
        match *key {
            "STAGE" => label_move.direction = Direction::Promote(VersionSelector::Stage(owned)),
            "VERSION_ID" => {
                label_move.direction = Direction::Promote(VersionSelector::Version(owned));
            }
            "EXPECTED_VERSION_ID" => label_move.expected = Some(owned),
            "ON_ROTATION" => label_move.on_rotation = choice(text),
            other => panic!("tests have no input {other}"),
        }
    }
    label_move
}
