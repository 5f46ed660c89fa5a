//! Transactions without other writers: staging, moves, denials and lost responses.

use std::fs;

use sandbox::{Fault, Policy};

use super::{
    NAMES, WRITES, assert_all_new, assert_all_old, existing, manifest_run, new_value, old_value,
    release, remaining_labels, secret, value, values, write_calls,
};
use crate::common::{allow_all_except, call_count, operations};

#[test]
fn all_versions_are_staged_before_any_move() {
    let sandbox = existing();
    let outcome = release(&sandbox, "1").run();
    outcome.expect(0, "updated");
    assert_eq!(outcome.counts(), ["0", "3", "0", "0", "0"]);
    assert_all_new(&sandbox, "1");
    // One batch read; per secret one read, one put, one move and one label removal; and the commit.
    let log = operations(&sandbox);
    let first_move = log
        .iter()
        .position(|op| op == "UpdateSecretVersionStage")
        .unwrap();
    assert!(
        !log[first_move..].contains(&"PutSecretValue".to_owned()),
        "{log:?}"
    );
    for (operation, number) in [
        ("BatchGetSecretValue", 1),
        ("DescribeSecret", 3),
        ("PutSecretValue", 3),
        ("UpdateSecretVersionStage", 7),
    ] {
        assert_eq!(call_count(&sandbox, operation), number, "{operation}");
    }
    for name in NAMES {
        let previous = secret(&sandbox, name)
            .labeled("AWSPREVIOUS")
            .unwrap()
            .string
            .clone();
        assert_eq!(previous, Some(old_value(name)));
    }
    sandbox.clear_log();
    let again = release(&sandbox, "1").run();
    again.expect(0, "unchanged");
    assert_eq!(operations(&sandbox), ["BatchGetSecretValue"]);
}

#[test]
fn unwritable_member_leaves_all_unchanged() {
    for action in [
        "DescribeSecret",
        "PutSecretValue",
        "UpdateSecretVersionStage",
    ] {
        let sandbox = existing();
        sandbox.set_policy(
            &sandbox.default_key_id(),
            allow_all_except(&[(action, "prod/b")]),
        );
        let outcome = release(&sandbox, "1").run();
        assert_eq!(outcome.code, Some(4), "{action}: {}", outcome.stderr);
        assert_eq!(outcome.output("result"), "", "{action}");
        assert_eq!(
            outcome.counts(),
            ["0", "0", "0", "1", "2"],
            "{action}: {}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains("no secret was changed"),
            "{}",
            outcome.stderr
        );
        sandbox.set_policy(&sandbox.default_key_id(), Policy::allow_all());
        assert_eq!(values(&sandbox), NAMES.map(old_value), "{action}");
        // The next run removes a label that this run was not allowed to remove.
        release(&sandbox, "1").run().expect(0, "updated");
        assert_all_new(&sandbox, "1");
    }
    let sandbox = existing();
    sandbox.with(|world| world.set_rotation("prod/c", true));
    let outcome = release(&sandbox, "1").run();
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    assert_eq!(call_count(&sandbox, "PutSecretValue"), 0);
    assert_all_old(&sandbox);
}

#[test]
fn lost_responses_still_commit() {
    for (operation, nth) in write_calls() {
        for fault in [
            Fault::LostAfter,
            Fault::ResetBefore,
            Fault::CutBody,
            Fault::Throttle,
        ] {
            let sandbox = existing();
            sandbox.fault(operation, nth, fault.clone());
            let outcome = release(&sandbox, "1").run();
            assert_eq!(
                outcome.code,
                Some(0),
                "{operation} {nth} {fault:?}: {}",
                outcome.stderr
            );
            assert_eq!(outcome.counts(), ["0", "3", "0", "0", "0"]);
            assert_all_new(&sandbox, "1");
        }
    }
}

#[test]
fn created_secret_survives_rollback() {
    let sandbox = existing();
    let names = ["prod/a", "prod/new", "prod/c"];
    let policy = allow_all_except(&[("UpdateSecretVersionStage", "prod/c")]);
    sandbox.set_policy(&sandbox.default_key_id(), policy);
    let cli = manifest_run(&sandbox, &names, "1").github();
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
    assert_eq!(
        outcome.counts(),
        ["1", "0", "0", "1", "1"],
        "{}",
        outcome.stderr
    );
    assert_eq!(value(&sandbox, "prod/new"), new_value("prod/new", "1"));
    assert_eq!(value(&sandbox, "prod/a"), old_value("prod/a"));
    assert_eq!(value(&sandbox, "prod/c"), old_value("prod/c"));
    sandbox.set_policy(&sandbox.default_key_id(), Policy::allow_all());
    let outcome = cli.run();
    outcome.expect(0, "updated");
    assert_eq!(
        outcome.counts(),
        ["0", "2", "1", "0", "0"],
        "{}",
        outcome.stderr
    );
    assert_eq!(remaining_labels(&sandbox), [""; 0]);
}

#[test]
fn kms_key_of_failed_run_is_reported() {
    let sandbox = existing();
    sandbox.with(|world| world.add_kms_key("alias/models"));
    let policy = allow_all_except(&[("PutSecretValue", "prod/b")]);
    sandbox.set_policy(&sandbox.default_key_id(), policy);
    let cli = manifest_run(&sandbox, &NAMES, "1");
    let path = cli.path("secrets.yaml");
    let manifest = fs::read_to_string(&path).unwrap();
    let defaults = "defaults: { kms-key-id: alias/models }\n";
    fs::write(&path, format!("{defaults}{manifest}")).unwrap();
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
    assert_eq!(values(&sandbox), NAMES.map(old_value));
    // The coordinator has the new key, and so has the secret whose put was denied.
    assert_eq!(outcome.output("changed"), "true", "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains("prod/a was changed, but the transaction was not committed"),
        "{}",
        outcome.stderr
    );
    assert_eq!(
        outcome.counts()[4],
        "0",
        "none is `not_tried`: {}",
        outcome.stderr
    );
}

#[test]
fn kms_key_is_updated_before_staging() {
    let sandbox = existing();
    sandbox.with(|world| world.add_kms_key("alias/models"));
    let cli = manifest_run(&sandbox, &NAMES, "1");
    let path = cli.path("secrets.yaml");
    let manifest = fs::read_to_string(&path).unwrap();
    let defaults =
        "defaults:\n  description: words\n  tags: { team: ml }\n  kms-key-id: alias/models\n";
    fs::write(&path, format!("{defaults}{manifest}")).unwrap();
    cli.run().expect(0, "updated");
    assert_all_new(&sandbox, "1");
    for name in NAMES {
        let secret = secret(&sandbox, name);
        assert_eq!(secret.description.as_deref(), Some("words"));
        assert_eq!(secret.tags["team"], "ml");
        assert_eq!(
            secret.current().unwrap().kms_key_id.as_deref(),
            Some("alias/models")
        );
        // One new version each: nothing is written twice.
        assert_eq!(secret.versions.len(), 2);
    }
    // The new versions must use the new key.
    let log = operations(&sandbox);
    let at = |operation: &str| log.iter().position(|op| op == operation);
    assert!(at("UpdateSecret") < at("PutSecretValue"), "{log:?}");
    sandbox.clear_log();
    cli.run().expect(0, "unchanged");
    assert_eq!(call_count(&sandbox, "DescribeSecret"), 3);
    assert!(
        operations(&sandbox)
            .iter()
            .all(|op| !WRITES.contains(&op.as_str()))
    );
}

#[test]
fn unreadable_values_are_written_once() {
    let sandbox = existing();
    let deny = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":["secretsmanager:GetSecretValue","secretsmanager:BatchGetSecretValue"],"Resource":"*"}]}"#;
    sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(deny));
    let cli = manifest_run(&sandbox, &NAMES, "1").github();
    let path = cli.path("secrets.yaml");
    let manifest = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        format!("defaults: {{ description: words }}\n{manifest}"),
    )
    .unwrap();
    cli.run().expect(0, "updated");
    assert_all_new(&sandbox, "1");
    for name in NAMES {
        assert_eq!(secret(&sandbox, name).versions.len(), 2, "{name}");
    }
}
