//! `expected-version-id`: the write succeeds only while that version is current.

use sandbox::{Policy, Sandbox};

use super::{guarded, private_labels};
use crate::common::{NAME, calls, current, operations, versions};

#[test]
fn expected_version_rerun_is_unchanged() {
    for in_ci in [false, true] {
        let sandbox = Sandbox::start();
        let old = sandbox.with(|world| world.create(NAME, "old"));
        let tool = || {
            let tool = guarded(&sandbox, &old);
            if in_ci { tool.github() } else { tool }
        };
        let done = tool().run();
        done.expect(0, "updated");
        assert_eq!(current(&sandbox).as_deref(), Some("made-up"));
        assert_eq!(done.output("previous_version_id"), old);
        assert_eq!(done.output("version_stages"), "AWSCURRENT");
        assert_eq!(
            operations(&sandbox)[2..],
            [
                "PutSecretValue",
                "UpdateSecretVersionStage",
                "UpdateSecretVersionStage"
            ]
        );
        assert!(private_labels(&sandbox).is_empty());
        tool().run().expect(0, "unchanged");
        assert_eq!(versions(&sandbox), 2);
    }
}

#[test]
fn rerun_with_denied_get_recognizes_version_id() {
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| world.create(NAME, "old"));
    let key = sandbox.default_key_id();
    sandbox.set_policy(&key, Policy::deny(&["secretsmanager:GetSecretValue"]));
    let first = guarded(&sandbox, &old).github().run();
    first.expect(0, "updated");
    let again = guarded(&sandbox, &old).github().run();
    again.expect(0, "unchanged");
    assert_eq!(
        again.output("secret_version_id"),
        first.output("secret_version_id")
    );
    assert_eq!(versions(&sandbox), 2);
    // The CI secret was changed between the two: then it is not its work, and the guard holds.
    let other = guarded(&sandbox, &old)
        .input("value", "made-up-2")
        .github()
        .run();
    other.expect(5, "");
    assert_eq!(current(&sandbox).as_deref(), Some("made-up"));
    assert!(private_labels(&sandbox).is_empty());
}

#[test]
fn unexpected_version_is_conflict() {
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| world.create(NAME, "old"));
    let theirs = sandbox.with(|world| world.put(NAME, "theirs"));
    let done = guarded(&sandbox, &old).run();
    done.expect(5, "");
    assert!(done.stderr.contains(&theirs), "{}", done.stderr);
    assert_eq!(current(&sandbox).as_deref(), Some("theirs"));
    assert_eq!(versions(&sandbox), 2, "nothing was written");
}

#[test]
fn concurrent_put_is_kept_and_conflicts() {
    for (operation, nth) in [("PutSecretValue", 1), ("UpdateSecretVersionStage", 1)] {
        let sandbox = Sandbox::start();
        let old = sandbox.with(|world| world.create(NAME, "old"));
        sandbox.before(operation, nth, |world| {
            world.put(NAME, "rival");
        });
        let done = guarded(&sandbox, &old).run();
        done.expect(5, "");
        assert_eq!(current(&sandbox).as_deref(), Some("rival"), "{operation}");
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
    let done = guarded(&sandbox, &current).run();
    done.expect(8, "");
    assert!(calls(&sandbox, "PutSecretValue") <= 3);
    assert!(private_labels(&sandbox).is_empty());
}
