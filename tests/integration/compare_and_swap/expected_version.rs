//! `expected-version-id`: the write succeeds only while that version is current.

use sandbox::{Policy, Sandbox};

use super::{private_labels, with_expected_version};
use crate::common::{NAME, call_count, current_value, operations, version_count};

#[test]
fn expected_version_rerun_is_unchanged() {
    for in_ci in [false, true] {
        let sandbox = Sandbox::start();
        let old = sandbox.with(|world| world.create(NAME, "old"));
        let cli = || {
            let cli = with_expected_version(&sandbox, &old);
            if in_ci { cli.github() } else { cli }
        };
        let outcome = cli().run();
        outcome.expect(0, "updated");
        assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
        assert_eq!(outcome.output("previous_version_id"), old);
        assert_eq!(outcome.output("version_stages"), "AWSCURRENT");
        assert_eq!(
            operations(&sandbox)[2..],
            [
                "PutSecretValue",
                "UpdateSecretVersionStage",
                "UpdateSecretVersionStage"
            ]
        );
        assert!(private_labels(&sandbox).is_empty());
        cli().run().expect(0, "unchanged");
        assert_eq!(version_count(&sandbox), 2);
    }
}

#[test]
fn rerun_with_denied_get_recognizes_version_id() {
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| world.create(NAME, "old"));
    let key = sandbox.default_key_id();
    sandbox.set_policy(&key, Policy::deny(&["secretsmanager:GetSecretValue"]));
    let first = with_expected_version(&sandbox, &old).github().run();
    first.expect(0, "updated");
    let again = with_expected_version(&sandbox, &old).github().run();
    again.expect(0, "unchanged");
    assert_eq!(
        again.output("secret_version_id"),
        first.output("secret_version_id")
    );
    assert_eq!(version_count(&sandbox), 2);
    // The CI secret changed between the two attempts, so the current version is not this run's own
    // work.
    let other = with_expected_version(&sandbox, &old)
        .input("value", "made-up-2")
        .github()
        .run();
    other.expect(5, "");
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
    assert!(private_labels(&sandbox).is_empty());
}

#[test]
fn unexpected_version_is_conflict() {
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| world.create(NAME, "old"));
    let foreign = sandbox.with(|world| world.put(NAME, "foreign"));
    let outcome = with_expected_version(&sandbox, &old).run();
    outcome.expect(5, "");
    assert!(outcome.stderr.contains(&foreign), "{}", outcome.stderr);
    assert_eq!(current_value(&sandbox).as_deref(), Some("foreign"));
    assert_eq!(version_count(&sandbox), 2, "nothing was written");
}

#[test]
fn concurrent_put_is_kept_and_conflicts() {
    for (operation, nth) in [("PutSecretValue", 1), ("UpdateSecretVersionStage", 1)] {
        let sandbox = Sandbox::start();
        let old = sandbox.with(|world| world.create(NAME, "old"));
        sandbox.before(operation, nth, |world| {
            world.put(NAME, "rival");
        });
        let outcome = with_expected_version(&sandbox, &old).run();
        outcome.expect(5, "");
        assert_eq!(
            current_value(&sandbox).as_deref(),
            Some("rival"),
            "{operation}"
        );
        assert!(private_labels(&sandbox).is_empty(), "{operation}");
    }
}

#[test]
fn full_version_quota_is_final() {
    let sandbox = Sandbox::start();
    let current = sandbox.with(|world| {
        world.create(NAME, "0");
        (1..100).fold(String::new(), |_, number| {
            world.put(NAME, &number.to_string())
        })
    });
    let outcome = with_expected_version(&sandbox, &current).run();
    outcome.expect(8, "");
    assert!(call_count(&sandbox, "PutSecretValue") <= 3);
    assert!(private_labels(&sandbox).is_empty());
}
