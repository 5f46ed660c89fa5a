//! Properties of any state and any request: the goal is reached and a second run writes nothing, nothing is lost that the
//! request does not remove, a rejection changes nothing, and requests stay within a budget.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sandbox::{Sandbox, SecretView};
use serde_json::{Value, json};

use crate::common::{Cli, NAME, Outcome, operations};

mod strategies;

use strategies::{Inputs, inputs, sandbox_in, states};

const WRITES: [&str; 10] = [
    "CreateSecret",
    "PutSecretValue",
    "PutResourcePolicy",
    "RemoveRegionsFromReplication",
    "ReplicateSecretToRegions",
    "RestoreSecret",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
    "UpdateSecretVersionStage",
];

fn run(sandbox: &Sandbox, inputs: &Inputs, command: &str) -> Outcome {
    let mut cli = Cli::new(sandbox, "").args(&[command]);
    for (name, value) in inputs {
        cli = cli.input(name, value);
    }
    cli.run()
}

fn secret(sandbox: &Sandbox) -> Option<SecretView> {
    sandbox.with(|world| world.secret(NAME))
}

/// Everything in a secret that a run could change.
fn snapshot(secret: Option<&SecretView>) -> Value {
    let Some(secret) = secret else {
        return Value::Null;
    };
    let versions: BTreeMap<_, _> = secret
        .versions
        .iter()
        .map(|version| (version.id.clone(), json!([version.string, version.stages])))
        .collect();
    let replicas: Vec<_> = secret
        .replicas
        .iter()
        .map(|replica| &replica.region)
        .collect();
    json!({
        "description": secret.description,
        "key": secret.kms_key_id,
        "tags": secret.tags,
        "deleted": secret.deleted,
        "policy": secret.policy,
        "versions": versions,
        "replicas": replicas,
    })
}

fn holder<'a>(secret: &'a SecretView, label: &str) -> Option<&'a str> {
    secret.labeled(label).map(|version| version.id.as_str())
}

/// Fails if something is missing that the request does not remove.
fn check_nothing_lost(
    before: &SecretView,
    after: &SecretView,
    inputs: &Inputs,
) -> Result<(), TestCaseError> {
    let given = |name: &str| inputs.get(name).map(String::as_str);
    let requested = given("tags").unwrap_or_default();
    for (key, value) in &before.tags {
        let named = requested
            .lines()
            .any(|line| line.starts_with(&format!("{key}=")));
        if !named && given("tag-policy").is_none() {
            prop_assert_eq!(after.tags.get(key), Some(value));
        }
    }
    if given("description").is_none() {
        prop_assert_eq!(&before.description, &after.description);
    }
    if given("kms-key-id").is_none() {
        prop_assert_eq!(&before.kms_key_id, &after.kms_key_id);
    }
    if given("resource-policy").is_none() {
        prop_assert_eq!(&before.policy, &after.policy);
    }
    if given("replica-policy").is_none() {
        for replica in &before.replicas {
            prop_assert!(
                after
                    .replicas
                    .iter()
                    .any(|there| there.region == replica.region)
            );
        }
    }
    let requested = given("version-stages").unwrap_or("AWSCURRENT");
    for version in &before.versions {
        let there = after.version(&version.id);
        prop_assert_eq!(there.map(|there| &there.string), Some(&version.string));
        for label in &version.stages {
            let moves =
                requested.split(',').any(|requested| requested == label) || label == "AWSPREVIOUS";
            if !moves {
                prop_assert_eq!(holder(after, label), Some(version.id.as_str()), "{}", label);
            }
        }
    }
    let (was, is) = (holder(before, "AWSCURRENT"), holder(after, "AWSCURRENT"));
    if was.is_some() && was != is {
        prop_assert_eq!(
            holder(after, "AWSPREVIOUS"),
            was,
            "the replaced version can be restored"
        );
    }
    Ok(())
}

/// Fails if part of the request is not met.
fn check_request_met(
    before: Option<&SecretView>,
    after: &SecretView,
    inputs: &Inputs,
) -> Result<(), TestCaseError> {
    let given = |name: &str| inputs.get(name).map(String::as_str);
    let label =
        given("version-stages").map_or("AWSCURRENT", |stages| stages.split(',').next().unwrap());
    let text = after
        .labeled(label)
        .and_then(|version| version.string.clone())
        .unwrap_or_default();
    let value = given("value").unwrap();
    if let Some(key) = given("json-key") {
        let document: Value = serde_json::from_str(&text).unwrap();
        let key = key.trim_start_matches('/');
        prop_assert_eq!(&document[key], value);
        let old = before
            .and_then(|before| before.current())
            .and_then(|version| version.string.clone());
        let old: Value = serde_json::from_str(&old.unwrap_or_else(|| "{}".to_owned())).unwrap();
        for (other, value) in old
            .as_object()
            .unwrap()
            .iter()
            .filter(|(other, _)| *other != key)
        {
            prop_assert_eq!(&document[other], value);
        }
    } else {
        prop_assert_eq!(text, value);
    }
    for label in given("version-stages")
        .unwrap_or_default()
        .split(',')
        .filter(|label| !label.is_empty())
    {
        prop_assert!(after.labeled(label).is_some());
    }
    for line in given("tags").unwrap_or_default().lines() {
        let (key, value) = line.split_once('=').unwrap();
        prop_assert_eq!(after.tags.get(key).map(String::as_str), Some(value));
    }
    if let Some(description) = given("description") {
        prop_assert_eq!(after.description.as_deref(), Some(description));
    }
    if let Some(policy) = given("resource-policy") {
        prop_assert_eq!(after.policy.as_deref(), Some(policy));
    }
    for region in given("replica-regions")
        .unwrap_or_default()
        .split(',')
        .filter(|region| !region.is_empty())
    {
        prop_assert!(
            after
                .replicas
                .iter()
                .any(|there| there.region == region && there.status == "InSync")
        );
    }
    Ok(())
}

/// The maximum number of requests: the reads, and the writes for each input.
fn request_budget(before: Option<&SecretView>, inputs: &Inputs) -> usize {
    let given = |name: &str| usize::from(inputs.contains_key(name));
    let reads = 2 + given("resource-policy");
    let restored = before.is_some_and(|before| before.deleted);
    let all_reads = if restored { 2 * reads + 1 } else { reads };
    // A put; with `json-key` also the label move and the removal of the private label.
    let value = 1 + 2 * given("json-key");
    let update = given("description").max(given("kms-key-id"));
    let labels = given("version-stages");
    // A new replica is in sync at the second read.
    let replicas = given("replica-policy") + 3 * given("replica-regions");
    let tags = given("tags") + given("tag-policy");
    let policy = 2 * given("resource-policy");
    all_reads + value + update + labels + replicas + tags + policy
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_state_and_request_converge(state in states(), inputs in inputs()) {
        let sandbox = sandbox_in(&state);
        let before = secret(&sandbox);
        let planned = run(&sandbox, &inputs, "plan");
        prop_assert_eq!(snapshot(before.as_ref()), snapshot(secret(&sandbox).as_ref()), "a plan writes nothing");
        sandbox.clear_log();
        let outcome = run(&sandbox, &inputs, "upsert");
        let sent = operations(&sandbox);
        let after = secret(&sandbox);
        // The value of a secret scheduled for deletion cannot be read, so the plan may differ from
        // the run.
        let restored = before.as_ref().is_some_and(|before| before.deleted);
        // A rejection precedes the first write.
        if outcome.code != Some(0) {
            prop_assert!([Some(2), Some(6)].contains(&outcome.code), "{}", outcome.stderr);
            let (mut was, mut is) = (snapshot(before.as_ref()), snapshot(after.as_ref()));
            if restored && outcome.stderr.contains("restored the secret") {
                was["deleted"].take();
                is["deleted"].take();
            } else {
                prop_assert_eq!(planned.code, outcome.code, "{}", outcome.stderr);
            }
            prop_assert_eq!(was, is, "{}", outcome.stderr);
            return Ok(());
        }
        if !restored {
            prop_assert_eq!(planned.output("result"), outcome.output("result"), "{}\n{}", planned.stderr, outcome.stderr);
        }
        prop_assert!(sent.len() <= request_budget(before.as_ref(), &inputs), "{:?}", sent);
        let after = after.unwrap();
        if let Some(before) = &before {
            check_nothing_lost(before, &after, &inputs)?;
        }
        let skipped = inputs.contains_key("if-exists") && before.as_ref().is_some_and(|before| before.current().is_some());
        if skipped {
            prop_assert_eq!(&snapshot(before.as_ref())["versions"], &snapshot(Some(&after))["versions"]);
        } else {
            check_request_met(before.as_ref(), &after, &inputs)?;
        }
        sandbox.clear_log();
        let again = run(&sandbox, &inputs, "plan");
        prop_assert_eq!(again.output("result"), "unchanged", "{}", again.stderr);
        prop_assert!(!again.stderr.contains("would write"), "{}", again.stderr);
        let again = run(&sandbox, &inputs, "upsert");
        prop_assert_eq!(again.output("result"), "unchanged", "{}", again.stderr);
        let written: Vec<_> = operations(&sandbox).into_iter().filter(|sent| WRITES.contains(&sent.as_str())).collect();
        prop_assert!(written.is_empty(), "{:?}", written);
    }
}
