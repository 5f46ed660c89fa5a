//! Runs that are killed or canceled, at every request.

use sandbox::{Sandbox, SecretView, When};

use crate::common::{Cli, NAME, Outcome, WAIT_LIMIT, call_count, send_signal};

#[derive(Clone, Copy, Debug)]
enum InitialState {
    Absent,
    Existing,
}

#[derive(Clone, Copy, Debug)]
enum KillPoint {
    /// The service never applies the request.
    NotApplied,
    /// The service applies the request after the process is dead.
    AppliedLater,
    /// The service has applied the request; its response is lost.
    Applied,
}

fn sandbox_in(from: InitialState) -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.add_kms_key("alias/models");
        if matches!(from, InitialState::Existing) {
            world.create(NAME, "old");
        }
    });
    sandbox
}

fn cli(sandbox: &Sandbox) -> Cli {
    Cli::new(sandbox, "made-up")
        .input("description", "d")
        .input("kms-key-id", "alias/models")
        .input("tags", "k=v")
}

/// The state visible to readers of the secret, without version IDs.
fn visible_state(secret: &SecretView) -> String {
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

const UPDATE_CALLS: [&str; 5] = [
    "DescribeSecret",
    "GetSecretValue",
    "UpdateSecret",
    "PutSecretValue",
    "TagResource",
];
const CREATE_CALLS: [&str; 3] = ["DescribeSecret", "GetSecretValue", "CreateSecret"];

#[test]
fn kill_then_rerun_converges() {
    for (from, operations) in [
        (InitialState::Absent, &CREATE_CALLS[..]),
        (InitialState::Existing, &UPDATE_CALLS[..]),
    ] {
        let clean = sandbox_in(from);
        assert_eq!(cli(&clean).run().code, Some(0));
        let expected = secret(&clean);
        for operation in operations {
            for cut in [
                KillPoint::NotApplied,
                KillPoint::AppliedLater,
                KillPoint::Applied,
            ] {
                let context = format!("{from:?} {operation} {cut:?}");
                let sandbox = sandbox_in(from);
                let when = match cut {
                    KillPoint::Applied => When::AfterApply,
                    KillPoint::NotApplied | KillPoint::AppliedLater => When::BeforeApply,
                };
                let held = sandbox.hold(operation, 1, when);
                let cli = cli(&sandbox);
                let mut child = cli.spawn();
                assert!(held.wait_reached(WAIT_LIMIT), "{context}");
                child.kill().unwrap();
                child.wait().unwrap();
                match cut {
                    KillPoint::NotApplied => held.discard(),
                    KillPoint::AppliedLater | KillPoint::Applied => held.release(),
                }
                drop(held);
                let again = cli.run();
                assert_eq!(again.code, Some(0), "{context}: {}", again.stderr);
                let after = secret(&sandbox);
                assert_eq!(visible_state(&after), visible_state(&expected), "{context}");
                assert_eq!(
                    after.versions.len(),
                    expected.versions.len(),
                    "{context}: no third version"
                );
                assert_eq!(
                    again.output("secret_version_id"),
                    after.current().unwrap().id,
                    "{context}"
                );
            }
        }
    }
}

fn cancel_during_put(when: When, name: &str) -> (Sandbox, Outcome) {
    let sandbox = sandbox_in(InitialState::Existing);
    let held = sandbox.hold("PutSecretValue", 1, when);
    let cli = cli(&sandbox).github();
    let child = cli.spawn();
    assert!(held.wait_reached(WAIT_LIMIT));
    send_signal(&child, name);
    held.release();
    drop(held);
    let outcome = cli.finish(child);
    (sandbox, outcome)
}

#[test]
fn cancel_reports_outputs_and_stops_writing() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        for when in [When::BeforeApply, When::AfterApply] {
            let (sandbox, outcome) = cancel_during_put(when, name);
            assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
            let current = secret(&sandbox).current().unwrap().clone();
            assert_eq!(current.string.as_deref(), Some("made-up"));
            // The response arrives within the grace period, so the version ID is known.
            assert_eq!(outcome.output("secret_version_id"), current.id);
            assert_eq!(outcome.output("result"), "updated");
            assert_eq!(call_count(&sandbox, "TagResource"), 0, "no further write");
            assert!(outcome.stderr.contains("cancelled"), "{}", outcome.stderr);
            assert!(outcome.summary.contains("cancelled"), "{}", outcome.summary);
        }
    }
}

#[test]
fn cancel_does_not_wait_for_lost_response() {
    let sandbox = sandbox_in(InitialState::Existing);
    let held = sandbox.hold("PutSecretValue", 1, When::BeforeApply);
    let cli = cli(&sandbox);
    let child = cli.spawn();
    assert!(held.wait_reached(WAIT_LIMIT));
    send_signal(&child, "TERM");
    let outcome = cli.finish(child);
    held.discard();
    assert_eq!(outcome.code, Some(143), "{}", outcome.stderr);
    assert_eq!(outcome.output("secret_version_id"), "");
    assert!(!outcome.output("secret_id").is_empty());
    assert_eq!(
        secret(&sandbox).current().unwrap().string.as_deref(),
        Some("old")
    );
}
