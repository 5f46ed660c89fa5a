//! Killed and cancelled runs, at every request boundary.

use sandbox::{Sandbox, SecretView, When};

use crate::common::{Done, NAME, PATIENCE, Tool, calls, signal};

#[derive(Clone, Copy, Debug)]
enum Start {
    Absent,
    Old,
}

#[derive(Clone, Copy, Debug)]
enum Cut {
    /// The request was never applied.
    Before,
    /// It was under way when the process died, and was applied after that.
    UnderWay,
    /// Its answer was under way.
    After,
}

fn start(from: Start) -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.add_kms_key("alias/models");
        if matches!(from, Start::Old) {
            world.create(NAME, "old");
        }
    });
    sandbox
}

fn tool(sandbox: &Sandbox) -> Tool {
    Tool::new(sandbox, "made-up")
        .input("description", "d")
        .input("kms-key-id", "alias/models")
        .input("tags", "k=v")
}

/// The state without ids: what a reader of the secret can tell.
fn state(secret: &SecretView) -> String {
    let versions: Vec<_> = secret
        .versions
        .iter()
        .filter(|version| !version.stages.is_empty())
        .map(|version| format!("{:?}={:?}", version.stages, version.string))
        .collect();
    format!(
        "{:?} {:?} {:?} {versions:?}",
        secret.description, secret.kms_key_id, secret.tags
    )
}

fn secret(sandbox: &Sandbox) -> SecretView {
    sandbox.with(|world| world.secret(NAME)).unwrap()
}

const OF_AN_UPDATE: [&str; 5] = [
    "DescribeSecret",
    "GetSecretValue",
    "UpdateSecret",
    "PutSecretValue",
    "TagResource",
];
const OF_A_CREATION: [&str; 3] = ["DescribeSecret", "GetSecretValue", "CreateSecret"];

#[test]
fn kill_then_rerun_converges() {
    for (from, operations) in [
        (Start::Absent, &OF_A_CREATION[..]),
        (Start::Old, &OF_AN_UPDATE[..]),
    ] {
        let clean = start(from);
        assert_eq!(tool(&clean).run().code, Some(0));
        let wanted = secret(&clean);
        for operation in operations {
            for cut in [Cut::Before, Cut::UnderWay, Cut::After] {
                let what = format!("{from:?} {operation} {cut:?}");
                let sandbox = start(from);
                let when = match cut {
                    Cut::After => When::AfterApply,
                    Cut::Before | Cut::UnderWay => When::BeforeApply,
                };
                let held = sandbox.hold(operation, 1, when);
                let tool = tool(&sandbox);
                let mut child = tool.spawn();
                assert!(held.wait_reached(PATIENCE), "{what}");
                child.kill().unwrap();
                child.wait().unwrap();
                match cut {
                    Cut::Before => held.discard(),
                    Cut::UnderWay | Cut::After => held.release(),
                }
                drop(held);
                let again = tool.run();
                assert_eq!(again.code, Some(0), "{what}: {}", again.stderr);
                let after = secret(&sandbox);
                assert_eq!(state(&after), state(&wanted), "{what}");
                assert_eq!(
                    after.versions.len(),
                    wanted.versions.len(),
                    "{what}: no third version"
                );
                assert_eq!(
                    again.output("secret_version_id"),
                    after.current().unwrap().id,
                    "{what}"
                );
            }
        }
    }
}

fn cancelled(when: When, name: &str) -> (Sandbox, Done) {
    let sandbox = start(Start::Old);
    let held = sandbox.hold("PutSecretValue", 1, when);
    let tool = tool(&sandbox).github();
    let child = tool.spawn();
    assert!(held.wait_reached(PATIENCE));
    signal(&child, name);
    held.release();
    drop(held);
    let done = tool.finish(child);
    (sandbox, done)
}

#[test]
fn cancel_reports_outputs_and_stops_writing() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        for when in [When::BeforeApply, When::AfterApply] {
            let (sandbox, done) = cancelled(when, name);
            assert_eq!(done.code, Some(code), "{}", done.stderr);
            let current = secret(&sandbox).current().unwrap().clone();
            assert_eq!(current.string.as_deref(), Some("made-up"));
            // The answer came within the grace period, so its id is known.
            assert_eq!(done.output("secret_version_id"), current.id);
            assert_eq!(done.output("result"), "updated");
            assert_eq!(calls(&sandbox, "TagResource"), 0, "no new write");
            assert!(done.stderr.contains("cancelled"), "{}", done.stderr);
            assert!(done.summary.contains("cancelled"), "{}", done.summary);
        }
    }
}

#[test]
fn cancel_does_not_wait_for_lost_response() {
    let sandbox = start(Start::Old);
    let held = sandbox.hold("PutSecretValue", 1, When::BeforeApply);
    let tool = tool(&sandbox);
    let child = tool.spawn();
    assert!(held.wait_reached(PATIENCE));
    signal(&child, "TERM");
    let done = tool.finish(child);
    held.discard();
    assert_eq!(done.code, Some(143), "{}", done.stderr);
    assert_eq!(done.output("secret_version_id"), "");
    assert!(!done.output("secret_id").is_empty());
    assert_eq!(
        secret(&sandbox).current().unwrap().string.as_deref(),
        Some("old")
    );
}
