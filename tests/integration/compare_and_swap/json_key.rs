//! `json-key`: one key of a JSON secret is set, and concurrent changes to other keys survive.

use std::process::Child;
use std::time::Duration;

use sandbox::{Fault, Sandbox, When};

use super::{private_labels, secret, with_json_key};
use crate::common::{
    Cli, NAME, Outcome, WAIT_LIMIT, call_count, current_value, operations, version_count,
};

#[test]
fn concurrent_keys_are_merged() {
    for (operation, nth) in [
        ("PutSecretValue", 1),
        ("UpdateSecretVersionStage", 1),
        // After AWSCURRENT has moved, before the private label is removed.
        ("UpdateSecretVersionStage", 2),
    ] {
        let sandbox = Sandbox::start();
        sandbox.with(|world| world.create(NAME, r#"{"a":"1"}"#));
        sandbox.before(operation, nth, |world| {
            let now = world
                .secret(NAME)
                .unwrap()
                .current()
                .unwrap()
                .string
                .clone()
                .unwrap();
            world.put(NAME, &now.replace('}', r#","rival":"2"}"#));
        });
        with_json_key(&sandbox, "ours", "made-up")
            .run()
            .expect(0, "updated");
        let text = current_value(&sandbox).unwrap();
        let keys: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            keys,
            serde_json::json!({"a": "1", "rival": "2", "ours": "made-up"}),
            "{operation}"
        );
        assert!(private_labels(&sandbox).is_empty());
    }
}

#[test]
fn lost_responses_converge() {
    for attempts in ["1", "5"] {
        for (operation, nth) in [
            ("DescribeSecret", 1),
            ("PutSecretValue", 1),
            ("UpdateSecretVersionStage", 1),
            ("UpdateSecretVersionStage", 2),
        ] {
            for fault in [Fault::LostAfter, Fault::ResetBefore] {
                let sandbox = Sandbox::start();
                let old = sandbox.with(|world| world.create(NAME, r#"{"a":1}"#));
                sandbox.fault(operation, nth, fault);
                let outcome = with_json_key(&sandbox, "b", "made-up")
                    .env("AWS_MAX_ATTEMPTS", attempts)
                    .run();
                let context = format!("{operation} {nth} {attempts}: {}", outcome.stderr);
                if operation == "DescribeSecret" && attempts == "1" {
                    assert_eq!(outcome.code, Some(7), "{context}");
                    continue;
                }
                assert_eq!(outcome.code, Some(0), "{context}");
                assert_eq!(outcome.output("result"), "updated", "{context}");
                assert_eq!(outcome.output("previous_version_id"), old, "{context}");
                assert_eq!(
                    current_value(&sandbox).as_deref(),
                    Some(r#"{"a":1,"b":"made-up"}"#)
                );
                assert!(private_labels(&sandbox).is_empty(), "{context}");
            }
        }
    }
}

#[test]
fn first_version_needs_no_swap() {
    let sandbox = Sandbox::start();
    let cli = with_json_key(&sandbox, "/db/password", "made-up");
    cli.run().expect(0, "created");
    assert_eq!(
        current_value(&sandbox).as_deref(),
        Some(r#"{"db":{"password":"made-up"}}"#)
    );
    cli.run().expect(0, "unchanged");

    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create_empty(NAME));
    let outcome = with_json_key(&sandbox, "a", "made-up").run();
    outcome.expect(0, "updated");
    assert_eq!(outcome.output("version_stages"), "AWSCURRENT");
    assert_eq!(
        current_value(&sandbox).as_deref(),
        Some(r#"{"a":"made-up"}"#)
    );
    assert!(private_labels(&sandbox).is_empty());
}

#[test]
fn json_value_keeps_document_formatting() {
    let sandbox = Sandbox::start();
    let before = "{\n  \"big\": 12345678901234567890.10,\n  \"old\": {\"x\": [1, 2]}\n}\n";
    sandbox.with(|world| world.create(NAME, before));
    let cli = |value: &str| with_json_key(&sandbox, "new", value).input("json-value-as", "json");
    cli("{\"n\": 1.50}").run().expect(0, "updated");
    assert_eq!(
        current_value(&sandbox).unwrap(),
        "{\n  \"big\": 12345678901234567890.10,\n  \"old\": {\"x\": [1, 2]},\n  \"new\": {\"n\": 1.50}\n}\n"
    );
    cli(" { \"n\" :1.50 } ").run().expect(0, "unchanged");
    let outcome = cli("{\"made-up-and-not-json").run();
    outcome.expect(2, "");
    assert!(
        !outcome.all_output().contains("made-up-and"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn non_object_is_refused_and_never_printed() {
    for value in [
        "made-up-plain-text",
        "[\"made-up-element\"]",
        "\"made-up-text\"",
        "{\"a\":\"made-up-leaf\"",
    ] {
        let sandbox = Sandbox::start();
        sandbox.with(|world| world.create(NAME, value));
        let outcome = with_json_key(&sandbox, "key", "new-value").run();
        outcome.expect(6, "");
        assert_eq!(current_value(&sandbox).as_deref(), Some(value));
        assert!(
            !outcome.all_output().contains("made-up-"),
            "{}",
            outcome.all_output()
        );
        assert_eq!(call_count(&sandbox, "PutSecretValue"), 0);
    }
}

#[test]
fn conflicting_inputs_are_rejected_offline() {
    let sandbox = Sandbox::start();
    for (input, value) in [
        ("compare", "never"),
        ("store-as", "binary"),
        ("version-stages", "candidate"),
    ] {
        let outcome = with_json_key(&sandbox, "key", "made-up")
            .input(input, value)
            .run();
        outcome.expect(2, "");
    }
    Cli::new(&sandbox, "made-up")
        .input("json-value-as", "json")
        .run()
        .expect(2, "");
    assert_eq!(operations(&sandbox), [""; 0]);
}

#[test]
fn starved_run_ends_in_conflict() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "{}"));
    // Another writer wins every race.
    for nth in 1..200 {
        sandbox.before("UpdateSecretVersionStage", nth, move |world| {
            world.put(NAME, &format!("{{\"rival\":{nth}}}"));
        });
    }
    let outcome = with_json_key(&sandbox, "ours", "made-up")
        .input("timeout", "8s")
        .run();
    outcome.expect(5, "");
    let holder = secret(&sandbox).current().unwrap().clone();
    assert!(holder.string.unwrap().contains("rival"));
    assert!(
        outcome.stderr.contains("others kept writing"),
        "{}",
        outcome.stderr
    );
    assert!(private_labels(&sandbox).is_empty());
}

/// Twenty runs that each set a different key of one secret, with AWS's rate limit and a realistic latency.
fn twenty_runs() -> (Sandbox, Vec<Cli>) {
    let sandbox = Sandbox::start();
    sandbox.set_latency(Duration::from_millis(20));
    sandbox.set_rate_limit(Some(50));
    sandbox.with(|world| world.create(NAME, "{}"));
    let jobs = (0..20)
        .map(|number| {
            // Matrix jobs share run ID and job name, and so the request token.
            with_json_key(
                &sandbox,
                &format!("key{number}"),
                &format!("value-{number}"),
            )
            .github()
        })
        .collect();
    (sandbox, jobs)
}

fn assert_twenty_keys(sandbox: &Sandbox) {
    let document: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&current_value(sandbox).unwrap()).unwrap();
    for number in 0..20 {
        let value = document.get(&format!("key{number}"));
        assert_eq!(
            value,
            Some(&format!("value-{number}").into()),
            "{document:?}"
        );
    }
    assert_eq!(document.len(), 20);
    assert!(
        version_count(sandbox) <= 60,
        "{} versions",
        version_count(sandbox)
    );
}

#[test]
fn twenty_concurrent_runs_keep_all_keys() {
    let (sandbox, jobs) = twenty_runs();
    let running: Vec<Child> = jobs.iter().map(Cli::spawn).collect();
    let outcomes: Vec<Outcome> = jobs
        .iter()
        .zip(running)
        .map(|(cli, child)| cli.finish(child))
        .collect();
    for outcome in &outcomes {
        outcome.expect(0, "updated");
    }
    assert_twenty_keys(&sandbox);
    assert_eq!(private_labels(&sandbox), [""; 0]);
}

#[test]
fn twenty_runs_with_kills_keep_all_keys() {
    let (sandbox, jobs) = twenty_runs();
    let kill_points = [
        ("PutSecretValue", 1, When::AfterApply),
        ("PutSecretValue", 4, When::BeforeApply),
        ("UpdateSecretVersionStage", 2, When::AfterApply),
        ("UpdateSecretVersionStage", 9, When::BeforeApply),
        ("GetSecretValue", 30, When::AfterApply),
    ];
    let held = kill_points.map(|(operation, nth, when)| sandbox.hold(operation, nth, when));
    let mut running: Vec<Child> = jobs.iter().map(Cli::spawn).collect();
    for (number, held) in held.into_iter().enumerate() {
        assert!(held.wait_reached(WAIT_LIMIT));
        // The held request may belong to any run. This one is killed at whatever point it has reached.
        running[number * 4].kill().unwrap();
        held.release();
    }
    let mut again = Vec::new();
    for (number, (cli, child)) in jobs.iter().zip(running).enumerate() {
        let outcome = cli.finish(child);
        if number % 4 == 0 {
            again.push(cli);
        } else {
            outcome.expect(0, "updated");
        }
    }
    let orphaned = private_labels(&sandbox).len();
    assert!(orphaned <= again.len(), "only labels of killed runs remain");
    let running: Vec<Child> = again.iter().map(|cli| cli.spawn()).collect();
    for (cli, child) in again.into_iter().zip(running) {
        let outcome = cli.finish(child);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    }
    assert_twenty_keys(&sandbox);
    assert_eq!(
        private_labels(&sandbox).len(),
        orphaned,
        "no label of a running process was removed, and none was added"
    );
}
