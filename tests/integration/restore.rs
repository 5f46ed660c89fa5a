//! Restores of a secret that is scheduled for deletion, with lost responses and with another writer that deletes it again.

use sandbox::{Fault, Sandbox};

use crate::common::{Cli, NAME, Outcome, call_count, current_value};

fn deleted(value: &str) -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create(NAME, value);
        world.schedule_deletion(NAME);
    });
    sandbox
}

fn restoring(sandbox: &Sandbox) -> Cli {
    Cli::new(sandbox, "made-up").input("on-scheduled-deletion", "restore")
}

#[track_caller]
fn expect_deleted_again(outcome: &Outcome) {
    outcome.expect(6, "updated");
    let again = "scheduled for deletion again after this run had restored it";
    assert!(outcome.stderr.contains(again), "{}", outcome.stderr);
    assert_eq!(outcome.output("restored"), "true");
}

#[test]
fn second_deletion_ends_run_at_once() {
    let sandbox = deleted("old");
    sandbox.before("PutSecretValue", 1, |world| world.schedule_deletion(NAME));
    expect_deleted_again(&restoring(&sandbox).run());
    assert_eq!(call_count(&sandbox, "DescribeSecret"), 3, "no waits");
    assert_eq!(call_count(&sandbox, "RestoreSecret"), 1);
}

#[test]
fn lost_restore_is_sent_again() {
    for fault in [Fault::ResetBefore, Fault::LostAfter] {
        let sandbox = deleted("old");
        sandbox.fault("RestoreSecret", 1, fault);
        let outcome = restoring(&sandbox).env("AWS_MAX_ATTEMPTS", "1").run();
        outcome.expect(0, "updated");
        assert_eq!(outcome.output("restored"), "true");
        assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
    }
}

#[test]
fn private_label_of_deleted_secret_is_reported() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "{}"));
    sandbox.before("UpdateSecretVersionStage", 1, |world| {
        world.schedule_deletion(NAME);
    });
    let outcome = Cli::new(&sandbox, "made-up").input("json-key", "k").run();
    outcome.expect(6, "");
    let text = "could not be removed, because the secret is scheduled for deletion";
    assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
}

#[test]
fn label_of_redeleted_secret_is_reported() {
    let sandbox = deleted("{}");
    sandbox.before("UpdateSecretVersionStage", 1, |world| {
        world.schedule_deletion(NAME);
    });
    let outcome = restoring(&sandbox).input("json-key", "k").run();
    expect_deleted_again(&outcome);
    assert!(
        outcome.stderr.contains("private label"),
        "{}",
        outcome.stderr
    );
}
