//! Transactions that meet other writers and other transactions: a run that loses a move starts over, and the final values are
//! those of a serial execution.

use std::process::Child;
use std::sync::mpsc;

use sandbox::{Held, Sandbox, When};

use super::{
    NAMES, RIVAL, assert_no_gaps, existing, manifest_with, new_value, old_value, previous_value,
    release, remaining_labels, value, values,
};
use crate::common::{Cli, Outcome, WAIT_LIMIT, call_count};

const MOVE: &str = "UpdateSecretVersionStage";

#[test]
fn concurrent_put_is_kept_and_run_commits() {
    for name in NAMES {
        for (operation, most) in [("PutSecretValue", 3), (MOVE, 7)] {
            for nth in 1..=most {
                let sandbox = existing();
                let (sender, receiver) = mpsc::channel();
                sandbox.before(operation, nth, move |world| {
                    let current = world.secret(name).unwrap().current().unwrap().clone();
                    sender.send(current.string.unwrap()).unwrap();
                    world.put(name, RIVAL);
                });
                let outcome = release(&sandbox, "1").run();
                let context = format!("{name} before {operation} {nth}: {}", outcome.stderr);
                assert_eq!(outcome.code, Some(0), "{context}");
                assert_eq!(outcome.counts(), ["0", "3", "0", "0", "0"], "{context}");
                // A write after the move of its secret is ordered after the transaction.
                let replaced = receiver.recv().unwrap();
                let is_last = replaced == new_value(name, "1");
                assert!(is_last || replaced == old_value(name), "{context}");
                assert!(is_last || nth <= 3, "{context}");
                assert!(!is_last || operation == MOVE, "{context}");
                let current = |other: &str| {
                    if other == name && is_last {
                        RIVAL.to_owned()
                    } else {
                        new_value(other, "1")
                    }
                };
                let previous = |other: &str| match (other == name, is_last) {
                    (true, true) => new_value(other, "1"),
                    (true, false) => RIVAL.to_owned(),
                    (false, _) => old_value(other),
                };
                assert_eq!(values(&sandbox), NAMES.map(current), "{context}");
                for other in NAMES {
                    let kept = previous_value(&sandbox, other);
                    assert_eq!(kept, Some(previous(other)), "{other}: {context}");
                }
                assert_eq!(remaining_labels(&sandbox), [""; 0], "{context}");
            }
        }
    }
}

#[test]
fn put_before_every_move_ends_in_conflict() {
    for name in NAMES {
        let sandbox = existing();
        let rival = |nth: usize| format!("{RIVAL}-{nth}");
        for nth in 1..=80 {
            sandbox.before(MOVE, nth, move |world| {
                world.put(name, &rival(nth));
            });
        }
        let outcome = release(&sandbox, "1").run();
        let context = format!("{name}: {}", outcome.stderr);
        assert_eq!(outcome.code, Some(5), "{context}");
        assert_eq!(outcome.counts(), ["0", "0", "0", "1", "2"], "{context}");
        let attempts = 5;
        let puts = call_count(&sandbox, "PutSecretValue");
        assert_eq!(puts, attempts * NAMES.len(), "{context}");
        let last = call_count(&sandbox, MOVE);
        let current = |other: &str| {
            if other == name {
                rival(last)
            } else {
                old_value(other)
            }
        };
        assert_eq!(values(&sandbox), NAMES.map(current), "{context}");
        assert_eq!(remaining_labels(&sandbox), [""; 0], "{context}");
        let message = format!("another writer changed {name} during this run");
        assert!(outcome.stderr.contains(&message), "{context}");
        assert!(
            outcome.stderr.contains("no secret was changed"),
            "{context}"
        );
        assert_no_gaps(&outcome);
    }
}

#[test]
fn two_concurrent_runs_do_not_mix() {
    let sandbox = existing();
    let (one, other) = (
        release(&sandbox, "1").env("GITHUB_RUN_ID", "1"),
        release(&sandbox, "2").env("GITHUB_RUN_ID", "2"),
    );
    // The first run is between its moves when the second starts.
    let held = sandbox.hold("UpdateSecretVersionStage", 2, When::BeforeApply);
    let first = one.spawn();
    assert!(held.wait_reached(WAIT_LIMIT));
    let described = sandbox.hold("DescribeSecret", 3, When::AfterApply);
    let second = other.spawn();
    assert!(described.wait_reached(WAIT_LIMIT));
    described.release();
    held.release();
    let (one, other) = (one.finish(first), other.finish(second));
    assert!(
        [one.code, other.code].contains(&Some(0)),
        "{}{}",
        one.stderr,
        other.stderr
    );
    let now = values(&sandbox);
    let of = |release: &str| NAMES.map(|name| new_value(name, release));
    assert!(
        now == of("1") || now == of("2"),
        "{now:?} {}{}",
        one.stderr,
        other.stderr
    );
    assert_eq!(remaining_labels(&sandbox), [""; 0]);
}

const PAIR: [&str; 2] = ["prod/user", "prod/pass"];

/// A user and a password. One run changes the password, another one the user; both read both.
fn pair() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create("prod/user", "made-up-user-1");
        world.create("prod/pass", "made-up-pass-1");
    });
    sandbox
}

/// A run, in a separate CI run, with a manifest of a user and a password.
fn pair_run(sandbox: &Sandbox, values: [&str; 2], run: &str) -> Cli {
    let secrets = PAIR.into_iter().zip(values.map(str::to_owned));
    manifest_with(sandbox, &secrets.collect::<Vec<_>>())
        .github()
        .env("GITHUB_RUN_ID", run)
}

const NEW_PASS: [&str; 2] = ["made-up-user-1", "made-up-pass-2"];
const NEW_USER: [&str; 2] = ["made-up-user-2", "made-up-pass-1"];

#[track_caller]
fn assert_pair(sandbox: &Sandbox, expected: &[[&str; 2]], outcomes: &[&Outcome]) {
    let now = PAIR.map(|name| value(sandbox, name));
    let messages: Vec<_> = outcomes.iter().map(|outcome| &outcome.stderr).collect();
    assert!(
        expected.iter().any(|pair| now == *pair),
        "{now:?} {messages:?}"
    );
    assert_eq!(remaining_labels(sandbox), [""; 0], "{messages:?}");
}

/// The second run passes the first, which has read both secrets and is held at its first write or at its move.
#[test]
fn passed_run_starts_over_after_the_other() {
    for operation in ["PutSecretValue", MOVE] {
        for [held_values, other_values] in [[NEW_PASS, NEW_USER], [NEW_USER, NEW_PASS]] {
            let sandbox = pair();
            let (one, other) = (
                pair_run(&sandbox, held_values, "1"),
                pair_run(&sandbox, other_values, "2"),
            );
            let held = sandbox.hold(operation, 1, When::BeforeApply);
            let first = one.spawn();
            assert!(held.wait_reached(WAIT_LIMIT));
            let other = other.run();
            other.expect(0, "updated");
            assert_eq!(PAIR.map(|name| value(&sandbox, name)), other_values);
            held.release();
            let one = one.finish(first);
            one.expect(0, "updated");
            assert_pair(&sandbox, &[held_values], &[&one, &other]);
        }
    }
}

/// Two runs, neither of which has seen the other, each held at its move. Each has another hold after the move.
fn both_at_their_moves(sandbox: &Sandbox, runs: [&Cli; 2]) -> [(Child, [Held; 2]); 2] {
    runs.map(|cli| {
        let points = [When::BeforeApply, When::AfterApply];
        let held = points.map(|when| sandbox.hold(MOVE, 1, when));
        let child = cli.spawn();
        assert!(held[0].wait_reached(WAIT_LIMIT));
        (child, held)
    })
}

#[test]
fn runs_held_at_moves_end_in_turn() {
    // The run released first commits; the other one detects that.
    for first in [0, 1] {
        let sandbox = pair();
        let runs =
            [(NEW_PASS, "1"), (NEW_USER, "2")].map(|(values, run)| pair_run(&sandbox, values, run));
        let [one, other] = both_at_their_moves(&sandbox, [&runs[0], &runs[1]]);
        let (winner, loser, values) = match first {
            0 => ((one, &runs[0]), (other, &runs[1]), [NEW_PASS, NEW_USER]),
            _ => ((other, &runs[1]), (one, &runs[0]), [NEW_USER, NEW_PASS]),
        };
        let ((child, held), cli) = winner;
        held.iter().for_each(Held::release);
        let winner = cli.finish(child);
        winner.expect(0, "updated");
        assert_eq!(PAIR.map(|name| value(&sandbox, name)), values[0]);
        let ((child, held), cli) = loser;
        held.iter().for_each(Held::release);
        let loser = cli.finish(child);
        loser.expect(0, "updated");
        assert_pair(&sandbox, &[values[1]], &[&winner, &loser]);
    }
}

#[test]
fn runs_that_saw_each_other_end_in_turn() {
    for order in [[0, 1], [1, 0]] {
        let sandbox = pair();
        let runs =
            [(NEW_PASS, "1"), (NEW_USER, "2")].map(|(values, run)| pair_run(&sandbox, values, run));
        let [one, other] = both_at_their_moves(&sandbox, [&runs[0], &runs[1]]);
        for (_, [before, after]) in [&one, &other] {
            before.release();
            assert!(after.wait_reached(WAIT_LIMIT));
        }
        // Both versions are current, and neither transaction has committed.
        let now = PAIR.map(|name| value(&sandbox, name));
        assert_eq!(now, ["made-up-user-2", "made-up-pass-2"]);
        for index in order {
            [&one.1, &other.1][index][1].release();
        }
        let outcomes = [runs[0].finish(one.0), runs[1].finish(other.0)];
        let both = [&outcomes[0], &outcomes[1]];
        let succeeded: Vec<_> = [NEW_PASS, NEW_USER]
            .into_iter()
            .zip(both)
            .filter_map(|(values, outcome)| (outcome.code == Some(0)).then_some(values))
            .collect();
        assert_pair(&sandbox, &succeeded, &both);
    }
}
