//! Transactions that a killed run left behind: the next run completes them or rolls them back.

use sandbox::{Policy, Sandbox, When, World};

use super::{
    NAMES, assert_all_new, concurrent_put, existing, new_value, old_value, release,
    remaining_labels, values, write_calls,
};
use crate::common::{Cli, WAIT_LIMIT, allow_all_except, call_count};

/// Kills a run while the nth call of an operation is held, before or after it is applied.
fn kill_at(sandbox: &Sandbox, cli: &Cli, operation: &str, nth: usize, when: When) {
    let held = sandbox.hold(operation, nth, when);
    let mut child = cli.spawn();
    assert!(held.wait_reached(WAIT_LIMIT), "{operation} {nth}");
    child.kill().unwrap();
    child.wait().unwrap();
    held.discard();
}

#[test]
fn kill_then_rerun_commits_all() {
    let writes = write_calls();
    assert!(writes.len() >= 9);
    for (operation, nth) in writes {
        for when in [When::BeforeApply, When::AfterApply] {
            let sandbox = existing();
            let cli = release(&sandbox, "1");
            kill_at(&sandbox, &cli, operation, nth, when);
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
            kill_at(&sandbox, &cli, operation, nth, when);
            // The next run may write every secret but the last.
            let policy = allow_all_except(&[("PutSecretValue", "prod/c")]);
            sandbox.set_policy(&sandbox.default_key_id(), policy);
            let outcome = cli.run();
            let context = format!("{operation} {nth} {when:?}: {}", outcome.stderr);
            if outcome.code == Some(0) {
                // All secrets had moved, or only a put was denied that is no longer needed.
                assert_eq!(
                    values(&sandbox),
                    NAMES.map(|name| new_value(name, "1")),
                    "{context}"
                );
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

#[test]
fn kill_during_rollback_stays_atomic() {
    let conflict = || {
        let sandbox = existing();
        concurrent_put(&sandbox, "UpdateSecretVersionStage", 1, "prod/c");
        sandbox
    };
    let sandbox = conflict();
    assert_eq!(release(&sandbox, "1").run().code, Some(5));
    let all = call_count(&sandbox, "UpdateSecretVersionStage");
    assert!(
        all >= 8,
        "three moves, two moved back, three labels removed: {all}"
    );
    for nth in 1..=all {
        for when in [When::BeforeApply, When::AfterApply] {
            for denied in [false, true] {
                let sandbox = conflict();
                let cli = release(&sandbox, "1");
                kill_at(&sandbox, &cli, "UpdateSecretVersionStage", nth, when);
                if denied {
                    let policy = allow_all_except(&[("PutSecretValue", "prod/c")]);
                    sandbox.set_policy(&sandbox.default_key_id(), policy);
                    let outcome = cli.run();
                    let context = format!("{nth} {when:?}: {}", outcome.stderr);
                    // The hook of the concurrent put runs only when the call is applied.
                    let no_rival = nth == 1 && when == When::BeforeApply;
                    if no_rival && outcome.code == Some(0) {
                        // The last secret had moved, so its put is no longer needed.
                        assert_eq!(
                            values(&sandbox),
                            NAMES.map(|name| new_value(name, "1")),
                            "{context}"
                        );
                    } else {
                        assert_eq!(outcome.code, Some(4), "{context}");
                        let there = |name: &str| match name {
                            "prod/c" if !no_rival => "made-up-rival".to_owned(),
                            _ => old_value(name),
                        };
                        assert_eq!(values(&sandbox), NAMES.map(there), "{context}");
                    }
                    sandbox.set_policy(&sandbox.default_key_id(), Policy::allow_all());
                }
                let outcome = cli.run();
                assert_eq!(outcome.code, Some(0), "{nth} {when:?}: {}", outcome.stderr);
                assert_all_new(&sandbox, "1");
            }
        }
    }
}

#[test]
fn kill_then_next_release_stays_atomic() {
    for (operation, nth) in write_calls() {
        let sandbox = existing();
        kill_at(
            &sandbox,
            &release(&sandbox, "1"),
            operation,
            nth,
            When::AfterApply,
        );
        let outcome = release(&sandbox, "2").run();
        assert_eq!(
            outcome.code,
            Some(0),
            "{operation} {nth}: {}",
            outcome.stderr
        );
        assert_all_new(&sandbox, "2");

        let sandbox = existing();
        kill_at(
            &sandbox,
            &release(&sandbox, "1"),
            operation,
            nth,
            When::AfterApply,
        );
        concurrent_put(&sandbox, "PutSecretValue", 3, "prod/c");
        let outcome = release(&sandbox, "2").run();
        let context = format!("{operation} {nth}: {}", outcome.stderr);
        assert_eq!(outcome.code, Some(5), "{context}");
        let [a, b, c] = values(&sandbox);
        assert_eq!(c, "made-up-rival", "{context}");
        // Whether the killed run had committed.
        let committed = operation == "UpdateSecretVersionStage" && nth >= 4;
        let then = |name: &str| {
            if committed {
                new_value(name, "1")
            } else {
                old_value(name)
            }
        };
        assert_eq!([a, b], [then("prod/a"), then("prod/b")], "{context}");
        assert_eq!(remaining_labels(&sandbox), [""; 0], "{context}");
    }
}

#[test]
fn killed_run_of_another_job_is_recovered() {
    let sandbox = existing();
    // Two secrets have moved, one has not.
    let held = [
        (1, When::BeforeApply),
        (2, When::AfterApply),
        (3, When::AfterApply),
    ]
    .map(|(nth, when)| sandbox.hold("UpdateSecretVersionStage", nth, when));
    let cli = release(&sandbox, "1");
    let mut child = cli.spawn();
    assert!(held.iter().all(|held| held.wait_reached(WAIT_LIMIT)));
    child.kill().unwrap();
    child.wait().unwrap();
    held.iter().for_each(sandbox::Held::discard);
    let outcome = release(&sandbox, "1").env("GITHUB_RUN_ID", "4712").run();
    outcome.expect(0, "updated");
    assert!(
        outcome.stderr.contains("had not ended"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("waiting for another run"),
        "{}",
        outcome.stderr
    );
    assert_all_new(&sandbox, "1");
}

/// Another run presumed this one dead while it was staging: it has taken the label on the coordinator and staged
/// versions of its own by the time this run tries to commit.
#[test]
fn run_presumed_dead_rolls_back_its_moves() {
    let sandbox = existing();
    sandbox.before(
        "UpdateSecretVersionStage",
        NAMES.len() + 1,
        move |world: &mut World| {
            let coordinator = world.secret("prod/a").unwrap();
            let is_transaction_label = |label: &String| label.starts_with("upsert-secret-all-");
            let mut versions = coordinator.versions.iter();
            let staged = versions
                .find(|version| version.stages.iter().any(is_transaction_label))
                .unwrap();
            let label = staged
                .stages
                .iter()
                .find(|label| is_transaction_label(label))
                .unwrap()
                .clone();
            let other = format!(
                "{}{}",
                &label[..label.len() - 36],
                "00000000-0000-4000-8000-000000000000"
            );
            // Our label moves to a version of the other run, which puts its own label on another secret.
            world.put_staged(
                "prod/a",
                "made-up-other",
                "11111111-1111-4111-8111-111111111111",
                &[label.as_str()],
            );
            world.put_staged(
                "prod/b",
                "made-up-other",
                "22222222-2222-4222-8222-222222222222",
                &[other.as_str()],
            );
        },
    );
    let outcome = release(&sandbox, "1").run();
    assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
    assert_eq!(values(&sandbox), NAMES.map(old_value), "{}", outcome.stderr);
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
