//! `iam-policy`: the printed policy allows the run, and every action in it is required.

use sandbox::{Policy, Sandbox};
use serde_json::{Value, json};

use crate::common::{Cli, NAME, Outcome, operations};

mod features;

use features::{FEATURES, Feature, InitialState};

/// Reads that a run can do without, with a warning.
const OPTIONAL_READS: &[&str] = &["DescribeSecret", "GetSecretValue", "GetResourcePolicy"];

fn cli(sandbox: &Sandbox, feature: &Feature) -> Cli {
    let mut cli = Cli::new(sandbox, "made-up")
        .github()
        .input("allowed-account-ids", sandbox.account())
        .args(&[feature.command]);
    for (name, value) in feature.inputs {
        cli = cli.input(name, value);
    }
    cli
}

/// The printed policy for a feature's inputs.
fn policy(feature: &Feature) -> Value {
    let sandbox = Sandbox::start();
    let cli = cli(&sandbox, feature)
        .unset("UPSERT_SECRET_VALUE")
        .unset("GITHUB_ACTIONS")
        .input("command", feature.command)
        .args(&["iam-policy"]);
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(operations(&sandbox).is_empty(), "sends no request");
    let mut documents: Value = serde_json::from_str(&outcome.stdout).unwrap();
    documents["policy"].take()
}

#[test]
fn job_summary_shows_the_policy() {
    let sandbox = Sandbox::start();
    let outcome = Cli::new(&sandbox, "")
        .unset("UPSERT_SECRET_VALUE")
        .github()
        .args(&["iam-policy"])
        .run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let (heading, rest) = outcome.summary.split_once("```json\n").unwrap();
    assert_eq!(heading, "### IAM policy of this run\n\n");
    let (document, _) = rest.split_once("\n```\n").unwrap();
    assert_eq!(document, outcome.stdout.trim_end());
}

fn run(feature: &Feature, initial_state: InitialState, policy: &Value) -> Outcome {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.add_kms_key("alias/models"));
    let cli = cli(&sandbox, feature);
    initial_state(&sandbox, &cli);
    sandbox.set_policy(
        &sandbox.default_key_id(),
        Policy::from_json(&policy.to_string()),
    );
    cli.run()
}

fn actions(policy: &Value) -> Vec<String> {
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements
        .iter()
        .flat_map(|one| one["Action"].as_array().unwrap());
    actions
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

fn policy_without(policy: &Value, action: &str) -> Value {
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
        for initial_state in feature.initial_states {
            let outcome = run(feature, *initial_state, &policy);
            assert_eq!(
                outcome.code,
                Some(0),
                "{:?}\n{policy:#}\n{}",
                feature.inputs,
                outcome.stderr
            );
            assert!(
                !outcome.stderr.contains("denied"),
                "{:?} {}",
                feature.inputs,
                outcome.stderr
            );
        }
    }
}

#[test]
fn each_printed_action_is_required() {
    for feature in FEATURES {
        let policy = policy(feature);
        for action in actions(&policy) {
            // Without `kms:Encrypt`, UpdateSecret silently leaves old versions under the old key.
            if action == "kms:Encrypt" {
                continue;
            }
            let reduced = policy_without(&policy, &action);
            let name = action.split(':').nth(1).unwrap();
            let required = feature.initial_states.iter().any(|initial_state| {
                let outcome = run(feature, *initial_state, &reduced);
                let optional = outcome.code == Some(0) && OPTIONAL_READS.contains(&name);
                (outcome.code == Some(4) || optional) && outcome.stderr.contains(name)
            });
            assert!(
                required,
                "{} {:?}: {action} is not required",
                feature.command, feature.inputs
            );
        }
    }
}

/// The policy with the condition on staging labels that each call can meet: a read names the label whose holder is
/// compared, and a move of a label names that label.
fn policy_with_stage_conditions(policy: &Value, operator: &str, read: &str) -> Value {
    let mut policy = policy.clone();
    let mut conditional = Vec::new();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        for (action, labels) in [
            ("secretsmanager:GetSecretValue", json!([read])),
            (
                "secretsmanager:UpdateSecretVersionStage",
                json!(["AWSCURRENT", "blue", "candidate", "upsert-secret-*"]),
            ),
        ] {
            let actions = statement["Action"].as_array_mut().unwrap();
            if actions.contains(&json!(action)) {
                actions.retain(|one| one != action);
                conditional.push(json!({
                    "Effect": "Allow",
                    "Action": [action],
                    "Resource": statement["Resource"],
                    "Condition": {operator: {"secretsmanager:VersionStage": labels}},
                }));
            }
        }
    }
    let statements = policy["Statement"].as_array_mut().unwrap();
    statements.extend(conditional);
    policy
}

#[test]
fn printed_policy_works_with_stage_conditions() {
    for feature in FEATURES {
        let policy = policy(feature);
        let input = |wanted: &str| feature.inputs.iter().find(|(name, _)| *name == wanted);
        let stages = input("version-stages").map_or("AWSCURRENT", |(_, stages)| stages);
        let read = stages.split(',').next().unwrap();
        for operator in ["StringLike", "ForAnyValue:StringLike"] {
            let policy = policy_with_stage_conditions(&policy, operator, read);
            for initial_state in feature.initial_states {
                let outcome = run(feature, *initial_state, &policy);
                assert_eq!(outcome.code, Some(0), "{policy:#}\n{}", outcome.stderr);
                assert!(!outcome.stderr.contains("denied"), "{}", outcome.stderr);
            }
        }
    }
}

fn printed_documents(cli: &Cli) -> Value {
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn iam_policy_cli(inputs: &[(&str, &str)]) -> Cli {
    inputs.iter().fold(
        Cli::with_empty_env()
            .input("name", NAME)
            .args(&["iam-policy"]),
        |cli, (name, value)| cli.input(name, value),
    )
}

#[test]
fn complete_documents_match_snapshot() {
    let documents = printed_documents(&iam_policy_cli(&[
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
              "secretsmanager:UpdateSecret",
              "secretsmanager:UpdateSecretVersionStage"
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
fn subject_with_ids_of_github_is_noted() {
    let role = ("role-to-assume", "arn:aws:iam::111122223333:role/ci");
    for (ids, subject) in [
        (
            Some(("123456", "456789")),
            "repo:acme@123456/models@456789:ref:refs/heads/main",
        ),
        (None, "repo:acme@ID/models@ID:ref:refs/heads/main"),
    ] {
        let mut job = iam_policy_cli(&[role, ("aws-region", "eu-west-1")])
            .github()
            .unset("GITHUB_OUTPUT")
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_REF", "refs/heads/main");
        if let Some((owner, repository)) = ids {
            job = job
                .env("GITHUB_REPOSITORY_OWNER_ID", owner)
                .env("GITHUB_REPOSITORY_ID", repository);
        }
        let outcome = job.run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(subject), "{}", outcome.stderr);
    }
}

#[test]
fn trust_policy_matches_available_token() {
    let role = ("role-to-assume", "arn:aws-cn:iam::111122223333:role/ci");
    let region = ("aws-region", "cn-north-1");
    let trusts = |cli: &Cli| printed_documents(cli)["trust"]["Statement"][0].take();
    let github = iam_policy_cli(&[role, region]).github();
    let github = trusts(
        &github
            .unset("GITHUB_OUTPUT")
            .env("GITHUB_SERVER_URL", "https://github.com")
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
    for (server, provider) in [
        ("https://github.com", "token.actions.githubusercontent.com"),
        ("https://acme.ghe.com", "token.actions.acme.ghe.com"),
        (
            "https://git.acme.example/",
            "git.acme.example/_services/token",
        ),
        // Would trust more than one provider.
        (
            "https://*.acme.example",
            "token.actions.githubusercontent.com",
        ),
    ] {
        let job = iam_policy_cli(&[role, region]).github();
        let job = job.unset("GITHUB_OUTPUT").env("GITHUB_SERVER_URL", server);
        let trust = trusts(&job);
        assert_eq!(
            trust["Principal"]["Federated"],
            format!("arn:aws-cn:iam::111122223333:oidc-provider/{provider}")
        );
        let condition = trust["Condition"]["StringEquals"].as_object().unwrap();
        assert!(
            condition.contains_key(&format!("{provider}:sub")),
            "{trust}"
        );
    }
    let sandbox = Sandbox::start();
    let token = sandbox.gitlab_token(
        "project_path:acme/models:ref_type:branch:ref:main",
        "made-up-audience",
    );
    let gitlab = iam_policy_cli(&[role, region, ("web-identity-token-env", "MADE_UP")])
        .env("MADE_UP", &token);
    let tests = trusts(&gitlab)["Condition"]["StringEquals"].take();
    let values: Vec<_> = tests.as_object().unwrap().values().cloned().collect();
    assert_eq!(
        values,
        [
            "made-up-audience",
            "project_path:acme/models:ref_type:branch:ref:main"
        ]
    );
    let chained = printed_documents(&iam_policy_cli(&[role, region, ("role-chaining", "true")]));
    assert_eq!(chained.get("trust"), None);
}

/// `iam-policy` does not need the value, but a name may contain it by mistake.
#[test]
fn value_used_as_name_is_not_printed() {
    let value = "made-up-value-in-the-wrong-place";
    for source in ["value", "value-env"] {
        let cli = iam_policy_cli(&[("aws-region", "eu-west-1"), ("name", value)]);
        let cli = match source {
            "value" => cli.input("value", value),
            _ => cli.input("value-env", "MADE_UP").env("MADE_UP", value),
        };
        let outcome = cli.run();
        assert!(!outcome.all_output().contains(value), "{source}");
    }
}

#[test]
fn invalid_inputs_are_rejected() {
    for inputs in [
        &[][..],
        &[("aws-region", "eu-west-1"), ("role-to-assume", "made-up")],
        &[("aws-region", "eu-west-1"), ("tags", "made-up")],
    ] {
        let outcome = iam_policy_cli(inputs).run();
        assert_eq!(outcome.code, Some(2), "{inputs:?} {}", outcome.stderr);
        assert_eq!(outcome.stdout, "");
    }
}
