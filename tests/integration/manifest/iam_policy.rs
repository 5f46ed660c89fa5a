//! `iam-policy` with a manifest: the printed policy allows the run, and stays within IAM's size
//! limits.

use sandbox::{Policy, Sandbox};
use serde_json::{Value, json};

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

/// `promote` and `rollback` of many need no permission to read a value.
#[test]
fn policy_of_label_moves_is_minimal() {
    let manifest = super::manifest_of(&["prod/a", "prod/b"]);
    let ids = ["1", "2"].map(|digit| {
        format!(
            "{0}{0}{0}{0}{0}{0}{0}{0}-1111-4111-8111-111111111111",
            digit
        )
    });
    let release = json!({"prod/a": {"secret_version_id": ids[1], "previous_version_id": ids[0]},
        "prod/b": {"secret_version_id": ids[1], "previous_version_id": ids[0]}});
    for command in ["promote", "rollback"] {
        let printed = printed(
            &manifest_cli(&Sandbox::start(), &manifest)
                .input("command", command)
                .args(&["iam-policy"])
                .run(),
        );
        let policy = printed["policy"].to_string();
        let actions = ["DescribeSecret", "UpdateSecretVersionStage"];
        assert_eq!(
            policy.matches("secretsmanager:").count()
                - policy.matches("arn:aws:secretsmanager:").count(),
            2,
            "{policy}"
        );
        for (denied, all_or_nothing) in [
            (None, false),
            (None, true),
            (Some(actions[0]), true),
            (Some(actions[1]), true),
        ] {
            let sandbox = Sandbox::start();
            sandbox.with(|world| {
                for name in ["prod/a", "prod/b"] {
                    world.create_empty(name);
                    world.put_staged(name, "made-up-1", &ids[0], &["AWSCURRENT"]);
                    let label = if command == "promote" {
                        "candidate"
                    } else {
                        "AWSCURRENT"
                    };
                    world.put_staged(name, "made-up-2", &ids[1], &[label]);
                }
            });
            let policy = denied.map_or(policy.clone(), |action| policy.replace(action, "Nothing"));
            sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(&policy));
            let mut cli = manifest_cli(&sandbox, &manifest)
                .input("all-or-nothing", &all_or_nothing.to_string())
                .args(&[command]);
            if command == "rollback" {
                cli = cli
                    .unset("UPSERT_SECRET_MANIFEST")
                    .input("release", &release.to_string());
            }
            let outcome = cli.run();
            let context = format!("{command} {denied:?}: {}", outcome.stderr);
            match denied {
                None => assert_eq!(outcome.counts(), ["0", "2", "0", "0", "0"], "{context}"),
                Some(action) => {
                    assert_eq!(outcome.code, Some(4), "{context}");
                    assert!(outcome.stderr.contains(action), "{context}");
                }
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
