//! Strategies that generate states of a secret and requests.

use std::collections::BTreeMap;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use sandbox::Sandbox;
use sandbox::client::Client;
use serde_json::{Value, json};

use crate::common::NAME;

const OLDER: &str = "11111111-1111-4111-8111-111111111111";
const KEY: &str = "alias/models";
const POLICIES: [&str; 2] = [
    r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#,
    r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#,
];
const REGIONS: [&str; 2] = ["eu-west-2", "us-east-1"];

/// A state of the secret before the run.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// `None`: no secret. `Some(None)`: a secret without a value.
    value: Option<Option<&'static str>>,
    /// Whether there is an older version; `blue` gives it a label.
    older: bool,
    blue: bool,
    description: Option<&'static str>,
    key: bool,
    tags: BTreeMap<&'static str, &'static str>,
    replicas: Vec<&'static str>,
    policy: Option<&'static str>,
    deleted: bool,
}

fn values() -> impl Strategy<Value = &'static str> {
    select(vec![
        "made-up-one",
        "made-up-two",
        r#"{"a": 1.0,"b":"x"}"#,
        "{}",
    ])
}

fn tags() -> impl Strategy<Value = BTreeMap<&'static str, &'static str>> {
    proptest::collection::btree_map(select(vec!["a", "b", "c"]), select(vec!["1", "2"]), 0..3)
}

pub(super) fn states() -> impl Strategy<Value = State> {
    (
        option::weighted(0.9, option::weighted(0.9, values())),
        any::<bool>(),
        any::<bool>(),
        option::of(select(vec!["one", "two"])),
        any::<bool>(),
        tags(),
        subsequence(REGIONS.to_vec(), 0..=2),
        option::of(select(POLICIES.to_vec())),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(value, older, blue, description, key, tags, replicas, policy, deleted)| State {
                value,
                older,
                blue,
                description,
                key,
                tags,
                // AWS does not schedule the deletion of a secret that has replicas.
                replicas: if deleted { Vec::new() } else { replicas },
                policy,
                deleted,
            },
        )
}

pub(super) type Inputs = BTreeMap<&'static str, String>;

pub(super) fn inputs() -> impl Strategy<Value = Inputs> {
    let word = |words: &[&'static str]| {
        option::weighted(0.3, select(words.to_vec()).prop_map(str::to_owned))
    };
    let lines = tags().prop_map(|tags| {
        let lines: Vec<_> = tags
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        lines.join("\n")
    });
    let regions = subsequence(REGIONS.to_vec(), 1..=2).prop_map(|regions| regions.join(","));
    let metadata = (
        word(&["one", "two"]),
        word(&[KEY, "alias/aws/secretsmanager"]),
        option::of(lines),
        word(&["replace"]),
        option::weighted(0.3, regions),
        word(&["replace"]),
        word(&POLICIES),
    );
    let versions = (
        word(&["AWSCURRENT,blue", "candidate", "blue"]),
        word(&["a", "/b", "c"]),
        word(&["skip"]),
        word(&["always"]),
        word(&["restore"]),
    );
    (values(), metadata, versions).prop_map(|(value, metadata, versions)| {
        let (description, key, tags, tag_policy, regions, replica_policy, policy) = metadata;
        let (stages, json, exists, compare, deletion) = versions;
        let given = [
            ("value", Some(value.to_owned())),
            ("description", description),
            ("kms-key-id", key),
            (
                "tag-policy",
                tag_policy.filter(|_| tags.as_ref().is_some_and(|tags| !tags.is_empty())),
            ),
            ("tags", tags),
            (
                "replica-policy",
                replica_policy.filter(|_| regions.is_some()),
            ),
            ("replica-regions", regions),
            ("resource-policy", policy),
            ("version-stages", stages),
            ("json-key", json),
            ("if-exists", exists),
            ("compare", compare),
            ("on-scheduled-deletion", deletion),
        ];
        given
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    })
}

pub(super) fn sandbox_in(state: &State) -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.add_kms_key(KEY));
    let Some(value) = state.value else {
        return sandbox;
    };
    let client = Client::new(&sandbox.url());
    let call = |operation: &str, input: Value| {
        let reply = client.call(operation, &input).unwrap();
        assert_eq!(reply.status, 200, "{operation}: {}", reply.message());
    };
    let tags: Vec<Value> = state
        .tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    let regions: Vec<Value> = state
        .replicas
        .iter()
        .map(|region| json!({"Region": region}))
        .collect();
    let mut new = json!({"Name": NAME, "ClientRequestToken": OLDER});
    let mut add = |member: &str, value: Option<Value>| {
        if let Some(value) = value {
            new[member] = value;
        }
    };
    add("Description", state.description.map(Value::from));
    add("KmsKeyId", state.key.then(|| KEY.into()));
    add("Tags", (!tags.is_empty()).then(|| tags.into()));
    add(
        "AddReplicaRegions",
        (!regions.is_empty()).then(|| regions.into()),
    );
    add(
        "SecretString",
        value
            .filter(|_| state.older)
            .map(|_| "made-up-older".into()),
    );
    call("CreateSecret", new);
    if let Some(value) = value {
        call(
            "PutSecretValue",
            json!({"SecretId": NAME, "SecretString": value, "ClientRequestToken": OLDER.replace('1', "2")}),
        );
        if state.older && state.blue {
            call(
                "UpdateSecretVersionStage",
                json!({"SecretId": NAME, "VersionStage": "blue", "MoveToVersionId": OLDER}),
            );
        }
    }
    sandbox.with(|world| {
        world.settle_replicas();
        if let Some(policy) = state.policy {
            world.put_resource_policy(NAME, policy);
        }
        if state.deleted {
            world.schedule_deletion(NAME);
        }
    });
    sandbox.clear_log();
    sandbox
}
