//! The private staging label of a run: expiry, removal, and the quota of labels on a secret.

use sandbox::{Sandbox, When};

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
            world.put_staged(NAME, "theirs", token, &[label]);
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
            world.put_staged(NAME, "theirs", &id, &[&label]);
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
