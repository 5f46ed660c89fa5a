//! The private staging label of a run: expiry, removal, and the quota of labels on a secret.

use sandbox::{Sandbox, When};
use sandbox_model::{Caller, REGION};
use serde_json::json;

use super::{private_labels, with_expected_version, with_json_key};
use crate::common::{NAME, WAIT_LIMIT, call_count, version_count};

#[test]
fn expired_labels_are_removed() {
    const ID: &str = "-33333333-3333-8333-8333-333333333333";
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let expired = format!("upsert-secret-until-{}{ID}", now - 3_600);
    let unexpired = format!("upsert-secret-until-{}{ID}", now + 3_600);
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| {
        let old = world.create(NAME, "old");
        for (label, token) in [
            (&expired, "44444444-4444-8444-8444-444444444444"),
            (&unexpired, "55555555-5555-8555-8555-555555555555"),
        ] {
            world.put_staged(NAME, "foreign", token, &[label]);
        }
        old
    });
    with_expected_version(&sandbox, &old)
        .run()
        .expect(0, "updated");
    assert_eq!(private_labels(&sandbox), [unexpired]);
}

#[test]
fn cancelled_run_removes_its_label() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let sandbox = Sandbox::start();
        let old = sandbox.with(|world| world.create(NAME, "old"));
        // The move is held, so at this point only the private label is on the version.
        let held = sandbox.hold("UpdateSecretVersionStage", 1, When::BeforeApply);
        let cli = with_expected_version(&sandbox, &old);
        let child = cli.spawn();
        assert!(held.wait_reached(WAIT_LIMIT));
        std::process::Command::new("kill")
            .args([&format!("-{signal}"), &child.id().to_string()])
            .status()
            .unwrap();
        let outcome = cli.finish(child);
        held.discard();
        assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
        assert!(private_labels(&sandbox).is_empty(), "{}", outcome.stderr);
    }
}

#[test]
fn label_quota_held_by_others_is_conflict() {
    let later = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
        + 600;
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| {
        let old = world.create(NAME, "old");
        for number in 0..19 {
            let id = format!("{number:08}-3333-8333-8333-333333333333");
            let label = format!("upsert-secret-until-{later}-{id}");
            world.put_staged(NAME, "foreign", &id, &[&label]);
        }
        old
    });
    let outcome = with_expected_version(&sandbox, &old)
        .input("timeout", "12s")
        .run();
    outcome.expect(5, "");
    assert!(
        call_count(&sandbox, "PutSecretValue") > 0,
        "the wait for other labels is limited"
    );
    assert_eq!(
        private_labels(&sandbox).len(),
        19,
        "unexpired labels remain"
    );
}

/// The private label of a run that may be in progress.
fn unexpired_label() -> String {
    let now = std::time::SystemTime::now();
    let end = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 600;
    format!("upsert-secret-until-{end}-33333333-3333-8333-8333-333333333333")
}

#[test]
fn version_quota_beside_killed_run_is_limit() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create(NAME, "{}");
        for number in 1..100 {
            world.put(NAME, &format!("{{\"{number}\":0}}"));
        }
        let holder = world.secret(NAME).unwrap().current().unwrap().id.clone();
        world.move_stage(NAME, &unexpired_label(), &holder, None);
    });
    let outcome = with_json_key(&sandbox, "a", "made-up").run();
    outcome.expect(8, "");
}

/// A secret with the label of a run in progress, which ends before the second observation.
fn one_wait_for_rival() -> Sandbox {
    let sandbox = Sandbox::start();
    let label = unexpired_label();
    let holder = sandbox.with(|world| {
        let holder = world.create(NAME, "{}");
        world.move_stage(NAME, &label, &holder, None);
        holder
    });
    sandbox.before("DescribeSecret", 2, move |world| {
        let removal =
            json!({"SecretId": NAME, "VersionStage": label, "RemoveFromVersionId": holder});
        let caller = Caller::default();
        world
            .call(&caller, REGION, "UpdateSecretVersionStage", removal)
            .unwrap();
    });
    sandbox
}

#[test]
fn one_wait_for_rival_is_no_conflict() {
    for (operation, inputs) in [
        ("PutSecretValue", &[][..]),
        ("TagResource", &[("tags", "k=v")]),
    ] {
        let sandbox = one_wait_for_rival();
        let held: Vec<_> = (1..20)
            .map(|nth| sandbox.hold(operation, nth, When::BeforeApply))
            .collect();
        let mut cli = with_json_key(&sandbox, "a", "made-up").input("timeout", "3s");
        for (name, value) in inputs {
            cli = cli.input(name, value);
        }
        let outcome = cli.run();
        held.into_iter().for_each(|call| call.discard());
        assert_eq!(outcome.code, Some(7), "{operation}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains("did not end within"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn kill_after_put_then_rerun_reuses_version() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "{}"));
    let cli = with_json_key(&sandbox, "a", "made-up").github();
    let held = sandbox.hold("PutSecretValue", 1, When::AfterApply);
    let mut child = cli.spawn();
    assert!(held.wait_reached(WAIT_LIMIT));
    child.kill().unwrap();
    held.discard();
    cli.finish(child);
    let orphaned = private_labels(&sandbox);
    sandbox.clear_log();
    let outcome = cli.run();
    outcome.expect(0, "updated");
    assert_eq!(version_count(&sandbox), 2, "no second put");
    assert_eq!(private_labels(&sandbox), orphaned);
    // Attach the private label, move AWSCURRENT, remove the private label.
    assert_eq!(call_count(&sandbox, "UpdateSecretVersionStage"), 3);
}
