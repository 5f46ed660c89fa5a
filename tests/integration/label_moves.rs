//! `promote` and `rollback` with concurrent writers, after lost responses, and their dry run.

use std::time::Duration;

use sandbox::{Fault, Policy, Sandbox};

use crate::common::{Cli, NAME, Outcome, call_count, current_value};

fn command(sandbox: &Sandbox, word: &str) -> Cli {
    Cli::new(sandbox, "")
        .unset("UPSERT_SECRET_VALUE")
        .args(&[word])
}

/// Two versions, `first` and `second`, and their IDs. The second is current.
fn two_versions() -> (Sandbox, String, String) {
    let sandbox = Sandbox::start();
    let first = sandbox.with(|world| world.create(NAME, "first"));
    sandbox.advance_clock(Duration::from_secs(60));
    let second = sandbox.with(|world| world.put(NAME, "second"));
    sandbox.advance_clock(Duration::from_secs(60));
    (sandbox, first, second)
}

#[track_caller]
fn expect_overtaken(outcome: &Outcome, version: &str, previous: &str) {
    outcome.expect(5, "updated");
    assert_eq!(outcome.output("changed"), "true");
    assert_eq!(outcome.output("secret_version_id"), version);
    assert_eq!(outcome.output("previous_version_id"), previous);
    assert!(
        outcome.stderr.contains("a later write is current"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn rollback_looks_again_after_concurrent_put() {
    let (sandbox, _, second) = two_versions();
    sandbox.before("ListSecretVersionIds", 1, |world| {
        world.put(NAME, "third");
    });
    let outcome = command(&sandbox, "rollback").run();
    outcome.expect(0, "updated");
    assert_eq!(outcome.output("secret_version_id"), second);
    assert_eq!(current_value(&sandbox).as_deref(), Some("second"));
    assert_eq!(call_count(&sandbox, "ListSecretVersionIds"), 2);
}

/// The clock of a server may be coarse: emulators round to seconds.
#[test]
fn rollback_within_one_timestamp_goes_back() {
    let two_at_once = || {
        let sandbox = Sandbox::start();
        let second = sandbox.with(|world| {
            world.create(NAME, "first");
            world.put(NAME, "second")
        });
        (sandbox, second)
    };
    let (sandbox, _) = two_at_once();
    let outcome = command(&sandbox, "rollback").run();
    outcome.expect(0, "updated");
    assert!(
        outcome.stderr.contains("created at the same time"),
        "{}",
        outcome.stderr
    );
    assert_eq!(current_value(&sandbox).as_deref(), Some("first"));
    let (sandbox, second) = two_at_once();
    for result in ["updated", "unchanged"] {
        let guarded = command(&sandbox, "rollback").input("expected-version-id", &second);
        guarded.run().expect(0, result);
        assert_eq!(current_value(&sandbox).as_deref(), Some("first"));
    }
}

#[test]
fn rollback_sees_deletion_before_list() {
    let (sandbox, ..) = two_versions();
    sandbox.before("ListSecretVersionIds", 1, |world| {
        world.schedule_deletion(NAME);
    });
    let outcome = command(&sandbox, "rollback").run();
    outcome.expect(6, "");
    assert!(
        outcome.stderr.contains("scheduled for deletion"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn rollback_among_constant_puts_is_conflict() {
    let (sandbox, ..) = two_versions();
    for nth in 1..20 {
        sandbox.before("ListSecretVersionIds", nth, move |world| {
            world.put(NAME, &format!("rival-{nth}"));
        });
    }
    let outcome = command(&sandbox, "rollback").run();
    outcome.expect(5, "");
    assert!(
        outcome.stderr.contains("kept moving") && !outcome.stderr.contains("promote"),
        "{}",
        outcome.stderr
    );
    assert_eq!(call_count(&sandbox, "UpdateSecretVersionStage"), 0);
}

#[test]
fn lost_move_under_later_put_is_reported() {
    for attempts in ["1", "3"] {
        for word in ["promote", "rollback"] {
            let (sandbox, first, second) = two_versions();
            sandbox.fault("UpdateSecretVersionStage", 1, Fault::LostAfter);
            sandbox.after("UpdateSecretVersionStage", 1, |world| {
                world.put(NAME, "rival");
            });
            let mut cli = command(&sandbox, word).env("AWS_MAX_ATTEMPTS", attempts);
            if word == "promote" {
                cli = cli.input("version-id", &first);
            }
            expect_overtaken(&cli.run(), &first, &second);
            assert_eq!(current_value(&sandbox).as_deref(), Some("rival"));
        }
    }
}

#[test]
fn lost_promote_keeps_operator_rollback() {
    let (sandbox, _, second) = two_versions();
    let candidate = "33333333-3333-4333-8333-333333333333";
    sandbox.with(|world| world.put_staged(NAME, "third", candidate, &["candidate"]));
    sandbox.fault("UpdateSecretVersionStage", 1, Fault::LostAfter);
    let operator = second.clone();
    sandbox.after("UpdateSecretVersionStage", 1, move |world| {
        world.move_stage(NAME, "AWSCURRENT", &operator, Some(candidate));
    });
    // A retry by the SDK would find AWSCURRENT where it was, and move it again.
    let outcome = command(&sandbox, "promote")
        .env("AWS_MAX_ATTEMPTS", "1")
        .run();
    expect_overtaken(&outcome, candidate, &second);
    assert_eq!(current_value(&sandbox).as_deref(), Some("second"));
}

#[test]
fn move_that_never_arrived_is_no_change() {
    let (sandbox, first, _) = two_versions();
    sandbox.fault("UpdateSecretVersionStage", 1, Fault::ResetBefore);
    sandbox.before("DescribeSecret", 2, |world| {
        world.put(NAME, "rival");
    });
    let outcome = command(&sandbox, "promote")
        .input("version-id", &first)
        .env("AWS_MAX_ATTEMPTS", "1")
        .run();
    outcome.expect(5, "");
    assert_eq!(current_value(&sandbox).as_deref(), Some("rival"));
}

fn plan_promote(sandbox: &Sandbox, version: &str) -> Outcome {
    command(sandbox, "plan")
        .input("command", "promote")
        .input("version-id", version)
        .run()
}

#[test]
fn plan_of_promote_looks_version_up() {
    let (sandbox, first, _) = two_versions();
    sandbox.with(|world| world.put(NAME, "third"));
    // Has no label any more.
    plan_promote(&sandbox, &first).expect(0, "updated");
    let unknown = "99999999-9999-4999-8999-999999999999";
    let planned = plan_promote(&sandbox, unknown);
    let run = command(&sandbox, "promote")
        .input("version-id", unknown)
        .run();
    for outcome in [planned, run] {
        outcome.expect(6, "");
        let text = format!("has no version {unknown}");
        assert!(outcome.stderr.contains(&text), "{}", outcome.stderr);
    }

    sandbox.set_policy(
        &sandbox.default_key_id(),
        Policy::deny(&["secretsmanager:ListSecretVersionIds"]),
    );
    let denied = plan_promote(&sandbox, unknown);
    denied.expect(0, "updated");
    assert!(
        denied.stderr.contains("exists was not checked"),
        "{}",
        denied.stderr
    );
}
