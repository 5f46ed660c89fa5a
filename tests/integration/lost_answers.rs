//! Lost responses to writes: the report matches what the run wrote, even if another writer followed, and no further write is
//! made once the goal is reached.

use sandbox::{Fault, Policy, Sandbox};

use crate::common::{Cli, NAME, Outcome, call_count, current_value, version_count};

const KEY: (&str, &str) = ("version-id-key", "made-up-key-of-16-bytes");

fn cli(sandbox: &Sandbox, value: &str, inputs: &[(&str, &str)], attempts: &str) -> Cli {
    let cli = Cli::new(sandbox, value).env("AWS_MAX_ATTEMPTS", attempts);
    inputs
        .iter()
        .fold(cli, |cli, (name, value)| cli.input(name, value))
}

/// Loses the response to a write, after which another writer puts a value.
fn overtake(sandbox: &Sandbox, operation: &str, nth: usize, value: &'static str) {
    sandbox.fault(operation, nth, Fault::LostAfter);
    sandbox.after(operation, nth, move |world| {
        world.put(NAME, value);
    });
}

fn deny(sandbox: &Sandbox, operations: &[&str]) {
    sandbox.set_policy(&sandbox.default_key_id(), Policy::deny(operations));
}

/// The ID of the previous version, which the run wrote.
fn previous(sandbox: &Sandbox) -> String {
    let secret = sandbox.with(|world| world.secret(NAME)).unwrap();
    secret.labeled("AWSPREVIOUS").unwrap().id.clone()
}

#[track_caller]
fn expect_overtaken(sandbox: &Sandbox, outcome: &Outcome, result: &str, before: &str) {
    outcome.expect(5, result);
    assert_eq!(outcome.output("changed"), "true");
    assert_eq!(outcome.output("secret_version_id"), previous(sandbox));
    assert_eq!(outcome.output("previous_version_id"), before);
    assert_eq!(current_value(sandbox).as_deref(), Some("rival"));
    assert!(
        outcome.stderr.contains("a later write is current"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn overtaken_put_is_a_change() {
    for attempts in ["1", "3"] {
        for in_ci in [false, true] {
            for inputs in [&[][..], &[("compare", "never")], &[KEY]] {
                let sandbox = Sandbox::start();
                let old = sandbox.with(|world| world.create(NAME, "old"));
                overtake(&sandbox, "PutSecretValue", 1, "rival");
                let mut cli = cli(&sandbox, "made-up", inputs, attempts);
                if in_ci {
                    cli = cli.github();
                }
                expect_overtaken(&sandbox, &cli.run(), "updated", &old);
            }
        }
    }
}

#[test]
fn overtaken_create_is_a_creation() {
    for attempts in ["1", "3"] {
        let sandbox = Sandbox::start();
        overtake(&sandbox, "CreateSecret", 1, "rival");
        let outcome = cli(&sandbox, "made-up", &[], attempts).run();
        expect_overtaken(&sandbox, &outcome, "created", "");
    }
}

#[test]
fn overtaken_label_repair_is_a_change() {
    for attempts in ["1", "3"] {
        let sandbox = Sandbox::start();
        let put = |value: &str| cli(&sandbox, value, &[KEY], attempts).run();
        put("made-up-a").expect(0, "created");
        let b = put("made-up-b");
        overtake(&sandbox, "UpdateSecretVersionStage", 1, "rival");
        let before = b.output("secret_version_id");
        expect_overtaken(&sandbox, &put("made-up-a"), "updated", before);
    }
}

#[test]
fn overtaken_swap_is_a_change() {
    for attempts in ["1", "3"] {
        let sandbox = Sandbox::start();
        let old = sandbox.with(|world| world.create(NAME, "old"));
        overtake(&sandbox, "UpdateSecretVersionStage", 1, "rival");
        let inputs = [("expected-version-id", old.as_str())];
        let outcome = cli(&sandbox, "made-up", &inputs, attempts).run();
        expect_overtaken(&sandbox, &outcome, "updated", &old);
    }
}

#[test]
fn put_under_equal_later_write_is_a_change() {
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| world.create(NAME, "old"));
    overtake(&sandbox, "PutSecretValue", 1, "made-up");
    let outcome = cli(&sandbox, "made-up", &[], "1").run();
    outcome.expect(0, "updated");
    assert_eq!(outcome.output("previous_version_id"), old);
    assert!(
        outcome.stderr.contains("holds the same value"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn label_repair_that_never_arrived_is_repeated() {
    for rival in [false, true] {
        let sandbox = Sandbox::start();
        let put = |value: &str| cli(&sandbox, value, &[KEY], "1").run();
        // AWSPREVIOUS is on the version from the start.
        let a = put("made-up-a");
        let b = put("made-up-b");
        sandbox.fault("UpdateSecretVersionStage", 1, Fault::ResetBefore);
        if rival {
            sandbox.before("DescribeSecret", 2, |world| {
                world.put(NAME, "rival");
            });
            put("made-up-a").expect(5, "");
            assert_eq!(current_value(&sandbox).as_deref(), Some("rival"));
        } else {
            let again = put("made-up-a");
            again.expect(0, "updated");
            let id = |outcome: &Outcome| outcome.output("secret_version_id").to_owned();
            assert_eq!(id(&again), id(&a));
            assert_eq!(again.output("previous_version_id"), id(&b));
        }
    }
}

#[test]
fn lost_metadata_write_is_a_change() {
    let policy = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},
        "Action":"secretsmanager:GetSecretValue","Resource":"*"}}"#;
    for (operation, inputs) in [
        ("UpdateSecret", &[("description", "d")][..]),
        ("TagResource", &[("tags", "k=v")]),
        (
            "UntagResource",
            &[("tags", "none=none"), ("tag-policy", "replace")],
        ),
        ("PutResourcePolicy", &[("resource-policy", policy)]),
        (
            "UpdateSecretVersionStage",
            &[("version-stages", "AWSCURRENT,blue")],
        ),
    ] {
        let sandbox = Sandbox::start();
        Cli::new(&sandbox, "made-up")
            .input("tags", "none=none\nold=old")
            .run()
            .expect(0, "created");
        sandbox.fault(operation, 1, Fault::LostAfter);
        let outcome = cli(&sandbox, "made-up", inputs, "1").run();
        outcome.expect(0, "updated");
        assert_eq!(outcome.output("changed"), "true", "{operation}");
        assert_eq!(call_count(&sandbox, operation), 1);
        assert_eq!(version_count(&sandbox), 1);
    }
}

/// Requests that CreateSecret alone can fulfill.
const CREATES: &[&[(&str, &str)]] = &[
    &[],
    &[("if-exists", "skip")],
    &[("json-key", "k")],
    &[("json-key", "k"), ("if-exists", "skip")],
    &[("compare", "never")],
    &[("compare", "never"), ("if-exists", "skip")],
    &[("if-exists", "skip"), ("tags", "k=v"), ("description", "d")],
    &[("compare", "always"), ("kms-key-id", "alias/models")],
];

#[test]
fn retried_create_writes_nothing_more() {
    for attempts in ["1", "3"] {
        for in_ci in [false, true] {
            for inputs in CREATES {
                for denied in [&[][..], &["secretsmanager:GetSecretValue"]] {
                    let sandbox = Sandbox::start();
                    sandbox.with(|world| world.add_kms_key("alias/models"));
                    let mut denied = denied.to_vec();
                    denied.extend([
                        "secretsmanager:PutSecretValue",
                        "secretsmanager:UpdateSecretVersionStage",
                        "secretsmanager:UpdateSecret",
                    ]);
                    deny(&sandbox, &denied);
                    sandbox.fault("CreateSecret", 1, Fault::LostAfter);
                    let mut cli = cli(&sandbox, "made-up", inputs, attempts);
                    if in_ci {
                        cli = cli.github();
                    }
                    let outcome = cli.run();
                    assert_eq!(outcome.code, Some(0), "{inputs:?}: {}", outcome.stderr);
                    outcome.expect(0, "created");
                    assert_eq!(version_count(&sandbox), 1, "{inputs:?}");
                }
            }
        }
    }
}

#[test]
fn retried_create_gets_its_other_labels() {
    for skip in ["update", "skip"] {
        for stages in ["candidate", "AWSCURRENT,candidate"] {
            let sandbox = Sandbox::start();
            sandbox.fault("CreateSecret", 1, Fault::LostAfter);
            let inputs = [("version-stages", stages), ("if-exists", skip)];
            let outcome = cli(&sandbox, "made-up", &inputs, "3").run();
            outcome.expect(0, "created");
            assert_eq!(version_count(&sandbox), 1);
            let secret = sandbox.with(|world| world.secret(NAME)).unwrap();
            let candidate = secret.labeled("candidate").unwrap();
            assert_eq!(candidate.id, secret.current().unwrap().id);
        }
    }
}

#[test]
fn lost_swap_without_reading_is_kept() {
    for attempts in ["1", "3"] {
        let sandbox = Sandbox::start();
        let old = sandbox.with(|world| world.create(NAME, "old"));
        sandbox.fault("UpdateSecretVersionStage", 1, Fault::LostAfter);
        let inputs = [("expected-version-id", old.as_str()), ("compare", "never")];
        let outcome = cli(&sandbox, "made-up", &inputs, attempts).run();
        outcome.expect(0, "updated");
        assert_eq!(outcome.output("previous_version_id"), old);
        assert_eq!(version_count(&sandbox), 2);
    }
}

#[test]
fn skip_without_describe_keeps_concurrent_create() {
    let sandbox = Sandbox::start();
    deny(&sandbox, &["secretsmanager:DescribeSecret"]);
    sandbox.before("CreateSecret", 1, |world| {
        world.create(NAME, "rival");
    });
    let inputs = [("if-exists", "skip"), ("tags", "k=v"), ("description", "d")];
    let outcome = cli(&sandbox, "made-up", &inputs, "1").run();
    outcome.expect(0, "unchanged");
    assert_eq!(current_value(&sandbox).as_deref(), Some("rival"));
    assert_eq!(version_count(&sandbox), 1);
    let secret = sandbox.with(|world| world.secret(NAME)).unwrap();
    assert!(secret.tags.is_empty());
}

#[test]
fn skip_keeps_concurrent_first_version() {
    for denied in [&[][..], &["secretsmanager:DescribeSecret"]] {
        let sandbox = Sandbox::start();
        sandbox.with(|world| world.create_empty(NAME));
        deny(&sandbox, denied);
        sandbox.before("PutSecretValue", 1, |world| {
            world.put(NAME, "rival");
        });
        let outcome = cli(&sandbox, "made-up", &[("if-exists", "skip")], "1").run();
        outcome.expect(0, "unchanged");
        assert_eq!(current_value(&sandbox).as_deref(), Some("rival"));
    }
}

#[test]
fn skip_without_describe_reaches_its_goal() {
    for attempts in ["1", "3"] {
        for exists in [false, true] {
            let sandbox = Sandbox::start();
            let mut denied = vec!["secretsmanager:DescribeSecret"];
            if exists {
                sandbox.with(|world| world.create_empty(NAME));
            } else {
                sandbox.fault("CreateSecret", 1, Fault::LostAfter);
                // A role that may only create.
                denied.extend([
                    "secretsmanager:PutSecretValue",
                    "secretsmanager:UpdateSecret",
                ]);
            }
            deny(&sandbox, &denied);
            let inputs = [("if-exists", "skip"), ("description", "d")];
            let outcome = cli(&sandbox, "made-up", &inputs, attempts).run();
            outcome.expect(0, if exists { "updated" } else { "created" });
            assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
            let secret = sandbox.with(|world| world.secret(NAME)).unwrap();
            assert_eq!(secret.description.as_deref(), Some("d"));
            assert_eq!(secret.versions.len(), 1);
        }
    }
}

#[test]
fn retried_create_without_reads_needs_no_put() {
    let sandbox = Sandbox::start();
    deny(
        &sandbox,
        &[
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecret",
        ],
    );
    sandbox.fault("CreateSecret", 1, Fault::LostAfter);
    let outcome = cli(&sandbox, "made-up", &[("description", "d")], "3").run();
    outcome.expect(0, "created");
}
