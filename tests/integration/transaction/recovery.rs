//! Transactions that a killed run left behind: the next run of the same CI run rolls them back.

use sandbox::{Policy, When};

use super::{
    NAMES, RIVAL, assert_all_new, concurrent_put, existing, kill_at, new_value, old_value,
    previous_value, release, values, write_calls,
};
use crate::common::{WAIT_LIMIT, allow_all_except, call_count};

const MOVE: &str = "UpdateSecretVersionStage";

/// Whether a run killed at this call had committed: its three moves are followed by the removal of the record.
fn has_committed(operation: &str, nth: usize, when: When) -> bool {
    operation == MOVE && (nth > 4 || (nth == 4 && when == When::AfterApply))
}

#[test]
fn kill_then_rerun_commits_all() {
    let writes = write_calls();
    assert!(writes.len() >= 9);
    for (operation, nth) in writes {
        for when in [When::BeforeApply, When::AfterApply] {
            let sandbox = existing();
            let cli = release(&sandbox, "1");
            kill_at(&sandbox, &cli, &[(operation, nth, when)]);
            let outcome = cli.run();
            assert_eq!(
                outcome.code,
                Some(0),
                "{operation} {nth} {when:?}: {}",
                outcome.stderr
            );
            assert_all_new(&sandbox, "1");
        }
    }
}

#[test]
fn kill_then_failed_rerun_stays_atomic() {
    for (operation, nth) in write_calls() {
        for when in [When::BeforeApply, When::AfterApply] {
            let sandbox = existing();
            let cli = release(&sandbox, "1");
            kill_at(&sandbox, &cli, &[(operation, nth, when)]);
            // The next run may write all secrets except the last.
            let policy = allow_all_except(&[("PutSecretValue", "prod/c")]);
            sandbox.set_policy(&sandbox.default_key_id(), policy);
            let outcome = cli.run();
            let context = format!("{operation} {nth} {when:?}: {}", outcome.stderr);
            if has_committed(operation, nth, when) {
                assert_eq!(outcome.code, Some(0), "{context}");
                let new = NAMES.map(|name| new_value(name, "1"));
                assert_eq!(values(&sandbox), new, "{context}");
            } else {
                assert_eq!(outcome.code, Some(4), "{context}");
                assert_eq!(values(&sandbox), NAMES.map(old_value), "{context}");
            }
            sandbox.set_policy(&sandbox.default_key_id(), Policy::allow_all());
            cli.run();
            assert_all_new(&sandbox, "1");
        }
    }
}

/// A run that is killed in either of two attempts, the first of which ends in a conflict.
#[test]
fn kill_during_rollback_stays_atomic() {
    let conflict = || {
        let sandbox = existing();
        concurrent_put(&sandbox, MOVE, 1, "prod/c");
        sandbox
    };
    let sandbox = conflict();
    release(&sandbox, "1").run().expect(0, "updated");
    let all = call_count(&sandbox, MOVE);
    assert!(
        all >= 16,
        "three moves, two moved back, four labels removed; and once more seven: {all}"
    );
    for nth in 1..=all {
        for when in [When::BeforeApply, When::AfterApply] {
            for denied in [false, true] {
                let sandbox = conflict();
                let cli = release(&sandbox, "1");
                kill_at(&sandbox, &cli, &[(MOVE, nth, when)]);
                // The hook of the concurrent put runs only when the call is applied.
                let has_rival = nth > 1 || when == When::AfterApply;
                if denied {
                    let policy = allow_all_except(&[("PutSecretValue", "prod/c")]);
                    sandbox.set_policy(&sandbox.default_key_id(), policy);
                    let outcome = cli.run();
                    let context = format!("{nth} {when:?}: {}", outcome.stderr);
                    let commit = all - 3;
                    if nth > commit || (nth == commit && when == When::AfterApply) {
                        // The killed run had committed, so the put is no longer needed.
                        assert_eq!(outcome.code, Some(0), "{context}");
                        assert_all_new(&sandbox, "1");
                    } else {
                        assert_eq!(outcome.code, Some(4), "{context}");
                        let there = |name: &str| match name {
                            "prod/c" if has_rival => RIVAL.to_owned(),
                            _ => old_value(name),
                        };
                        assert_eq!(values(&sandbox), NAMES.map(there), "{context}");
                    }
                    sandbox.set_policy(&sandbox.default_key_id(), Policy::allow_all());
                }
                let outcome = cli.run();
                assert_eq!(outcome.code, Some(0), "{nth} {when:?}: {}", outcome.stderr);
                assert_all_new(&sandbox, "1");
                if has_rival {
                    let previous = previous_value(&sandbox, "prod/c");
                    assert_eq!(previous.as_deref(), Some(RIVAL), "{nth} {when:?}");
                }
            }
        }
    }
}

#[test]
fn kill_then_next_release_stays_atomic() {
    for (operation, nth) in write_calls() {
        let killed = || {
            let sandbox = existing();
            let call = (operation, nth, When::AfterApply);
            kill_at(&sandbox, &release(&sandbox, "1"), &[call]);
            sandbox
        };
        let sandbox = killed();
        let outcome = release(&sandbox, "2").run();
        let context = format!("{operation} {nth}: {}", outcome.stderr);
        assert_eq!(outcome.code, Some(0), "{context}");
        assert_all_new(&sandbox, "2");

        let sandbox = killed();
        concurrent_put(&sandbox, "PutSecretValue", 3, "prod/c");
        let outcome = release(&sandbox, "2").run();
        let context = format!("{operation} {nth}: {}", outcome.stderr);
        assert_eq!(outcome.code, Some(0), "{context}");
        assert_all_new(&sandbox, "2");
        let previous = previous_value(&sandbox, "prod/c");
        assert_eq!(previous.as_deref(), Some(RIVAL), "{context}");

        let sandbox = killed();
        concurrent_put(&sandbox, "PutSecretValue", 1, "prod/c");
        let policy = allow_all_except(&[("PutSecretValue", "prod/b")]);
        sandbox.set_policy(&sandbox.default_key_id(), policy);
        let outcome = release(&sandbox, "2").run();
        let context = format!("{operation} {nth}: {}", outcome.stderr);
        assert_eq!(outcome.code, Some(4), "{context}");
        let has_committed = has_committed(operation, nth, When::AfterApply);
        let there = |name: &str| match name {
            "prod/c" => RIVAL.to_owned(),
            _ if has_committed => new_value(name, "1"),
            _ => old_value(name),
        };
        assert_eq!(values(&sandbox), NAMES.map(there), "{context}");
    }
}

#[test]
fn signal_between_moves_is_recovered_by_rerun() {
    let sandbox = existing();
    let cli = release(&sandbox, "1");
    let held = sandbox.hold("UpdateSecretVersionStage", 2, When::BeforeApply);
    let child = cli.spawn();
    assert!(held.wait_reached(WAIT_LIMIT));
    crate::common::send_signal(&child, "TERM");
    let outcome = cli.finish(child);
    held.discard();
    assert_eq!(outcome.code, Some(143), "{}", outcome.stderr);
    cli.run();
    assert_all_new(&sandbox, "1");
}
