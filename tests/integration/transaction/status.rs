//! What a transaction that does not commit reports of each secret: nothing that did not happen, and everything that did.

use sandbox::When;
use serde_json::Value;

use super::{NAMES, assert_all_new, assert_no_gaps, existing, old_value, release, values};
use crate::common::{Outcome, WAIT_LIMIT, allow_all_except, send_signal};

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
    // The moves were sent at the same time.
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
