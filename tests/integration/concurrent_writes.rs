//! Concurrent writers, and retries after lost responses: a later write is never reverted.

use std::process::Child;
use std::time::Duration;

use sandbox::{Fault, Policy, Sandbox, When};

use crate::common::{Cli, NAME, Outcome, WAIT_LIMIT, call_count, current_value, version_count};

#[test]
fn eight_concurrent_creates_succeed() {
    for in_ci in [false, true] {
        let sandbox = Sandbox::start();
        sandbox.set_latency(Duration::from_millis(20));
        let cli = || {
            let cli = Cli::new(&sandbox, "made-up");
            if in_ci { cli.github() } else { cli }
        };
        let running: Vec<(Cli, Child)> = (0..8)
            .map(|_| {
                let cli = cli();
                let child = cli.spawn();
                (cli, child)
            })
            .collect();
        let outcomes: Vec<Outcome> = running
            .into_iter()
            .map(|(cli, child)| cli.finish(child))
            .collect();
        let secret = sandbox.with(|world| {
            assert_eq!(world.names(), [NAME]);
            world.secret(NAME).unwrap()
        });
        for outcome in &outcomes {
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            assert_eq!(outcome.output("secret_id"), secret.arn);
            let version = secret.version(outcome.output("secret_version_id")).unwrap();
            assert_eq!(version.string.as_deref(), Some("made-up"));
        }
        assert!(
            outcomes
                .iter()
                .any(|outcome| outcome.output("result") == "created")
        );
        if in_ci {
            assert_eq!(secret.versions.len(), 1, "one token, one version");
        }
    }
}

#[test]
fn concurrent_create_converges() {
    for (foreign, result) in [("made-up", "unchanged"), ("other", "updated")] {
        let sandbox = Sandbox::start();
        sandbox.before("CreateSecret", 1, move |world| {
            world.create(NAME, foreign);
        });
        let outcome = Cli::new(&sandbox, "made-up").run();
        outcome.expect(0, result);
        assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
        assert_eq!(
            outcome.output("previous_version_id").is_empty(),
            result == "unchanged"
        );
    }
}

#[test]
fn retry_keeps_concurrent_put() {
    // With one attempt, the run itself reads and puts again instead of the SDK.
    for (compare, attempts) in [("auto", "5"), ("never", "5"), ("auto", "1"), ("never", "1")] {
        let sandbox = Sandbox::start();
        sandbox.with(|world| world.create(NAME, "old"));
        sandbox.fault("PutSecretValue", 1, Fault::LostAfter);
        sandbox.after("PutSecretValue", 1, |world| {
            world.put(NAME, "rival");
        });
        let outcome = Cli::new(&sandbox, "made-up")
            .input("compare", compare)
            .env("AWS_MAX_ATTEMPTS", attempts)
            .run();
        outcome.expect(5, "updated");
        assert_eq!(
            current_value(&sandbox).as_deref(),
            Some("rival"),
            "{compare}"
        );
        assert!(
            outcome.stderr.contains("after this run"),
            "{compare}: {}",
            outcome.stderr
        );
        assert_eq!(version_count(&sandbox), 3);
    }
}

#[test]
fn concurrent_put_of_same_value_is_no_conflict() {
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| world.create(NAME, "old"));
    sandbox.fault("PutSecretValue", 1, Fault::LostAfter);
    sandbox.after("PutSecretValue", 1, |world| {
        world.put(NAME, "made-up");
    });
    let outcome = Cli::new(&sandbox, "made-up").run();
    // The value differs from the one before this run, so the result is `updated`.
    outcome.expect(0, "updated");
    assert_eq!(outcome.output("previous_version_id"), old);
    let holder = sandbox.with(|world| world.secret(NAME).unwrap().current().unwrap().id.clone());
    assert_eq!(outcome.output("secret_version_id"), holder);
}

#[test]
fn lost_create_keeps_concurrent_put() {
    let sandbox = Sandbox::start();
    sandbox.fault("CreateSecret", 1, Fault::LostAfter);
    sandbox.after("CreateSecret", 1, |world| {
        world.put(NAME, "rival");
    });
    let outcome = Cli::new(&sandbox, "made-up").run();
    assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
    assert_eq!(current_value(&sandbox).as_deref(), Some("rival"));
}

#[test]
fn keyed_label_repair_keeps_concurrent_put() {
    let sandbox = Sandbox::start();
    let put = |value: &str| {
        Cli::new(&sandbox, value)
            .input("compare", "never")
            .input("version-id-key", "made-up-key-of-16-bytes")
            .run()
    };
    put("made-up-a").expect(0, "created");
    put("made-up-b").expect(0, "updated");
    sandbox.before("UpdateSecretVersionStage", 1, |world| {
        world.put(NAME, "rival");
    });
    put("made-up-a").expect(5, "");
    assert_eq!(current_value(&sandbox).as_deref(), Some("rival"));
}

#[test]
fn torn_read_is_repeated() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "old"));
    let described = sandbox.hold("DescribeSecret", 1, When::AfterApply);
    let read = sandbox.hold("GetSecretValue", 1, When::BeforeApply);
    let cli = Cli::new(&sandbox, "made-up");
    let child = cli.spawn();
    assert!(described.wait_reached(WAIT_LIMIT) && read.wait_reached(WAIT_LIMIT));
    // DescribeSecret returns the old version, GetSecretValue the new one.
    sandbox.with(|world| world.put(NAME, "made-up"));
    described.release();
    read.release();
    cli.finish(child).expect(0, "unchanged");
    assert_eq!(call_count(&sandbox, "DescribeSecret"), 2);
    assert_eq!(call_count(&sandbox, "PutSecretValue"), 0);
}

#[test]
fn deletion_before_write_is_handled() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "old"));
    sandbox.before("PutSecretValue", 1, |world| world.schedule_deletion(NAME));
    let outcome = Cli::new(&sandbox, "made-up").run();
    outcome.expect(6, "");
    assert!(
        outcome.stderr.contains("scheduled for deletion"),
        "{}",
        outcome.stderr
    );

    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "old"));
    sandbox.before("PutSecretValue", 1, |world| world.force_delete(NAME));
    // By the sandbox's clock, the name becomes free again after some seconds.
    sandbox.before("CreateSecret", 2, |_| {});
    let clock = Duration::from_secs(60);
    let held = sandbox.hold("CreateSecret", 1, When::BeforeApply);
    let cli = Cli::new(&sandbox, "made-up");
    let child = cli.spawn();
    assert!(held.wait_reached(WAIT_LIMIT));
    sandbox.advance_clock(clock);
    held.release();
    cli.finish(child).expect(0, "created");
}

#[test]
fn recently_deleted_name_is_waited_for() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create(NAME, "old");
        world.force_delete(NAME);
    });
    // The first attempt fails; the second finds the name free.
    let held = sandbox.hold("CreateSecret", 2, When::BeforeApply);
    let cli = Cli::new(&sandbox, "made-up");
    let child = cli.spawn();
    assert!(held.wait_reached(WAIT_LIMIT));
    sandbox.advance_clock(Duration::from_secs(60));
    held.release();
    cli.finish(child).expect(0, "created");
    assert_eq!(call_count(&sandbox, "CreateSecret"), 2);
}

#[test]
fn retry_keeps_operator_rollback() {
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| world.create(NAME, "old"));
    sandbox.fault("PutSecretValue", 1, Fault::LostAfter);
    sandbox.after("PutSecretValue", 1, move |world| {
        let ours = world.secret(NAME).unwrap().current().unwrap().id.clone();
        world.move_stage(NAME, "AWSCURRENT", &old, Some(&ours));
    });
    // The run must not need a permission that the README does not list.
    let key = sandbox.default_key_id();
    sandbox.set_policy(
        &key,
        Policy::deny(&["secretsmanager:UpdateSecretVersionStage"]),
    );
    let outcome = Cli::new(&sandbox, "made-up").run();
    assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
    assert_eq!(current_value(&sandbox).as_deref(), Some("old"));
    assert_eq!(call_count(&sandbox, "UpdateSecretVersionStage"), 0);
}

#[test]
fn lost_label_move_response_is_reported() {
    for attempts in ["1", "3"] {
        let sandbox = Sandbox::start();
        let put = |value: &str| {
            Cli::new(&sandbox, value)
                .input("version-id-key", "made-up-key-of-16-bytes")
                .env("AWS_MAX_ATTEMPTS", attempts)
                .run()
        };
        let a = put("made-up-a");
        let b = put("made-up-b");
        sandbox.fault("UpdateSecretVersionStage", 1, Fault::LostAfter);
        let again = put("made-up-a");
        again.expect(0, "updated");
        assert_eq!(
            again.output("secret_version_id"),
            a.output("secret_version_id")
        );
        assert_eq!(
            again.output("previous_version_id"),
            b.output("secret_version_id")
        );
        assert!(again.output("version_stages").contains("AWSCURRENT"));
    }
}

#[test]
fn lost_response_keeps_report_accurate() {
    // Reported as created, although nothing is read.
    for attempts in ["1", "3"] {
        let sandbox = Sandbox::start();
        sandbox.fault("CreateSecret", 1, Fault::LostAfter);
        Cli::new(&sandbox, "made-up")
            .input("compare", "never")
            .env("AWS_MAX_ATTEMPTS", attempts)
            .run()
            .expect(0, "created");
        assert_eq!(version_count(&sandbox), 1);
    }
    // The put replaces a concurrent value, which is then the previous version.
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "old"));
    let held = sandbox.hold("PutSecretValue", 1, When::BeforeApply);
    let cli = Cli::new(&sandbox, "made-up").env("AWS_MAX_ATTEMPTS", "1");
    let child = cli.spawn();
    assert!(held.wait_reached(WAIT_LIMIT));
    sandbox.with(|world| world.put(NAME, "rival"));
    held.discard();
    let outcome = cli.finish(child);
    outcome.expect(0, "updated");
    let rival = sandbox.with(|world| {
        let secret = world.secret(NAME).unwrap();
        secret.labeled("AWSPREVIOUS").unwrap().clone()
    });
    assert_eq!(rival.string.as_deref(), Some("rival"));
    assert_eq!(outcome.output("previous_version_id"), rival.id);
}

#[test]
fn skip_completes_work_of_same_run() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create_empty(NAME));
    sandbox.fault("TagResource", 1, Fault::ResetBefore);
    let outcome = Cli::new(&sandbox, "made-up")
        .input("if-exists", "skip")
        .input("tags", "k=v")
        .env("AWS_MAX_ATTEMPTS", "1")
        .run();
    outcome.expect(0, "updated");
    let secret = sandbox.with(|world| world.secret(NAME)).unwrap();
    assert_eq!(secret.tags["k"], "v");
    assert_eq!(secret.versions.len(), 1);
}
