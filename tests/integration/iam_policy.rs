//! `iam-policy`: what it prints is enough for the run, and nothing of it can be left out.

use sandbox::{Policy, Sandbox};
use serde_json::{Value, json};

use crate::common::{Done, NAME, Tool, operations};

mod features;

use features::{FEATURES, Feature, Scene};

/// What a run does without, and says so.
const SPARED: &[&str] = &["DescribeSecret", "GetSecretValue", "GetResourcePolicy"];

fn tool(sandbox: &Sandbox, feature: &Feature) -> Tool {
    let mut tool = Tool::new(sandbox, "made-up")
        .github()
        .input("allowed-account-ids", sandbox.account())
        .arguments(&[feature.command]);
    for (name, value) in feature.inputs {
        tool = tool.input(name, value);
    }
    tool
}

/// The policy of these inputs.
fn policy(feature: &Feature) -> Value {
    let sandbox = Sandbox::start();
    let tool = tool(&sandbox, feature)
        .unset("UPSERT_SECRET_VALUE")
        .unset("GITHUB_ACTIONS")
        .input("command", feature.command)
        .arguments(&["iam-policy"]);
    let done = tool.run();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(operations(&sandbox).is_empty(), "asks nobody");
    let mut documents: Value = serde_json::from_str(&done.stdout).unwrap();
    documents["policy"].take()
}

fn run(feature: &Feature, scene: Scene, policy: &Value) -> Done {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.add_kms_key("alias/models"));
    let tool = tool(&sandbox, feature);
    scene(&sandbox, &tool);
    sandbox.set_policy(
        &sandbox.default_key_id(),
        Policy::from_json(&policy.to_string()),
    );
    tool.run()
}

/// The actions of a policy.
fn actions(policy: &Value) -> Vec<String> {
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements
        .iter()
        .flat_map(|one| one["Action"].as_array().unwrap());
    actions
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

fn without(policy: &Value, action: &str) -> Value {
    let mut policy = policy.clone();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        let actions = statement["Action"].as_array_mut().unwrap();
        actions.retain(|one| one != action);
        if actions.is_empty() {
            actions.push(json!("made:up"));
        }
    }
    policy
}

#[test]
fn printed_policy_allows_every_feature() {
    for feature in FEATURES {
        let policy = policy(feature);
        for scene in feature.scenes {
            let done = run(feature, *scene, &policy);
            assert_eq!(
                done.code,
                Some(0),
                "{:?}\n{policy:#}\n{}",
                feature.inputs,
                done.stderr
            );
            assert!(
                !done.stderr.contains("denied"),
                "{:?} {}",
                feature.inputs,
                done.stderr
            );
        }
    }
}

#[test]
fn each_printed_action_is_required() {
    for feature in FEATURES {
        let policy = policy(feature);
        for action in actions(&policy) {
            // Without it AWS leaves old versions under the old key, and says nothing (facts on UpdateSecret).
            if action == "kms:Encrypt" {
                continue;
            }
            let lesser = without(&policy, &action);
            let name = action.split(':').nth(1).unwrap();
            let missed = feature.scenes.iter().any(|scene| {
                let done = run(feature, *scene, &lesser);
                let spared = done.code == Some(0) && SPARED.contains(&name);
                (done.code == Some(4) || spared) && done.stderr.contains(name)
            });
            assert!(
                missed,
                "{} {:?}: nobody misses {action}",
                feature.command, feature.inputs
            );
        }
    }
}

fn documents(tool: &Tool) -> Value {
    let done = tool.run();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

fn bare(inputs: &[(&str, &str)]) -> Tool {
    inputs.iter().fold(
        Tool::bare().input("name", NAME).arguments(&["iam-policy"]),
        |tool, (name, value)| tool.input(name, value),
    )
}

#[test]
fn complete_documents_match_snapshot() {
    let documents = documents(&bare(&[
        ("aws-region", "eu-west-1"),
        ("role-to-assume", "arn:aws:iam::111122223333:role/ci"),
        ("kms-key-id", "alias/models"),
        (
            "replica-regions",
            "us-east-1=arn:aws:kms:us-east-1:111122223333:key/1234abcd",
        ),
        ("if-exists", "skip"),
    ]));
    insta::assert_snapshot!(format!("{documents:#}"), @r#"
    {
      "policy": {
        "Statement": [
          {
            "Action": [
              "secretsmanager:DescribeSecret"
            ],
            "Effect": "Allow",
            "Resource": [
              "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-??????",
              "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key"
            ],
            "Sid": "ReadSecret"
          },
          {
            "Action": [
              "secretsmanager:CreateSecret",
              "secretsmanager:PutSecretValue",
              "secretsmanager:ReplicateSecretToRegions",
              "secretsmanager:UpdateSecret"
            ],
            "Effect": "Allow",
            "Resource": [
              "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-??????"
            ],
            "Sid": "WriteSecret"
          },
          {
            "Action": [
              "kms:Decrypt",
              "kms:Encrypt",
              "kms:GenerateDataKey"
            ],
            "Condition": {
              "ForAnyValue:StringEquals": {
                "kms:ResourceAliases": "alias/models"
              },
              "StringEquals": {
                "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"
              }
            },
            "Effect": "Allow",
            "Resource": "arn:aws:kms:eu-west-1:111122223333:key/*",
            "Sid": "UseKey"
          },
          {
            "Action": [
              "kms:Encrypt",
              "kms:GenerateDataKey"
            ],
            "Condition": {
              "StringEquals": {
                "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"
              }
            },
            "Effect": "Allow",
            "Resource": "arn:aws:kms:us-east-1:111122223333:key/1234abcd",
            "Sid": "UseKeyInUsEast1"
          }
        ],
        "Version": "2012-10-17"
      },
      "trust": {
        "Statement": [
          {
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
              "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": "repo:OWNER/REPOSITORY:ref:refs/heads/main"
              }
            },
            "Effect": "Allow",
            "Principal": {
              "Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
            },
            "Sid": "AssumeRoleFromCI"
          }
        ],
        "Version": "2012-10-17"
      }
    }
    "#);
}

#[test]
fn trust_policy_matches_available_token() {
    let role = ("role-to-assume", "arn:aws-cn:iam::111122223333:role/ci");
    let region = ("aws-region", "cn-north-1");
    let trusts = |tool: &Tool| documents(tool)["trust"]["Statement"][0].take();
    let github = bare(&[role, region]).github();
    let github = trusts(
        &github
            .unset("GITHUB_OUTPUT")
            .env("GITHUB_REF", "refs/heads/release"),
    );
    assert_eq!(
        github["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"],
        "repo:acme/models:ref:refs/heads/release"
    );
    assert_eq!(
        github["Principal"]["Federated"],
        "arn:aws-cn:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
    );
    let sandbox = Sandbox::start();
    let token = sandbox.gitlab_token(
        "project_path:acme/models:ref_type:branch:ref:main",
        "made-up-audience",
    );
    let gitlab =
        bare(&[role, region, ("web-identity-token-env", "MADE_UP")]).env("MADE_UP", &token);
    let tests = trusts(&gitlab)["Condition"]["StringEquals"].take();
    let values: Vec<_> = tests.as_object().unwrap().values().cloned().collect();
    assert_eq!(
        values,
        [
            "made-up-audience",
            "project_path:acme/models:ref_type:branch:ref:main"
        ]
    );
    let chained = documents(&bare(&[role, region, ("role-chaining", "true")]));
    assert_eq!(chained.get("trust"), None);
}

/// It is never looked at, but may stand where it should not.
#[test]
fn value_used_as_name_is_not_printed() {
    let value = "made-up-value-in-the-wrong-place";
    for source in ["value", "value-env"] {
        let tool = bare(&[("aws-region", "eu-west-1"), ("name", value)]);
        let tool = match source {
            "value" => tool.input("value", value),
            _ => tool.input("value-env", "MADE_UP").env("MADE_UP", value),
        };
        let done = tool.run();
        assert!(!done.everything().contains(value), "{source}");
    }
}

#[test]
fn invalid_inputs_are_rejected() {
    for inputs in [
        &[][..],
        &[("aws-region", "eu-west-1"), ("role-to-assume", "made-up")],
        &[("aws-region", "eu-west-1"), ("tags", "made-up")],
    ] {
        let done = bare(inputs).run();
        assert_eq!(done.code, Some(2), "{inputs:?} {}", done.stderr);
        assert_eq!(done.stdout, "");
    }
}
