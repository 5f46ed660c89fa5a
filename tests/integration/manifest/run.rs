//! What a manifest run writes, and how many requests it sends.

use std::fs;

use sandbox::{Role, Sandbox, Trust};

use super::{manifest_cli, manifest_of, numbered_manifest, secret, value};
use crate::common::{call_count, operations};

const EXAMPLE: &str = "
defaults:
  tags: { team: ml }
secrets:
  prod/model/api-key:
    description: API key for AI model deployment workflow
    value: { env: MODEL_API_KEY }
    tags: { stage: prod }
  prod/model/database:
    json:
      user: { env: DB_USER }
      /pool/size: { env: POOL, json-value-as: json }
    merge: true
  prod/model/tls-key:
    value: { file: '${KEY_PATH}' }
    store-as: binary
  prod/model/session-key:
    value: { generate: { length: 48 } }
";

fn example(sandbox: &Sandbox) -> crate::common::Cli {
    let cli = manifest_cli(sandbox, EXAMPLE)
        .env("MODEL_API_KEY", "made-up-api-key")
        .env("DB_USER", "made-up-user")
        .env("POOL", "5");
    let key = cli.path("tls.key");
    fs::write(&key, b"\xffmade-up key").unwrap();
    let path = key.display().to_string();
    cli.env("KEY_PATH", &path)
}

fn write_operations(sandbox: &Sandbox) -> Vec<String> {
    let reads = [
        "BatchGetSecretValue",
        "DescribeSecret",
        "GetSecretValue",
        "AssumeRole",
    ];
    let mut log = operations(sandbox);
    log.retain(|operation| !reads.contains(&operation.as_str()));
    log
}

#[test]
fn apply_then_rerun_is_unchanged() {
    let sandbox = Sandbox::start();
    let cli = example(&sandbox);
    let outcome = cli.run();
    outcome.expect(0, "created");
    assert_eq!(outcome.counts(), ["4", "0", "0", "0", "0"]);
    let api_key = secret(&sandbox, "prod/model/api-key");
    assert_eq!(
        api_key.description.as_deref(),
        Some("API key for AI model deployment workflow")
    );
    assert_eq!(api_key.tags.len(), 2);
    assert_eq!(value(&sandbox, "prod/model/api-key"), "made-up-api-key");
    assert_eq!(
        value(&sandbox, "prod/model/database"),
        r#"{"user":"made-up-user","pool":{"size":5}}"#
    );
    let tls = secret(&sandbox, "prod/model/tls-key");
    assert_eq!(
        tls.current().unwrap().binary.as_deref(),
        Some(&b"\xffmade-up key"[..])
    );
    let session = value(&sandbox, "prod/model/session-key");
    assert_eq!(session.len(), 48);

    sandbox.clear_log();
    let outcome = cli.run();
    outcome.expect(0, "unchanged");
    assert_eq!(outcome.counts(), ["0", "0", "4", "0", "0"]);
    assert_eq!(write_operations(&sandbox), [""; 0]);
    assert_eq!(call_count(&sandbox, "BatchGetSecretValue"), 1);

    let outcome = cli.env("MODEL_API_KEY", "made-up-other-key").run();
    outcome.expect(0, "updated");
    assert_eq!(outcome.counts(), ["0", "1", "3", "0", "0"]);
    assert_eq!(write_operations(&sandbox), ["PutSecretValue"]);
    assert_eq!(value(&sandbox, "prod/model/session-key"), session);
}

#[test]
fn unchanged_secrets_are_read_in_batches() {
    let sandbox = Sandbox::start();
    let cli = manifest_cli(&sandbox, &numbered_manifest(45)).env("V", "made-up");
    cli.run().expect(0, "created");
    for (operation, number) in [
        ("BatchGetSecretValue", 3),
        ("DescribeSecret", 45),
        ("CreateSecret", 45),
    ] {
        assert_eq!(call_count(&sandbox, operation), number, "{operation}");
    }
    sandbox.clear_log();
    cli.run().expect(0, "unchanged");
    assert_eq!(operations(&sandbox), ["BatchGetSecretValue"; 3]);

    sandbox.clear_log();
    let with_tags = format!("defaults: {{ tags: {{ a: b }} }}\n{}", numbered_manifest(3));
    let cli = manifest_cli(&sandbox, &with_tags).env("V", "made-up");
    cli.run().expect(0, "updated");
    sandbox.clear_log();
    cli.run().expect(0, "unchanged");
    assert_eq!(call_count(&sandbox, "BatchGetSecretValue"), 1);
    assert_eq!(call_count(&sandbox, "DescribeSecret"), 3);
    assert_eq!(operations(&sandbox).len(), 4);

    sandbox.clear_log();
    manifest_cli(&sandbox, &numbered_manifest(1))
        .env("V", "made-up-2")
        .run()
        .expect(0, "updated");
    assert_eq!(
        operations(&sandbox),
        ["BatchGetSecretValue", "DescribeSecret", "PutSecretValue"]
    );
}

#[test]
fn merge_keeps_other_and_concurrent_keys() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("db", r#"{ "host": "made-up-host", "user": "old" }"#));
    sandbox.before("UpdateSecretVersionStage", 1, |world| {
        world.put(
            "db",
            r#"{ "host": "made-up-host", "user": "old", "rival": 1 }"#,
        );
    });
    let manifest = "secrets: { db: { json: { user: { env: USER }, password: { generate: { length: 20 } } }, merge: true } }";
    let cli = manifest_cli(&sandbox, manifest).env("USER", "made-up-user");
    cli.run().expect(0, "updated");
    let document: serde_json::Value = serde_json::from_str(&value(&sandbox, "db")).unwrap();
    assert_eq!(document["host"], "made-up-host");
    assert_eq!(document["user"], "made-up-user");
    assert_eq!(document["rival"], 1);
    let password = document["password"].as_str().unwrap().to_owned();
    assert_eq!(password.len(), 20);
    // A value is generated only while the key is missing.
    cli.run().expect(0, "unchanged");
    let document: serde_json::Value = serde_json::from_str(&value(&sandbox, "db")).unwrap();
    assert_eq!(document["password"], password.as_str());
}

#[test]
fn equal_json_document_is_unchanged() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("db", "{ \"b\": \"2\",\n \"a\": \"made-up\" }\n"));
    let manifest = "secrets: { db: { json: { a: { env: A }, b: { env: B } } } }";
    let cli = manifest_cli(&sandbox, manifest)
        .env("A", "made-up")
        .env("B", "2");
    cli.run().expect(0, "unchanged");
    // Without `merge` the whole document is replaced.
    sandbox.with(|world| world.put("db", r#"{"a":"made-up","b":"2","c":3}"#));
    cli.run().expect(0, "updated");
    assert_eq!(value(&sandbox, "db"), r#"{"a":"made-up","b":"2"}"#);
}

#[test]
fn generate_fills_only_missing_values() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create("has", "made-up");
        world.create_empty("empty");
    });
    let manifest = "
defaults: { description: words }
secrets:
  has: { value: { generate: { length: 8 } } }
  empty: { value: { generate: { length: 60, classes: [symbols, digits] } } }
";
    let outcome = manifest_cli(&sandbox, manifest).run();
    outcome.expect(0, "updated");
    assert_eq!(value(&sandbox, "has"), "made-up");
    let generated = value(&sandbox, "empty");
    assert_eq!(generated.len(), 60);
    assert!(
        !generated.bytes().any(|byte| byte.is_ascii_alphabetic()),
        "{generated}"
    );
    // Metadata is written although the value is kept.
    assert_eq!(
        secret(&sandbox, "has").description.as_deref(),
        Some("words")
    );
    assert!(!outcome.all_output().contains(&generated));
    // A first version that another writer put concurrently is kept.
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create_empty("empty"));
    sandbox.before("PutSecretValue", 1, |world| {
        world.put("empty", "made-up-rival");
    });
    let manifest = "secrets: { empty: { value: { generate: { length: 8 } } } }";
    assert_eq!(manifest_cli(&sandbox, manifest).run().code, Some(0));
    assert_eq!(value(&sandbox, "empty"), "made-up-rival");
}

#[test]
fn sources_span_secrets_regions_and_roles() {
    let role = "arn:aws:iam::111122223333:role/reader";
    let sandbox = Sandbox::start();
    sandbox.add_role(
        Role::new(role).trust(Trust::principal("arn:aws:iam::111122223333:user/sandbox")),
    );
    sandbox.with(|world| {
        world.create("staging/a", "made-up-old-a");
        world.put("staging/a", "made-up-a");
        world.create_binary("staging/b", b"\xfemade-up");
        world.create("staging/c", "made-up-c");
        world.replicate("staging/c", "us-west-2");
        world.settle_replicas();
    });
    let manifest = format!(
        "
secrets:
  prod/a: {{ value: {{ secret: {{ id: '${{FROM}}/a' }} }} }}
  prod/before: {{ value: {{ secret: {{ id: staging/a, stage: AWSPREVIOUS }} }} }}
  prod/b: {{ value: {{ secret: {{ id: staging/b, role: {role} }} }} }}
  prod/c: {{ value: {{ secret: {{ id: staging/c, region: us-west-2 }} }} }}
  prod/d: {{ json: {{ a: {{ secret: {{ id: staging/a }} }} }} }}
"
    );
    let cli = manifest_cli(&sandbox, &manifest).env("FROM", "staging");
    let outcome = cli.run();
    outcome.expect(0, "created");
    assert_eq!(value(&sandbox, "prod/a"), "made-up-a");
    assert_eq!(value(&sandbox, "prod/before"), "made-up-old-a");
    assert_eq!(value(&sandbox, "prod/c"), "made-up-c");
    assert_eq!(value(&sandbox, "prod/d"), r#"{"a":"made-up-a"}"#);
    let binary = secret(&sandbox, "prod/b").current().unwrap().binary.clone();
    assert_eq!(binary.as_deref(), Some(&b"\xfemade-up"[..]));
    let by_role = sandbox
        .log()
        .iter()
        .any(|entry| entry.caller.contains("assumed-role/reader"));
    assert!(by_role, "reads with the role's session");
    assert!(
        !outcome.all_output().contains("made-up"),
        "{}",
        outcome.all_output()
    );
    cli.run().expect(0, "unchanged");
}

#[test]
fn only_selects_matching_secrets() {
    let manifest = "
secrets:
  prod/a/x: { value: { env: V } }
  prod/b/x: { value: { env: V } }
  staging/c: { value: { env: NOT_SET } }
";
    for (only, expected) in [
        ("prod/*", &["prod/a/x", "prod/b/x"][..]),
        ("*/b/*", &["prod/b/x"]),
        ("prod/[b-z]*", &["prod/b/x"]),
        ("prod/?/x", &["prod/a/x", "prod/b/x"]),
        ("prod/a/x, prod/b/x", &["prod/a/x", "prod/b/x"]),
    ] {
        let sandbox = Sandbox::start();
        let outcome = manifest_cli(&sandbox, manifest)
            .env("V", "made-up")
            .input("only", only)
            .run();
        outcome.expect(0, "created");
        assert_eq!(sandbox.with(|world| world.names()), expected, "{only}");
    }
    let sandbox = Sandbox::start();
    for (only, why) in [
        ("dev/*", "matches no secret in the manifest"),
        ("[a", "must be names, in which"),
    ] {
        let outcome = manifest_cli(&sandbox, manifest)
            .env("V", "made-up")
            .input("only", only)
            .run();
        assert_eq!(outcome.code, Some(2));
        assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
    }
    assert_eq!(operations(&sandbox), [""; 0]);
}

#[test]
fn many_writes_survive_throttling() {
    let sandbox = Sandbox::start();
    sandbox.set_rate_limit(Some(20));
    // Ten times the sandbox's rate limit.
    let cli = manifest_cli(&sandbox, &numbered_manifest(60))
        .env("V", "made-up")
        .input("rate", "200");
    cli.run().expect(0, "created");
    let versions = |number| secret(&sandbox, &format!("s/{number}")).versions.len();
    assert!((0..60).all(|number| versions(number) == 1));
}

#[test]
fn plan_matches_following_run() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create("a", "made-up");
        world.create("b", "made-up-old");
    });
    let cli = manifest_cli(&sandbox, &manifest_of(&["a", "b", "c"])).env("V", "made-up");
    let plan = cli.args(&["plan"]);
    let outcome = plan.run();
    outcome.expect(0, "updated");
    assert_eq!(outcome.counts(), ["1", "1", "1", "0", "0"]);
    assert_eq!(write_operations(&sandbox), [""; 0]);
    assert!(
        outcome
            .stderr
            .contains("1 to be created, 1 to be updated, 1 unchanged"),
        "{}",
        outcome.stderr
    );
    let run = plan.args(&[]).run();
    assert_eq!(run.counts(), outcome.counts());
}

#[test]
fn entries_accept_single_secret_options() {
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| {
        for name in ["staged", "skipped", "deleted", "rotated", "blue"] {
            world.create(name, "made-up-old");
        }
        world.schedule_deletion("deleted");
        world.set_rotation("rotated", true);
        world.create("expected", "made-up-old")
    });
    let manifest = format!(
        "
secrets:
  staged: {{ value: {{ env: V }}, version-stages: candidate }}
  skipped: {{ value: {{ env: V }}, if-exists: skip }}
  deleted: {{ value: {{ env: V }}, on-scheduled-deletion: restore }}
  rotated: {{ value: {{ env: V }}, on-rotation: allow }}
  blue: {{ value: {{ env: V }}, version-stages: [AWSCURRENT, blue] }}
  expected: {{ value: {{ env: V }}, expected-version-id: {old} }}
  binary: {{ value: {{ env: B }}, value-encoding: base64, store-as: binary }}
  key: {{ value: {{ env: V }}, json-key: /a/b }}
"
    );
    let cli = manifest_cli(&sandbox, &manifest)
        .env("V", "made-up")
        .env("B", "/w==");
    let outcome = cli.run();
    outcome.expect(0, "updated");
    assert_eq!(
        outcome.counts(),
        ["2", "5", "1", "0", "0"],
        "{}",
        outcome.stderr
    );
    let candidate = secret(&sandbox, "staged")
        .labeled("candidate")
        .unwrap()
        .string
        .clone();
    assert_eq!(candidate.as_deref(), Some("made-up"));
    let current = |name: &str| value(&sandbox, name);
    assert_eq!(
        [
            "staged", "skipped", "deleted", "rotated", "blue", "expected"
        ]
        .map(current),
        [
            "made-up-old",
            "made-up-old",
            "made-up",
            "made-up",
            "made-up",
            "made-up"
        ]
    );
    assert!(secret(&sandbox, "blue").labeled("blue").is_some());
    assert_eq!(
        secret(&sandbox, "binary")
            .current()
            .unwrap()
            .binary
            .as_deref(),
        Some(&b"\xff"[..])
    );
    assert_eq!(current("key"), r#"{"a":{"b":"made-up"}}"#);
    cli.run().expect(0, "unchanged");
}
