//! Attribute-based access control: the secret's tags allow reads and writes, and the tags of the request allow its creation. A
//! missing secret has no tags, so nothing shows whether it exists.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use sandbox::client::Client;
use sandbox::{Fault, Policy, Sandbox};
use serde_json::json;

use crate::common::{
    Cli, NAME, Outcome, call_count, current_value, normalized_stderr, version_count,
};
use crate::manifest::manifest_cli;

/// Allows creating secrets with the tag `team` and this value, and all access to them.
fn sandbox_for(team: &str) -> Sandbox {
    let sandbox = Sandbox::start();
    restrict(&sandbox, team);
    sandbox
}

fn restrict(sandbox: &Sandbox, team: &str) {
    sandbox.set_policy(&sandbox.default_key_id(), policy("team", team));
}

fn policy(tag: &str, value: &str) -> Policy {
    Policy::from_json(&format!(
        r#"{{"Statement":[
            {{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*",
              "Condition":{{"StringEquals":{{"aws:ResourceTag/{tag}":"{value}"}}}}}},
            {{"Effect":"Allow","Action":["secretsmanager:CreateSecret","secretsmanager:TagResource",
                "secretsmanager:ReplicateSecretToRegions"],"Resource":"*",
              "Condition":{{"StringEquals":{{"aws:RequestTag/{tag}":"{value}"}}}}}},
            {{"Effect":"Allow","Action":"secretsmanager:BatchGetSecretValue","Resource":"*"}}]}}"#
    ))
}

/// Creates the secret with these tags, ignoring policies.
fn create(sandbox: &Sandbox, value: &str, tags: &[(&str, &str)]) {
    let key = sandbox.default_key_id();
    sandbox.set_policy(&key, Policy::allow_all());
    sandbox.with(|world| world.create(NAME, value));
    let tags: Vec<_> = tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    let input = json!({"SecretId": NAME, "Tags": tags});
    let tagged = Client::new(&sandbox.url()).call("TagResource", &input);
    assert_eq!(tagged.unwrap().status, 200);
}

fn tags(sandbox: &Sandbox) -> BTreeMap<String, String> {
    sandbox.with(|world| world.secret(NAME)).unwrap().tags
}

fn cli(sandbox: &Sandbox, inputs: &[(&str, &str)]) -> Cli {
    let cli = Cli::new(sandbox, "made-up")
        .github()
        .input("tags", "team=a");
    let with = |cli: Cli, (name, value): &(&str, &str)| cli.input(name, value);
    inputs.iter().fold(cli, with)
}

fn run(sandbox: &Sandbox, inputs: &[(&str, &str)]) -> Outcome {
    cli(sandbox, inputs).run()
}

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},
    "Action":"secretsmanager:GetSecretValue","Resource":"*"}}"#;

/// Inputs; those that need no read permission come first.
const REQUESTS: &[&[(&str, &str)]] = &[
    &[],
    &[("description", "d")],
    &[("compare", "always")],
    &[("compare", "never")],
    &[("if-exists", "skip")],
    &[("if-exists", "skip"), ("compare", "never")],
    &[("json-key", "k")],
    &[("tag-policy", "replace")],
    &[("version-stages", "AWSCURRENT,blue")],
    &[("version-stages", "blue")],
    &[("replica-regions", "eu-west-2")],
    &[("resource-policy", POLICY)],
];

#[test]
fn first_run_creates_and_second_changes_nothing() {
    for inputs in REQUESTS {
        let sandbox = sandbox_for("a");
        let first = run(&sandbox, inputs);
        first.expect(0, "created");
        assert_eq!(tags(&sandbox)["team"], "a", "{inputs:?}");
        let notice = "not checked before it was created";
        assert!(first.stderr.contains(notice), "{}", first.stderr);
        for text in ["warning", "are written without comparing"] {
            let found =
                first.stderr.contains(text) && !inputs.contains(&("version-stages", "blue"));
            assert!(!found, "{inputs:?} {}", first.stderr);
        }
        let second = run(&sandbox, inputs);
        second.expect(0, "unchanged");
        assert_eq!(
            second.output("secret_version_id"),
            first.output("secret_version_id"),
            "{inputs:?}"
        );
        assert_eq!(version_count(&sandbox), 1, "{inputs:?}");
        assert_eq!(call_count(&sandbox, "CreateSecret"), 1, "{inputs:?}");
    }
}

#[test]
fn secret_of_others_is_never_written() {
    for inputs in REQUESTS {
        let sandbox = Sandbox::start();
        create(&sandbox, "foreign", &[("team", "b")]);
        restrict(&sandbox, "a");
        let outcome = run(&sandbox, inputs);
        if inputs.contains(&("if-exists", "skip")) {
            outcome.expect(0, "unchanged");
            assert!(
                outcome.stderr.contains("left unchanged"),
                "{}",
                outcome.stderr
            );
        } else {
            outcome.expect(4, "");
        }
        assert_eq!(current_value(&sandbox).as_deref(), Some("foreign"));
        assert_eq!(version_count(&sandbox), 1, "{inputs:?}");
        assert_eq!(tags(&sandbox)["team"], "b", "{inputs:?}");
    }
}

#[test]
fn messages_explain_what_cannot_be_known() {
    let text = |outcome: &Outcome| {
        outcome.expect(4, "");
        normalized_stderr(outcome)
    };
    let plain = |sandbox: &Sandbox, inputs: &[(&str, &str)]| {
        cli(sandbox, inputs)
            .unset("GITHUB_ACTIONS")
            .unset("GITHUB_OUTPUT")
    };
    let sandbox = Sandbox::start();
    create(&sandbox, "foreign", &[("team", "b")]);
    restrict(&sandbox, "a");
    let exists = plain(&sandbox, &[("json-key", "k")]).run();
    assert_snapshot!(text(&exists), @r"
    error: prod/model/api-key exists, but the caller is not allowed to describe it
      why:  AWS answered: User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: secretsmanager:DescribeSecret on resource: arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six] because no identity-based policy allows the secretsmanager:DescribeSecret action
            CreateSecret answered that the name is taken, and what is requested depends on what the secret holds: nothing was written
      next: allow this in the caller's policy:
              action    secretsmanager:DescribeSecret
              resource  arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-??????
              and       arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key
            if access depends on tags (aws:ResourceTag), the secret lacks the tags that the policy requires: find out whose it is, and correct its tags or choose another name
      aws:  DescribeSecret, AccessDeniedException, request id [id]
      exit: 4 (not allowed)
    ");
    let sandbox = sandbox_for("a");
    let untagged = plain(&sandbox, &[("json-key", "k")])
        .unset("UPSERT_SECRET_TAGS")
        .run();
    assert_snapshot!(text(&untagged), @r"
    error: permission denied: CreateSecret on prod/model/api-key
      why:  AWS answered: User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: secretsmanager:CreateSecret on resource: prod/model/api-key because no identity-based policy allows the secretsmanager:CreateSecret action
            DescribeSecret is denied as well, so whether the secret exists is not known
      next: allow this in the caller's policy:
              action    secretsmanager:CreateSecret
              resource  arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-??????
            if the secret exists, allow DescribeSecret on it instead; if access depends on tags (aws:RequestTag, aws:ResourceTag), list those that the policy requires in UPSERT_SECRET_TAGS
      aws:  CreateSecret, AccessDeniedException, request id [id]
      exit: 4 (not allowed)
    ");
    let manifest = "secrets: { prod/a: { value: { env: V }, tags: { team: a } } }";
    let together = manifest_cli(&sandbox, manifest)
        .env("V", "made-up")
        .input("all-or-nothing", "true")
        .run();
    assert_eq!(together.code, Some(4), "{}", together.stderr);
    let explains = "a secret that does not exist has none";
    assert!(together.stderr.contains(explains), "{}", together.stderr);
}

#[test]
fn plan_shows_the_creation() {
    for inputs in [("json-key", "k"), ("if-exists", "skip")] {
        let sandbox = sandbox_for("a");
        let outcome = cli(&sandbox, &[inputs]).args(&["plan"]).run();
        outcome.expect(0, "created");
        assert_eq!(call_count(&sandbox, "CreateSecret"), 0);
    }
}

#[test]
fn manifest_creates_every_kind_of_entry() {
    let sandbox = sandbox_for("a");
    let manifest = "
defaults: { tags: { team: a } }
secrets:
  a: { value: { env: V } }
  b: { json: { k: { env: V } }, merge: true }
  c: { value: { generate: { length: 20 } } }
  d: { value: { env: V }, if-exists: skip }
  e: { value: { env: V }, version-stages: 'AWSCURRENT,blue' }
  f: { value: { env: V }, compare: always, tag-policy: replace }
";
    let cli = manifest_cli(&sandbox, manifest).env("V", "made-up");
    let first = cli.run();
    assert_eq!(
        first.counts(),
        ["6", "0", "0", "0", "0"],
        "{}",
        first.stderr
    );
    let second = cli.run();
    assert_eq!(
        second.counts(),
        ["0", "0", "6", "0", "0"],
        "{}",
        second.stderr
    );
}

#[test]
fn lost_creation_is_found() {
    for inputs in REQUESTS {
        for attempts in ["1", "3"] {
            let sandbox = sandbox_for("a");
            sandbox.fault("CreateSecret", 1, Fault::LostAfter);
            let outcome = cli(&sandbox, inputs)
                .env("AWS_MAX_ATTEMPTS", attempts)
                .run();
            assert_eq!(outcome.code, Some(0), "{inputs:?} {}", outcome.stderr);
            assert_eq!(version_count(&sandbox), 1, "{inputs:?}");
            // Without a response, an earlier attempt of the same job may have created it.
            if attempts == "3" {
                outcome.expect(0, "created");
            }
        }
    }
}

#[test]
fn concurrent_creation_is_not_overwritten() {
    for inputs in REQUESTS {
        let sandbox = sandbox_for("a");
        sandbox.before("CreateSecret", 1, |world| {
            world.create(NAME, "foreign");
        });
        let outcome = run(&sandbox, inputs);
        let wanted = if inputs.contains(&("if-exists", "skip")) {
            0
        } else {
            4
        };
        assert_eq!(outcome.code, Some(wanted), "{inputs:?} {}", outcome.stderr);
        assert_eq!(current_value(&sandbox).as_deref(), Some("foreign"));
    }
}

#[test]
fn put_after_creation_is_kept() {
    for inputs in REQUESTS {
        let sandbox = sandbox_for("a");
        sandbox.after("CreateSecret", 1, |world| {
            world.put(NAME, "foreign");
        });
        run(&sandbox, inputs).expect(0, "created");
        assert_eq!(current_value(&sandbox).as_deref(), Some("foreign"));
        assert_eq!(version_count(&sandbox), 2, "{inputs:?}");
    }
}

#[test]
fn renamed_tag_lets_the_run_finish() {
    let sandbox = Sandbox::start();
    create(&sandbox, "made-up", &[("group", "a"), ("old", "x")]);
    sandbox.set_policy(&sandbox.default_key_id(), policy("group", "a"));
    let outcome = run(&sandbox, &[("tag-policy", "replace")]);
    // The new tag is not in the policy: the old one allows TagResource.
    outcome.expect(0, "updated");
    assert_eq!(
        tags(&sandbox),
        BTreeMap::from([("team".into(), "a".into())])
    );
}

#[test]
fn tags_are_replaced_at_the_quota() {
    let sandbox = Sandbox::start();
    let keys: Vec<String> = (0..50).map(|number| format!("k{number}")).collect();
    let full: Vec<_> = keys.iter().map(|key| (key.as_str(), "x")).collect();
    create(&sandbox, "made-up", &full);
    let outcome = run(&sandbox, &[("tag-policy", "replace")]);
    outcome.expect(0, "updated");
    assert_eq!(
        tags(&sandbox),
        BTreeMap::from([("team".into(), "a".into())])
    );
    assert_eq!(call_count(&sandbox, "UntagResource"), 2);
}
