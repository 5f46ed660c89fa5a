//! `iam-policy` with a manifest: the printed policy allows the run, and stays within IAM's size
//! limits.

use sandbox::{Policy, Sandbox};
use serde_json::Value;

use super::{manifest_cli, value};
use crate::common::Outcome;

fn printed(outcome: &Outcome) -> Value {
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn printed_policy_is_sufficient_and_minimal() {
    let manifest = "
defaults: { description: words, tags: { a: b } }
secrets:
  prod/a: { value: { env: V } }
  prod/b: { json: { k: { env: V } }, merge: true }
  prod/c: { value: { secret: { id: source } } }
  prod/d: { value: { generate: { length: 20 } } }
";
    let world = || {
        let sandbox = Sandbox::start();
        sandbox.with(|world| {
            world.create("prod/a", "old");
            world.create("prod/b", "{}");
            world.create("source", "made-up-source");
        });
        sandbox
    };
    let sandbox = world();
    // Printing the policy needs no value.
    let outcome = manifest_cli(&sandbox, manifest).args(&["iam-policy"]).run();
    let policy = printed(&outcome)["policy"].clone();
    let run = |sandbox: &Sandbox, policy: &Value| {
        sandbox.set_policy(
            &sandbox.default_key_id(),
            Policy::from_json(&policy.to_string()),
        );
        manifest_cli(sandbox, manifest).env("V", "made-up").run()
    };
    let outcome = run(&sandbox, &policy);
    outcome.expect(0, "updated");
    assert!(!outcome.stderr.contains("denied"), "{}", outcome.stderr);
    assert_eq!(value(&sandbox, "prod/c"), "made-up-source");

    let statements = policy["Statement"].as_array().unwrap().len();
    for at in 0..statements {
        let actions = policy["Statement"][at]["Action"]
            .as_array()
            .unwrap()
            .clone();
        for action in &actions {
            let mut reduced = policy.clone();
            let rest = actions
                .iter()
                .filter(|other| *other != action)
                .cloned()
                .collect();
            reduced["Statement"][at]["Action"] = Value::Array(rest);
            if actions.len() == 1 {
                reduced["Statement"].as_array_mut().unwrap().remove(at);
            }
            let action = action
                .as_str()
                .unwrap()
                .trim_start_matches("secretsmanager:");
            let sandbox = world();
            let outcome = run(&sandbox, &reduced);
            // These actions are needed only in states that this manifest does not start from.
            let unused = [
                "UpdateSecretVersionStage",
                "UpdateSecret",
                "PutSecretValue",
                "CreateSecret",
                "TagResource",
            ];
            if outcome.code == Some(0) && !unused.contains(&action) {
                assert!(
                    outcome.stderr.contains("denied"),
                    "{at} {action}: {}",
                    outcome.stderr
                );
            }
        }
    }
}

#[test]
fn long_policy_is_grouped_then_split() {
    let length = |policy: &Value| policy.to_string().len();
    let mut manifest = String::from("secrets:\n");
    for number in 0..300 {
        manifest.push_str(&format!(
            "  prod/model-{number}/key: {{ value: {{ env: V }} }}\n"
        ));
    }
    let printed_policies = |manifest: &str| {
        let cli = super::offline_cli(manifest)
            .env("AWS_REGION", "eu-west-1")
            .input("allowed-account-ids", "111122223333")
            .args(&["iam-policy"]);
        printed(&cli.run())
    };
    // Each secret has its own folder, so nothing can be grouped.
    let documents = printed_policies(&manifest);
    let policies = documents["policies"].as_array().unwrap();
    assert!(policies.len() > 5);
    assert!(policies.iter().all(|policy| length(policy) <= 6_144));
    // All secrets share one folder.
    let documents = printed_policies(
        &manifest
            .replace("/key", "")
            .replace("prod/model-", "prod/model/"),
    );
    assert!(length(&documents["policy"]) <= 6_144);
    let text = documents["policy"].to_string();
    assert!(text.contains(":secret:prod/model/*\""), "{text}");
    assert!(!text.contains("prod/model/1"), "{text}");
}
