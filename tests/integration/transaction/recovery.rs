//! Transactions that a killed run left behind: the next run completes them or rolls them back.

use sandbox::{Policy, Sandbox, When, World};

use super::{NAMES, assert_all, existing, labels, new, old, release, rival, values, writes};
use crate::common::{PATIENCE, Tool, calls};

/// A run that is killed while the nth call of an operation waits, applied or not.
fn killed(sandbox: &Sandbox, tool: &Tool, operation: &str, nth: usize, when: When) {
    let held = sandbox.hold(operation, nth, when);
    let mut child = tool.spawn();
    assert!(held.wait_reached(PATIENCE), "{operation} {nth}");
    child.kill().unwrap();
    child.wait().unwrap();
    held.discard();
}

#[test]
fn kill_then_rerun_commits_all() {
    let writes = writes();
    assert!(writes.len() >= 9);
    for (operation, nth) in writes {
        for when in [When::BeforeApply, When::AfterApply] {
            let sandbox = existing();
            let tool = release(&sandbox, "1");
            killed(&sandbox, &tool, operation, nth, when);
            let done = tool.run();
            assert_eq!(
                done.code,
                Some(0),
                "{operation} {nth} {when:?}: {}",
                done.stderr
            );
            assert_all(&sandbox, "1");
        }
    }
}

#[test]
fn kill_then_failed_rerun_stays_atomic() {
    for (operation, nth) in writes() {
        for when in [When::BeforeApply, When::AfterApply] {
            let sandbox = existing();
            let tool = release(&sandbox, "1");
            killed(&sandbox, &tool, operation, nth, when);
            // The next one can write everything but the last secret.
            let deny = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
                {"Effect":"Deny","Action":"secretsmanager:PutSecretValue","Resource":"*:secret:prod/c-*"}]}"#;
            sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(deny));
            let done = tool.run();
            let place = format!("{operation} {nth} {when:?}: {}", done.stderr);
            if done.code == Some(0) {
                // They had all been flipped, or only the put was denied that is needed no more.
                assert_eq!(
                    values(&sandbox),
                    NAMES.map(|name| new(name, "1")),
                    "{place}"
                );
            } else {
                assert_eq!(done.code, Some(4), "{place}");
                assert_eq!(values(&sandbox), NAMES.map(old), "{place}");
            }
            sandbox.set_policy(&sandbox.default_key_id(), Policy::allow_all());
            tool.run();
            assert_all(&sandbox, "1");
        }
    }
}

#[test]
fn kill_during_rollback_stays_atomic() {
    let conflict = || {
        let sandbox = existing();
        rival(&sandbox, "UpdateSecretVersionStage", 1, "prod/c");
        sandbox
    };
    let sandbox = conflict();
    assert_eq!(release(&sandbox, "1").run().code, Some(5));
    let all = calls(&sandbox, "UpdateSecretVersionStage");
    assert!(
        all >= 8,
        "three flips, two of them back, three labels off: {all}"
    );
    for nth in 1..=all {
        for when in [When::BeforeApply, When::AfterApply] {
            for deny in ["", "prod/c"] {
                let sandbox = conflict();
                let tool = release(&sandbox, "1");
                killed(&sandbox, &tool, "UpdateSecretVersionStage", nth, when);
                if !deny.is_empty() {
                    let deny = format!(
                        r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},
                        {{"Effect":"Deny","Action":"secretsmanager:PutSecretValue","Resource":"*:secret:{deny}-*"}}]}}"#
                    );
                    sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(&deny));
                    let done = tool.run();
                    let place = format!("{nth} {when:?}: {}", done.stderr);
                    // A call that was never applied had no rival before it.
                    let no_rival = nth == 1 && when == When::BeforeApply;
                    if no_rival && done.code == Some(0) {
                        // The last secret had been flipped: its put is needed no more.
                        assert_eq!(
                            values(&sandbox),
                            NAMES.map(|name| new(name, "1")),
                            "{place}"
                        );
                    } else {
                        assert_eq!(done.code, Some(4), "{place}");
                        let there = |name: &str| match name {
                            "prod/c" if !no_rival => "made-up-rival".to_owned(),
                            _ => old(name),
                        };
                        assert_eq!(values(&sandbox), NAMES.map(there), "{place}");
                    }
                    sandbox.set_policy(&sandbox.default_key_id(), Policy::allow_all());
                }
                let done = tool.run();
                assert_eq!(done.code, Some(0), "{nth} {when:?}: {}", done.stderr);
                assert_all(&sandbox, "1");
            }
        }
    }
}

#[test]
fn kill_then_next_release_stays_atomic() {
    for (operation, nth) in writes() {
        let sandbox = existing();
        killed(
            &sandbox,
            &release(&sandbox, "1"),
            operation,
            nth,
            When::AfterApply,
        );
        let done = release(&sandbox, "2").run();
        assert_eq!(done.code, Some(0), "{operation} {nth}: {}", done.stderr);
        assert_all(&sandbox, "2");

        let sandbox = existing();
        killed(
            &sandbox,
            &release(&sandbox, "1"),
            operation,
            nth,
            When::AfterApply,
        );
        rival(&sandbox, "PutSecretValue", 3, "prod/c");
        let done = release(&sandbox, "2").run();
        let place = format!("{operation} {nth}: {}", done.stderr);
        assert_eq!(done.code, Some(5), "{place}");
        let [a, b, c] = values(&sandbox);
        assert_eq!(c, "made-up-rival", "{place}");
        // The first run had decided, or it had not.
        let decided = operation == "UpdateSecretVersionStage" && nth >= 4;
        let then = |name: &str| if decided { new(name, "1") } else { old(name) };
        assert_eq!([a, b], [then("prod/a"), then("prod/b")], "{place}");
        assert_eq!(labels(&sandbox), [""; 0], "{place}");
    }
}

#[test]
fn killed_run_of_another_job_is_recovered() {
    let sandbox = existing();
    // Two secrets have been flipped, one has not.
    let held = [
        (1, When::BeforeApply),
        (2, When::AfterApply),
        (3, When::AfterApply),
    ]
    .map(|(nth, when)| sandbox.hold("UpdateSecretVersionStage", nth, when));
    let tool = release(&sandbox, "1");
    let mut child = tool.spawn();
    assert!(held.iter().all(|held| held.wait_reached(PATIENCE)));
    child.kill().unwrap();
    child.wait().unwrap();
    held.iter().for_each(sandbox::Held::discard);
    let done = release(&sandbox, "1").env("GITHUB_RUN_ID", "4712").run();
    done.expect(0, "updated");
    assert!(done.stderr.contains("had not ended"), "{}", done.stderr);
    assert!(
        done.stderr.contains("waiting for another run"),
        "{}",
        done.stderr
    );
    assert_all(&sandbox, "1");
}

/// Another run has taken this one for dead while it was staging, and so has marked nothing of it; it has put versions of its
/// own beside half of the secrets by the time at which this one finds that it is over.
#[test]
fn run_presumed_dead_rolls_back_its_moves() {
    let sandbox = existing();
    sandbox.before(
        "UpdateSecretVersionStage",
        NAMES.len() + 1,
        move |world: &mut World| {
            let witness = world.secret("prod/a").unwrap();
            let mark = |label: &String| label.starts_with("upsert-secret-all-");
            let mut versions = witness.versions.iter();
            let marked = versions
                .find(|version| version.stages.iter().any(mark))
                .unwrap();
            let label = marked
                .stages
                .iter()
                .find(|label| mark(label))
                .unwrap()
                .clone();
            let other = format!(
                "{}{}",
                &label[..label.len() - 36],
                "00000000-0000-4000-8000-000000000000"
            );
            // The label goes with a version that holds nothing else, and on to one of the other run.
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
    let done = release(&sandbox, "1").run();
    assert_eq!(done.code, Some(5), "{}", done.stderr);
    assert_eq!(values(&sandbox), NAMES.map(old), "{}", done.stderr);
}

#[test]
fn signal_between_moves_is_recovered_by_rerun() {
    let sandbox = existing();
    let tool = release(&sandbox, "1");
    let held = sandbox.hold("UpdateSecretVersionStage", 2, When::BeforeApply);
    let child = tool.spawn();
    assert!(held.wait_reached(PATIENCE));
    crate::common::signal(&child, "TERM");
    let done = tool.finish(child);
    held.discard();
    assert_eq!(done.code, Some(143), "{}", done.stderr);
    tool.run();
    assert_all(&sandbox, "1");
}
