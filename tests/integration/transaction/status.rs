//! The report of each secret in a transaction that does not commit: nothing that did not happen, and everything that did.

use std::time::Duration;

use sandbox::{Held, Policy, Sandbox, When};
use serde_json::Value;

use super::{
    NAMES, assert_all_new, assert_all_old, assert_no_gaps, existing, new_value, old_value,
    previous_value, release, remaining_labels, secret, value, values,
};
use crate::common::{Cli, Outcome, WAIT_LIMIT, allow_all_except, send_signal};

const MOVE: &str = "UpdateSecretVersionStage";

/// Texts about versions that this run has made current.
const ALARMS: [&str; 5] = [
    "is current",
    "was current",
    "could not be rolled back",
    "rolled it back",
    "cut short",
];

#[track_caller]
fn assert_no_alarm(outcome: &Outcome) {
    let text = outcome.all_output();
    for alarm in ALARMS {
        assert!(!text.contains(alarm), "{alarm}: {text}");
    }
    assert_no_gaps(outcome);
}

#[test]
fn denied_moves_raise_no_alarm() {
    let sandbox = existing();
    let policy = allow_all_except(&NAMES.map(|name| (MOVE, name)));
    sandbox.set_policy(&sandbox.default_key_id(), policy);
    let outcome = release(&sandbox, "1").run();
    assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
    assert_no_alarm(&outcome);
    assert_eq!(values(&sandbox), NAMES.map(old_value));
    assert_eq!(outcome.output("changed"), "");
    // The moves were sent concurrently.
    assert_eq!(outcome.counts(), ["0", "0", "0", "3", "0"]);

    for denied in NAMES {
        let sandbox = existing();
        let policy = allow_all_except(&[(MOVE, denied)]);
        sandbox.set_policy(&sandbox.default_key_id(), policy);
        let outcome = release(&sandbox, "1").run();
        assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
        let results: Value = serde_json::from_str(outcome.output("results")).unwrap();
        for name in NAMES {
            let expected = if name == denied {
                "failed"
            } else {
                "not_tried"
            };
            assert_eq!(results[name]["result"], expected, "{}", outcome.stderr);
        }
        for alarm in ["is current", "could not be rolled back", "cut short"] {
            assert!(!outcome.stderr.contains(alarm), "{}", outcome.stderr);
        }
        assert_eq!(values(&sandbox), NAMES.map(old_value));
    }
}

#[test]
fn signal_before_moves_raises_no_alarm() {
    for nth in 1..=NAMES.len() {
        for when in [When::BeforeApply, When::AfterApply] {
            for is_answered in [false, true] {
                let sandbox = existing();
                let cli = release(&sandbox, "1");
                let held = sandbox.hold("PutSecretValue", nth, when);
                let child = cli.spawn();
                assert!(held.wait_reached(WAIT_LIMIT));
                send_signal(&child, "TERM");
                if is_answered {
                    held.release();
                } else {
                    held.discard();
                }
                let outcome = cli.finish(child);
                let context = format!("{nth} {when:?} {is_answered}: {}", outcome.stderr);
                assert_eq!(outcome.code, Some(143), "{context}");
                assert_no_alarm(&outcome);
                assert_eq!(outcome.output("changed"), "", "{context}");
                assert_eq!(values(&sandbox), NAMES.map(old_value), "{context}");
                if is_answered {
                    assert_eq!(outcome.counts(), ["0", "0", "0", "0", "3"], "{context}");
                }
                cli.run().expect(0, "updated");
                assert_all_new(&sandbox, "1");
            }
        }
    }
}

/// The secrets in the JSON report, by name.
fn report_of(outcome: &Outcome) -> Value {
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    report["secrets"].clone()
}

/// How a run is cut short at its moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// By a signal; the other calls in progress are dropped.
    Signal,
    /// By a signal; the other calls in progress never get a response.
    SignalWithoutAnswers,
    TimeLimit,
}

/// More calls than a run sends before it is cut short.
const MANY: usize = 20;

/// Cuts a run short when the first of its moves was applied, with or without a response. The other moves are not applied.
fn cut_after_first_move(sandbox: &Sandbox, cli: &Cli, cut: Cut, is_answered: bool) -> Outcome {
    let first = sandbox.hold(MOVE, 1, When::AfterApply);
    let rest: Vec<Held> = (2..=MANY)
        .map(|nth| sandbox.hold(MOVE, nth, When::BeforeApply))
        .collect();
    let child = cli.spawn();
    assert!(first.wait_reached(WAIT_LIMIT));
    assert!(rest[..2].iter().all(|held| held.wait_reached(WAIT_LIMIT)));
    if cut != Cut::TimeLimit {
        send_signal(&child, "TERM");
    }
    if is_answered {
        first.release();
    }
    if cut == Cut::Signal {
        rest[..2].iter().for_each(Held::discard);
    }
    let outcome = cli.finish(child);
    let reached = rest.iter().filter(|held| held.wait_reached(Duration::ZERO));
    reached.for_each(Held::discard);
    outcome
}

/// The one secret with a new value is reported as failed, with its version, and the next run rolls it back.
fn check_current_version_is_failed(cut: Cut, is_answered: bool) {
    let sandbox = existing();
    let mut cli = release(&sandbox, "1").args(&["--format", "json"]);
    if cut == Cut::TimeLimit {
        cli = cli.input("timeout", "4s");
    }
    let outcome = cut_after_first_move(&sandbox, &cli, cut, is_answered);
    let context = format!("{cut:?}: {} {}", outcome.stderr, outcome.stdout);
    let code = match cut {
        Cut::TimeLimit => 7,
        Cut::Signal | Cut::SignalWithoutAnswers => 143,
    };
    assert_eq!(outcome.code, Some(code), "{context}");
    let is_current = |name: &&str| value(&sandbox, name) == new_value(name, "1");
    let current: Vec<&str> = NAMES.into_iter().filter(is_current).collect();
    let [name] = current[..] else {
        panic!("{current:?} {context}");
    };
    let report = report_of(&outcome);
    let version = secret(&sandbox, name).current().unwrap().id.clone();
    assert_eq!(report[name]["result"], "failed", "{context}");
    assert_eq!(report[name]["secret_version_id"], version, "{context}");
    let error = report[name]["error"].to_string();
    assert!(error.contains(&version), "{context}");
    assert!(error.contains("rolls it back"), "{context}");
    assert_no_gaps(&outcome);

    // The rerun starts over from the old values.
    cli.run().expect(0, "updated");
    assert_all_new(&sandbox, "1");
    for name in NAMES {
        let previous = previous_value(&sandbox, name);
        assert_eq!(previous, Some(old_value(name)), "{context}");
    }
}

#[test]
fn current_version_of_cancelled_run_is_failed() {
    check_current_version_is_failed(Cut::Signal, true);
}

#[test]
fn current_version_of_hanging_run_is_failed() {
    check_current_version_is_failed(Cut::SignalWithoutAnswers, true);
}

#[test]
fn current_version_of_timed_out_run_is_failed() {
    check_current_version_is_failed(Cut::TimeLimit, true);
}

#[test]
fn unanswered_move_of_cancelled_run_is_failed() {
    check_current_version_is_failed(Cut::SignalWithoutAnswers, false);
}

#[test]
fn unanswered_move_of_timed_out_run_is_failed() {
    check_current_version_is_failed(Cut::TimeLimit, false);
}

#[test]
fn denied_rerun_of_cut_run_rolls_back() {
    let sandbox = existing();
    let cli = release(&sandbox, "1");
    cut_after_first_move(&sandbox, &cli, Cut::Signal, true);
    assert!(!remaining_labels(&sandbox).is_empty());
    let policy = allow_all_except(&[("PutSecretValue", "prod/a")]);
    sandbox.set_policy(&sandbox.default_key_id(), policy);
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
    sandbox.set_policy(&sandbox.default_key_id(), Policy::allow_all());
    assert_all_old(&sandbox);
}
