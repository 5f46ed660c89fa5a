//! What a run does, and what it asks AWS for that.

use std::fs;

use sandbox::{Role, Sandbox, Trust};

use super::{many, numbered, plain, secret, value};
use crate::common::{Done, calls, operations};

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

fn example(sandbox: &Sandbox) -> crate::common::Tool {
    let tool = many(sandbox, EXAMPLE)
        .env("MODEL_API_KEY", "made-up-api-key")
        .env("DB_USER", "made-up-user")
        .env("POOL", "5");
    let key = tool.path("tls.key");
    fs::write(&key, b"\xffmade-up key").unwrap();
    let path = key.display().to_string();
    tool.env("KEY_PATH", &path)
}

fn writes(sandbox: &Sandbox) -> Vec<String> {
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

fn totals(done: &Done) -> [&str; 5] {
    ["created", "updated", "unchanged", "failed", "not_tried"].map(|name| done.output(name))
}

#[test]
fn a_release_is_made_so_and_then_left_alone() {
    let sandbox = Sandbox::start();
    let tool = example(&sandbox);
    let done = tool.run();
    done.expect(0, "created");
    assert_eq!(totals(&done), ["4", "0", "0", "0", "0"]);
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
    let done = tool.run();
    done.expect(0, "unchanged");
    assert_eq!(totals(&done), ["0", "0", "4", "0", "0"]);
    assert_eq!(writes(&sandbox), [""; 0]);
    assert_eq!(calls(&sandbox, "BatchGetSecretValue"), 1);

    let done = tool.env("MODEL_API_KEY", "made-up-other-key").run();
    done.expect(0, "updated");
    assert_eq!(totals(&done), ["0", "1", "3", "0", "0"]);
    assert_eq!(writes(&sandbox), ["PutSecretValue"]);
    assert_eq!(value(&sandbox, "prod/model/session-key"), session);
}

#[test]
fn unchanged_secrets_cost_a_request_for_twenty_and_metadata_one_each() {
    let sandbox = Sandbox::start();
    let tool = many(&sandbox, &numbered(45)).env("V", "made-up");
    tool.run().expect(0, "created");
    for (operation, number) in [
        ("BatchGetSecretValue", 3),
        ("DescribeSecret", 45),
        ("CreateSecret", 45),
    ] {
        assert_eq!(calls(&sandbox, operation), number, "{operation}");
    }
    sandbox.clear_log();
    tool.run().expect(0, "unchanged");
    assert_eq!(operations(&sandbox), ["BatchGetSecretValue"; 3]);

    sandbox.clear_log();
    let with_tags = format!("defaults: {{ tags: {{ a: b }} }}\n{}", numbered(3));
    let tool = many(&sandbox, &with_tags).env("V", "made-up");
    tool.run().expect(0, "updated");
    sandbox.clear_log();
    tool.run().expect(0, "unchanged");
    assert_eq!(calls(&sandbox, "BatchGetSecretValue"), 1);
    assert_eq!(calls(&sandbox, "DescribeSecret"), 3);
    assert_eq!(operations(&sandbox).len(), 4);

    sandbox.clear_log();
    many(&sandbox, &numbered(1))
        .env("V", "made-up-2")
        .run()
        .expect(0, "updated");
    assert_eq!(
        operations(&sandbox),
        ["BatchGetSecretValue", "DescribeSecret", "PutSecretValue"]
    );
}

#[test]
fn merged_keys_keep_others_and_lose_no_race() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("db", r#"{ "host": "made-up-host", "user": "old" }"#));
    sandbox.before("UpdateSecretVersionStage", 1, |world| {
        world.put(
            "db",
            r#"{ "host": "made-up-host", "user": "old", "rival": 1 }"#,
        );
    });
    let manifest = "secrets: { db: { json: { user: { env: USER }, password: { generate: { length: 20 } } }, merge: true } }";
    let tool = many(&sandbox, manifest).env("USER", "made-up-user");
    tool.run().expect(0, "updated");
    let document: serde_json::Value = serde_json::from_str(&value(&sandbox, "db")).unwrap();
    assert_eq!(document["host"], "made-up-host");
    assert_eq!(document["user"], "made-up-user");
    assert_eq!(document["rival"], 1);
    let password = document["password"].as_str().unwrap().to_owned();
    assert_eq!(password.len(), 20);
    // Generated for a document that does not have it, and for no other.
    tool.run().expect(0, "unchanged");
    let document: serde_json::Value = serde_json::from_str(&value(&sandbox, "db")).unwrap();
    assert_eq!(document["password"], password.as_str());
}

#[test]
fn a_document_that_says_the_same_stays_as_it_is_written() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("db", "{ \"b\": \"2\",\n \"a\": \"made-up\" }\n"));
    let manifest = "secrets: { db: { json: { a: { env: A }, b: { env: B } } } }";
    let tool = many(&sandbox, manifest).env("A", "made-up").env("B", "2");
    tool.run().expect(0, "unchanged");
    // Without `merge` the whole document is theirs.
    sandbox.with(|world| world.put("db", r#"{"a":"made-up","b":"2","c":3}"#));
    tool.run().expect(0, "updated");
    assert_eq!(value(&sandbox, "db"), r#"{"a":"made-up","b":"2"}"#);
}

#[test]
fn a_generated_value_is_for_a_secret_that_has_none() {
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
    let done = many(&sandbox, manifest).run();
    done.expect(0, "updated");
    assert_eq!(value(&sandbox, "has"), "made-up");
    let made = value(&sandbox, "empty");
    assert_eq!(made.len(), 60);
    assert!(
        !made.bytes().any(|byte| byte.is_ascii_alphabetic()),
        "{made}"
    );
    // What describes the secret is written all the same.
    assert_eq!(
        secret(&sandbox, "has").description.as_deref(),
        Some("words")
    );
    assert!(!done.everything().contains(&made));
    // A rival's first version is not replaced by a generated one.
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create_empty("empty"));
    sandbox.before("PutSecretValue", 1, |world| {
        world.put("empty", "made-up-rival");
    });
    let manifest = "secrets: { empty: { value: { generate: { length: 8 } } } }";
    assert_eq!(many(&sandbox, manifest).run().code, Some(0));
    assert_eq!(value(&sandbox, "empty"), "made-up-rival");
}

#[test]
fn values_come_from_other_secrets_regions_and_roles() {
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
    let tool = many(&sandbox, &manifest).env("FROM", "staging");
    let done = tool.run();
    done.expect(0, "created");
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
    assert!(by_role, "read with the role's session");
    assert!(
        !done.everything().contains("made-up"),
        "{}",
        done.everything()
    );
    tool.run().expect(0, "unchanged");
}

#[test]
fn only_some_are_picked_and_the_others_need_nothing() {
    let manifest = "
secrets:
  prod/a/x: { value: { env: V } }
  prod/b/x: { value: { env: V } }
  staging/c: { value: { env: NOT_SET } }
";
    for (only, wanted) in [
        ("prod/*", &["prod/a/x", "prod/b/x"][..]),
        ("*/b/*", &["prod/b/x"]),
        ("prod/[b-z]*", &["prod/b/x"]),
        ("prod/?/x", &["prod/a/x", "prod/b/x"]),
        ("prod/a/x, prod/b/x", &["prod/a/x", "prod/b/x"]),
    ] {
        let sandbox = Sandbox::start();
        let done = many(&sandbox, manifest)
            .env("V", "made-up")
            .input("only", only)
            .run();
        done.expect(0, "created");
        assert_eq!(sandbox.with(|world| world.names()), wanted, "{only}");
    }
    let sandbox = Sandbox::start();
    for (only, why) in [
        ("dev/*", "fits no secret of the manifest"),
        ("[a", "must be names in which"),
    ] {
        let done = many(&sandbox, manifest)
            .env("V", "made-up")
            .input("only", only)
            .run();
        assert_eq!(done.code, Some(2));
        assert!(done.stderr.contains(why), "{}", done.stderr);
    }
    assert_eq!(operations(&sandbox), [""; 0]);
}

#[test]
fn a_crowd_of_writes_stays_below_the_quota_and_survives_it() {
    let sandbox = Sandbox::start();
    sandbox.set_rate_limit(Some(20));
    // Ten times what this AWS gives.
    let tool = many(&sandbox, &numbered(60))
        .env("V", "made-up")
        .input("rate", "200");
    tool.run().expect(0, "created");
    let versions = |number| secret(&sandbox, &format!("s/{number}")).versions.len();
    assert!((0..60).all(|number| versions(number) == 1));
}

#[test]
fn a_plan_says_what_the_run_then_does_and_writes_nothing() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create("a", "made-up");
        world.create("b", "made-up-old");
    });
    let tool = many(&sandbox, &plain(&["a", "b", "c"])).env("V", "made-up");
    let plan = tool.arguments(&["plan"]);
    let done = plan.run();
    done.expect(0, "updated");
    assert_eq!(totals(&done), ["1", "1", "1", "0", "0"]);
    assert_eq!(writes(&sandbox), [""; 0]);
    assert!(
        done.stderr
            .contains("1 to be created, 1 to be updated, 1 unchanged"),
        "{}",
        done.stderr
    );
    let run = plan.arguments(&[]).run();
    assert_eq!(totals(&run), totals(&done));
}

#[test]
fn what_one_secret_can_be_asked_each_of_many_can() {
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
    let tool = many(&sandbox, &manifest)
        .env("V", "made-up")
        .env("B", "/w==");
    let done = tool.run();
    done.expect(0, "updated");
    assert_eq!(totals(&done), ["2", "5", "1", "0", "0"], "{}", done.stderr);
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
    tool.run().expect(0, "unchanged");
}
