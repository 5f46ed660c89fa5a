//! `json-key`: one key of a JSON secret is set, and concurrent changes to other keys survive.

use std::process::Child;
use std::time::Duration;

use sandbox::{Fault, Sandbox, When};

use super::{keyed, private_labels, secret};
use crate::common::{Done, NAME, PATIENCE, Tool, calls, current, operations, versions};

#[test]
fn concurrent_keys_are_merged() {
    for (operation, nth) in [
        ("PutSecretValue", 1),
        ("UpdateSecretVersionStage", 1),
        // Between the move and the end of the private label.
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
        keyed(&sandbox, "ours", "made-up")
            .run()
            .expect(0, "updated");
        let text = current(&sandbox).unwrap();
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
                let done = keyed(&sandbox, "b", "made-up")
                    .env("AWS_MAX_ATTEMPTS", attempts)
                    .run();
                let what = format!("{operation} {nth} {attempts}: {}", done.stderr);
                if operation == "DescribeSecret" && attempts == "1" {
                    assert_eq!(done.code, Some(7), "{what}");
                    continue;
                }
                assert_eq!(done.code, Some(0), "{what}");
                assert_eq!(done.output("result"), "updated", "{what}");
                assert_eq!(done.output("previous_version_id"), old, "{what}");
                assert_eq!(
                    current(&sandbox).as_deref(),
                    Some(r#"{"a":1,"b":"made-up"}"#)
                );
                assert!(private_labels(&sandbox).is_empty(), "{what}");
            }
        }
    }
}

#[test]
fn first_version_needs_no_swap() {
    let sandbox = Sandbox::start();
    let tool = keyed(&sandbox, "/db/password", "made-up");
    tool.run().expect(0, "created");
    assert_eq!(
        current(&sandbox).as_deref(),
        Some(r#"{"db":{"password":"made-up"}}"#)
    );
    tool.run().expect(0, "unchanged");

    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create_empty(NAME));
    let done = keyed(&sandbox, "a", "made-up").run();
    done.expect(0, "updated");
    assert_eq!(done.output("version_stages"), "AWSCURRENT");
    assert_eq!(current(&sandbox).as_deref(), Some(r#"{"a":"made-up"}"#));
    assert!(private_labels(&sandbox).is_empty());
}

#[test]
fn json_value_keeps_document_formatting() {
    let sandbox = Sandbox::start();
    let before = "{\n  \"big\": 12345678901234567890.10,\n  \"old\": {\"x\": [1, 2]}\n}\n";
    sandbox.with(|world| world.create(NAME, before));
    let tool = |value: &str| keyed(&sandbox, "new", value).input("json-value-as", "json");
    tool("{\"n\": 1.50}").run().expect(0, "updated");
    assert_eq!(
        current(&sandbox).unwrap(),
        "{\n  \"big\": 12345678901234567890.10,\n  \"old\": {\"x\": [1, 2]},\n  \"new\": {\"n\": 1.50}\n}\n"
    );
    tool(" { \"n\" :1.50 } ").run().expect(0, "unchanged");
    let done = tool("{\"made-up-and-not-json").run();
    done.expect(2, "");
    assert!(
        !done.everything().contains("made-up-and"),
        "{}",
        done.stderr
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
        let done = keyed(&sandbox, "key", "new-value").run();
        done.expect(6, "");
        assert_eq!(current(&sandbox).as_deref(), Some(value));
        assert!(
            !done.everything().contains("made-up-"),
            "{}",
            done.everything()
        );
        assert_eq!(calls(&sandbox, "PutSecretValue"), 0);
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
        let done = keyed(&sandbox, "key", "made-up").input(input, value).run();
        done.expect(2, "");
    }
    Tool::new(&sandbox, "made-up")
        .input("json-value-as", "json")
        .run()
        .expect(2, "");
    assert_eq!(operations(&sandbox), [""; 0]);
}

#[test]
fn starved_run_ends_in_conflict() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "{}"));
    // Each time somebody else is faster.
    for nth in 1..200 {
        sandbox.before("UpdateSecretVersionStage", nth, move |world| {
            world.put(NAME, &format!("{{\"rival\":{nth}}}"));
        });
    }
    let done = keyed(&sandbox, "ours", "made-up")
        .input("timeout", "8s")
        .run();
    done.expect(5, "");
    let holder = secret(&sandbox).current().unwrap().clone();
    assert!(holder.string.unwrap().contains("rival"));
    assert!(
        done.stderr.contains("others kept writing"),
        "{}",
        done.stderr
    );
    assert!(private_labels(&sandbox).is_empty());
}

/// Twenty runs that set a key each, and the secret that they set it in, as AWS limits it and as far away.
fn twenty() -> (Sandbox, Vec<Tool>) {
    let sandbox = Sandbox::start();
    sandbox.set_latency(Duration::from_millis(20));
    sandbox.set_rate_limit(Some(50));
    sandbox.with(|world| world.create(NAME, "{}"));
    let tools = (0..20)
        .map(|number| {
            // The legs of a matrix: the same run, the same job.
            keyed(
                &sandbox,
                &format!("key{number}"),
                &format!("value-{number}"),
            )
            .github()
        })
        .collect();
    (sandbox, tools)
}

fn assert_twenty_keys(sandbox: &Sandbox) {
    let document: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&current(sandbox).unwrap()).unwrap();
    for number in 0..20 {
        let value = document.get(&format!("key{number}"));
        assert_eq!(
            value,
            Some(&format!("value-{number}").into()),
            "{document:?}"
        );
    }
    assert_eq!(document.len(), 20);
    assert!(versions(sandbox) <= 60, "{} versions", versions(sandbox));
}

#[test]
fn twenty_concurrent_runs_keep_all_keys() {
    let (sandbox, tools) = twenty();
    let running: Vec<Child> = tools.iter().map(Tool::spawn).collect();
    let done: Vec<Done> = tools
        .iter()
        .zip(running)
        .map(|(tool, child)| tool.finish(child))
        .collect();
    for one in &done {
        one.expect(0, "updated");
    }
    assert_twenty_keys(&sandbox);
    assert_eq!(private_labels(&sandbox), [""; 0]);
}

#[test]
fn twenty_runs_with_kills_keep_all_keys() {
    let (sandbox, tools) = twenty();
    let cuts = [
        ("PutSecretValue", 1, When::AfterApply),
        ("PutSecretValue", 4, When::BeforeApply),
        ("UpdateSecretVersionStage", 2, When::AfterApply),
        ("UpdateSecretVersionStage", 9, When::BeforeApply),
        ("GetSecretValue", 30, When::AfterApply),
    ];
    let held = cuts.map(|(operation, nth, when)| sandbox.hold(operation, nth, when));
    let mut running: Vec<Child> = tools.iter().map(Tool::spawn).collect();
    for (number, held) in held.into_iter().enumerate() {
        assert!(held.wait_reached(PATIENCE));
        // Whichever run the held request is of: this one is somewhere, and ends there.
        running[number * 4].kill().unwrap();
        held.release();
    }
    let mut again = Vec::new();
    for (number, (tool, child)) in tools.iter().zip(running).enumerate() {
        let done = tool.finish(child);
        if number % 4 == 0 {
            again.push(tool);
        } else {
            done.expect(0, "updated");
        }
    }
    let dead = private_labels(&sandbox).len();
    assert!(dead <= again.len(), "only those of killed runs are left");
    let running: Vec<Child> = again.iter().map(|tool| tool.spawn()).collect();
    for (tool, child) in again.into_iter().zip(running) {
        let done = tool.finish(child);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
    }
    assert_twenty_keys(&sandbox);
    assert_eq!(
        private_labels(&sandbox).len(),
        dead,
        "no living run's label was taken off, and none is new"
    );
}
