//! First versions, which AWS makes current immediately: another writer's first value is never overwritten unseen, and a first
//! version of this run is reported even if the transaction fails.

use sandbox::{Policy, Sandbox, World};
use serde_json::Value;

use super::{
    RIVAL, assert_no_gaps, concurrent_put, manifest_run, new_value, old_value, previous_value,
    remaining_labels, secret, value,
};
use crate::common::{Outcome, allow_all_except, call_count};

const SECRETS: [&str; 3] = ["prod/a", "prod/new", "prod/c"];

const MOVE: &str = "UpdateSecretVersionStage";

/// How a secret without a value is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vacant {
    Absent,
    WithoutValue,
}

impl Vacant {
    /// `prod/a` and `prod/c` with old values, and `prod/new`.
    fn sandbox(self) -> Sandbox {
        let sandbox = Sandbox::start();
        sandbox.with(|world| {
            world.create("prod/a", &old_value("prod/a"));
            world.create("prod/c", &old_value("prod/c"));
            if self == Self::WithoutValue {
                world.create_empty("prod/new");
            }
        });
        sandbox
    }

    /// The write calls until the first version is written, with that one.
    fn writes(self) -> [(&'static str, usize); 3] {
        let last = match self {
            Self::Absent => ("CreateSecret", 1),
            Self::WithoutValue => ("PutSecretValue", 3),
        };
        [("PutSecretValue", 1), ("PutSecretValue", 2), last]
    }

    /// Gives the secret its first value just before the nth call of an operation.
    fn fill_before(self, sandbox: &Sandbox, (operation, nth): (&str, usize)) {
        sandbox.before(operation, nth, move |world: &mut World| match self {
            Self::Absent => {
                world.create("prod/new", RIVAL);
            }
            Self::WithoutValue => {
                world.put("prod/new", RIVAL);
            }
        });
    }

    /// The result of a secret that got its first version.
    fn result(self) -> &'static str {
        match self {
            Self::Absent => "created",
            Self::WithoutValue => "updated",
        }
    }
}

const BOTH: [Vacant; 2] = [Vacant::Absent, Vacant::WithoutValue];

fn run(sandbox: &Sandbox) -> Outcome {
    manifest_run(sandbox, &SECRETS, "1").github().run()
}

#[track_caller]
fn assert_rival_replaced(sandbox: &Sandbox, context: &str) {
    for name in SECRETS {
        assert_eq!(value(sandbox, name), new_value(name, "1"), "{context}");
    }
    let previous = previous_value(sandbox, "prod/new");
    assert_eq!(previous.as_deref(), Some(RIVAL), "{context}");
    assert_eq!(remaining_labels(sandbox), [""; 0], "{context}");
}

#[test]
fn concurrent_first_value_becomes_previous() {
    for vacant in BOTH {
        for write in vacant.writes() {
            let sandbox = vacant.sandbox();
            vacant.fill_before(&sandbox, write);
            let outcome = run(&sandbox);
            let context = format!("{vacant:?} {write:?}: {}", outcome.stderr);
            outcome.expect(0, "updated");
            assert_rival_replaced(&sandbox, &context);
            // The write of the first value had no effect, so every version was staged once more.
            let writes = call_count(&sandbox, "PutSecretValue");
            let creates = call_count(&sandbox, "CreateSecret");
            assert_eq!(writes + creates, 2 * SECRETS.len(), "{context}");
        }
    }
}

#[test]
fn first_value_of_rival_survives_conflict() {
    for vacant in BOTH {
        let write = vacant.writes()[2];
        let conflict = |nth| {
            let sandbox = vacant.sandbox();
            vacant.fill_before(&sandbox, write);
            concurrent_put(&sandbox, MOVE, nth, "prod/c");
            sandbox
        };
        let sandbox = conflict(1_000);
        run(&sandbox).expect(0, "updated");
        for nth in 1..=call_count(&sandbox, MOVE) {
            let sandbox = conflict(nth);
            let outcome = run(&sandbox);
            let context = format!("{vacant:?} {nth}: {}", outcome.stderr);
            assert_eq!(outcome.code, Some(0), "{context}");
            let [current, previous] = [
                Some(value(&sandbox, "prod/c")),
                previous_value(&sandbox, "prod/c"),
            ];
            let rival = Some(RIVAL.to_owned());
            assert!([&current, &previous].contains(&&rival), "{context}");
            if current != rival {
                assert_rival_replaced(&sandbox, &context);
            }
            let previous = previous_value(&sandbox, "prod/new");
            assert_eq!(previous, rival, "{context}");
            assert_eq!(value(&sandbox, "prod/new"), new_value("prod/new", "1"));
            assert_eq!(value(&sandbox, "prod/a"), new_value("prod/a", "1"));
        }
    }
}

#[test]
fn concurrent_first_value_survives_failed_run() {
    for vacant in BOTH {
        for write in vacant.writes() {
            for denied in ["PutSecretValue", MOVE] {
                let is_reached = denied == MOVE || write == ("PutSecretValue", 1);
                if !is_reached {
                    continue;
                }
                let sandbox = vacant.sandbox();
                vacant.fill_before(&sandbox, write);
                let policy = allow_all_except(&[(denied, "prod/c")]);
                sandbox.set_policy(&sandbox.default_key_id(), policy);
                let outcome = run(&sandbox);
                let context = format!("{vacant:?} {write:?} {denied}: {}", outcome.stderr);
                assert_eq!(outcome.code, Some(4), "{context}");
                assert_eq!(outcome.output("changed"), "", "{context}");
                assert_eq!(value(&sandbox, "prod/new"), RIVAL, "{context}");
                for name in ["prod/a", "prod/c"] {
                    assert_eq!(value(&sandbox, name), old_value(name), "{context}");
                }
                sandbox.set_policy(&sandbox.default_key_id(), Policy::allow_all());
                run(&sandbox).expect(0, "updated");
                assert_rival_replaced(&sandbox, &context);
            }
        }
    }
}

#[test]
fn first_value_of_rival_survives_last_attempt() {
    for vacant in BOTH {
        for write in vacant.writes() {
            let sandbox = vacant.sandbox();
            vacant.fill_before(&sandbox, write);
            for nth in 1..=80 {
                concurrent_put(&sandbox, MOVE, nth, "prod/c");
            }
            let outcome = run(&sandbox);
            let context = format!("{vacant:?} {write:?}: {}", outcome.stderr);
            assert_eq!(outcome.code, Some(5), "{context}");
            assert_eq!(value(&sandbox, "prod/new"), RIVAL, "{context}");
            assert_eq!(value(&sandbox, "prod/c"), RIVAL, "{context}");
            assert_eq!(value(&sandbox, "prod/a"), old_value("prod/a"), "{context}");
            assert_eq!(outcome.output("changed"), "", "{context}");
            assert_eq!(remaining_labels(&sandbox), [""; 0], "{context}");
        }
    }
}

/// A first version stays although the run fails, because nothing is ever deleted.
#[track_caller]
fn assert_first_version_reported(sandbox: &Sandbox, vacant: Vacant, outcome: &Outcome) {
    let context = format!("{vacant:?}: {}", outcome.stderr);
    let versions = secret(sandbox, "prod/new").versions;
    assert_eq!(versions.len(), 1, "{context}");
    assert_eq!(value(sandbox, "prod/new"), new_value("prod/new", "1"));
    assert_eq!(value(sandbox, "prod/a"), old_value("prod/a"), "{context}");
    let counts = match vacant {
        Vacant::Absent => ["1", "0", "0", "1", "1"],
        Vacant::WithoutValue => ["0", "1", "0", "1", "1"],
    };
    assert_eq!(outcome.counts(), counts, "{context}");
    assert_eq!(outcome.output("result"), vacant.result(), "{context}");
    assert_eq!(outcome.output("changed"), "true", "{context}");
    let results: Value = serde_json::from_str(outcome.output("results")).unwrap();
    let of = |name: &str, key: &str| results[name][key].as_str().map(str::to_owned);
    let result_of = |name| of(name, "result").unwrap();
    let expected = ["not_tried", vacant.result(), "failed"];
    assert_eq!(SECRETS.map(result_of), expected, "{context}");
    let version = of("prod/new", "secret_version_id");
    assert_eq!(version.as_ref(), Some(&versions[0].id), "{context}");
    // A version was made current.
    assert!(
        !outcome.stderr.contains("no secret was changed"),
        "{context}"
    );
    assert_no_gaps(outcome);
}

#[test]
fn first_version_of_denied_run_is_reported() {
    for vacant in BOTH {
        let sandbox = vacant.sandbox();
        let policy = allow_all_except(&[(MOVE, "prod/c")]);
        sandbox.set_policy(&sandbox.default_key_id(), policy);
        let outcome = run(&sandbox);
        assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
        assert_first_version_reported(&sandbox, vacant, &outcome);
        assert_eq!(value(&sandbox, "prod/c"), old_value("prod/c"));
    }
}

#[test]
fn first_version_of_earlier_attempt_is_reported() {
    for vacant in BOTH {
        let sandbox = vacant.sandbox();
        for nth in 1..=80 {
            concurrent_put(&sandbox, MOVE, nth, "prod/c");
        }
        let outcome = run(&sandbox);
        assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
        assert_first_version_reported(&sandbox, vacant, &outcome);
        assert_eq!(value(&sandbox, "prod/c"), RIVAL);
    }
}
