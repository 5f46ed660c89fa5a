//! Others write at the same time.

use std::process::Child;
use std::time::Duration;

use sandbox::{Fault, Policy, Sandbox, When};

use crate::common::{Done, NAME, PATIENCE, Tool, calls, current, versions};

#[test]
fn eight_at_once_on_an_absent_name_all_succeed() {
    for in_ci in [false, true] {
        let sandbox = Sandbox::start();
        sandbox.set_latency(Duration::from_millis(20));
        let tool = || {
            let tool = Tool::new(&sandbox, "made-up");
            if in_ci { tool.github() } else { tool }
        };
        let running: Vec<(Tool, Child)> = (0..8)
            .map(|_| {
                let tool = tool();
                let child = tool.spawn();
                (tool, child)
            })
            .collect();
        let done: Vec<Done> = running
            .into_iter()
            .map(|(tool, child)| tool.finish(child))
            .collect();
        let secret = sandbox.with(|world| {
            assert_eq!(world.names(), [NAME]);
            world.secret(NAME).unwrap()
        });
        for one in &done {
            assert_eq!(one.code, Some(0), "{}", one.stderr);
            assert_eq!(one.output("secret_id"), secret.arn);
            let version = secret.version(one.output("secret_version_id")).unwrap();
            assert_eq!(version.string.as_deref(), Some("made-up"));
        }
        assert!(done.iter().any(|one| one.output("result") == "created"));
        if in_ci {
            assert_eq!(secret.versions.len(), 1, "one token, one version");
        }
    }
}

#[test]
fn somebody_creates_it_first() {
    for (theirs, result) in [("made-up", "unchanged"), ("other", "updated")] {
        let sandbox = Sandbox::start();
        sandbox.before("CreateSecret", 1, move |world| {
            world.create(NAME, theirs);
        });
        let done = Tool::new(&sandbox, "made-up").run();
        done.expect(0, result);
        assert_eq!(current(&sandbox).as_deref(), Some("made-up"));
        assert_eq!(
            done.output("previous_version_id").is_empty(),
            result == "unchanged"
        );
    }
}

#[test]
fn a_rivals_put_between_our_puts_loss_and_its_retry_is_not_undone() {
    // One attempt: it is the run that looks again and puts again, not the SDK.
    for (compare, attempts) in [("auto", "5"), ("never", "5"), ("auto", "1"), ("never", "1")] {
        let sandbox = Sandbox::start();
        sandbox.with(|world| world.create(NAME, "old"));
        sandbox.fault("PutSecretValue", 1, Fault::LostAfter);
        sandbox.after("PutSecretValue", 1, |world| {
            world.put(NAME, "rival");
        });
        let done = Tool::new(&sandbox, "made-up")
            .input("compare", compare)
            .env("AWS_MAX_ATTEMPTS", attempts)
            .run();
        done.expect(5, "");
        assert_eq!(current(&sandbox).as_deref(), Some("rival"), "{compare}");
        assert!(
            done.stderr.contains("after this run"),
            "{compare}: {}",
            done.stderr
        );
        assert_eq!(versions(&sandbox), 3);
    }
}

#[test]
fn a_rivals_put_of_the_same_value_is_no_conflict() {
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| world.create(NAME, "old"));
    sandbox.fault("PutSecretValue", 1, Fault::LostAfter);
    sandbox.after("PutSecretValue", 1, |world| {
        world.put(NAME, "made-up");
    });
    let done = Tool::new(&sandbox, "made-up").run();
    // The value is another one than before this run, and so it says.
    done.expect(0, "updated");
    assert_eq!(done.output("previous_version_id"), old);
    let holder = sandbox.with(|world| world.secret(NAME).unwrap().current().unwrap().id.clone());
    assert_eq!(done.output("secret_version_id"), holder);
}

#[test]
fn a_rival_after_a_creation_whose_answer_was_lost_is_not_undone() {
    let sandbox = Sandbox::start();
    sandbox.fault("CreateSecret", 1, Fault::LostAfter);
    sandbox.after("CreateSecret", 1, |world| {
        world.put(NAME, "rival");
    });
    let done = Tool::new(&sandbox, "made-up").run();
    assert_eq!(done.code, Some(5), "{}", done.stderr);
    assert_eq!(current(&sandbox).as_deref(), Some("rival"));
}

#[test]
fn the_repair_of_a_keyed_version_does_not_undo_a_later_writer() {
    let sandbox = Sandbox::start();
    let put = |value: &str| {
        Tool::new(&sandbox, value)
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
    assert_eq!(current(&sandbox).as_deref(), Some("rival"));
}

#[test]
fn a_torn_read_is_read_again() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "old"));
    let described = sandbox.hold("DescribeSecret", 1, When::AfterApply);
    let read = sandbox.hold("GetSecretValue", 1, When::BeforeApply);
    let tool = Tool::new(&sandbox, "made-up");
    let child = tool.spawn();
    assert!(described.wait_reached(PATIENCE) && read.wait_reached(PATIENCE));
    // DescribeSecret tells of the old version, GetSecretValue will of the new one.
    sandbox.with(|world| world.put(NAME, "made-up"));
    described.release();
    read.release();
    tool.finish(child).expect(0, "unchanged");
    assert_eq!(calls(&sandbox, "DescribeSecret"), 2);
    assert_eq!(calls(&sandbox, "PutSecretValue"), 0);
}

#[test]
fn somebody_deletes_it_between_our_look_and_our_write() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "old"));
    sandbox.before("PutSecretValue", 1, |world| world.schedule_deletion(NAME));
    let done = Tool::new(&sandbox, "made-up").run();
    done.expect(6, "");
    assert!(
        done.stderr.contains("scheduled for deletion"),
        "{}",
        done.stderr
    );

    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "old"));
    sandbox.before("PutSecretValue", 1, |world| world.force_delete(NAME));
    // The name is free again some seconds later, by the sandbox's clock.
    sandbox.before("CreateSecret", 2, |_| {});
    let clock = Duration::from_secs(60);
    let held = sandbox.hold("CreateSecret", 1, When::BeforeApply);
    let tool = Tool::new(&sandbox, "made-up");
    let child = tool.spawn();
    assert!(held.wait_reached(PATIENCE));
    sandbox.advance_clock(clock);
    held.release();
    tool.finish(child).expect(0, "created");
}

#[test]
fn a_name_that_was_just_deleted_is_waited_for() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create(NAME, "old");
        world.force_delete(NAME);
    });
    // The first attempt is refused; the second finds the name free.
    let held = sandbox.hold("CreateSecret", 2, When::BeforeApply);
    let tool = Tool::new(&sandbox, "made-up");
    let child = tool.spawn();
    assert!(held.wait_reached(PATIENCE));
    sandbox.advance_clock(Duration::from_secs(60));
    held.release();
    tool.finish(child).expect(0, "created");
    assert_eq!(calls(&sandbox, "CreateSecret"), 2);
}

#[test]
fn an_operators_roll_back_is_not_rolled_forward_by_a_retry() {
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| world.create(NAME, "old"));
    sandbox.fault("PutSecretValue", 1, Fault::LostAfter);
    sandbox.after("PutSecretValue", 1, move |world| {
        let ours = world.secret(NAME).unwrap().current().unwrap().id.clone();
        world.move_stage(NAME, "AWSCURRENT", &old, Some(&ours));
    });
    // Nor does it take a right that the README does not ask for.
    let key = sandbox.default_key_id();
    sandbox.set_policy(
        &key,
        Policy::deny(&["secretsmanager:UpdateSecretVersionStage"]),
    );
    let done = Tool::new(&sandbox, "made-up").run();
    assert_eq!(done.code, Some(5), "{}", done.stderr);
    assert_eq!(current(&sandbox).as_deref(), Some("old"));
    assert_eq!(calls(&sandbox, "UpdateSecretVersionStage"), 0);
}

#[test]
fn a_move_whose_answer_was_lost_is_reported() {
    for attempts in ["1", "3"] {
        let sandbox = Sandbox::start();
        let put = |value: &str| {
            Tool::new(&sandbox, value)
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
fn a_lost_answer_does_not_change_what_is_reported() {
    // Created, though nothing is read.
    for attempts in ["1", "3"] {
        let sandbox = Sandbox::start();
        sandbox.fault("CreateSecret", 1, Fault::LostAfter);
        Tool::new(&sandbox, "made-up")
            .input("compare", "never")
            .env("AWS_MAX_ATTEMPTS", attempts)
            .run()
            .expect(0, "created");
        assert_eq!(versions(&sandbox), 1);
    }
    // Written over a rival who came before us: theirs is the previous version.
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "old"));
    let held = sandbox.hold("PutSecretValue", 1, When::BeforeApply);
    let tool = Tool::new(&sandbox, "made-up").env("AWS_MAX_ATTEMPTS", "1");
    let child = tool.spawn();
    assert!(held.wait_reached(PATIENCE));
    sandbox.with(|world| world.put(NAME, "rival"));
    held.discard();
    let done = tool.finish(child);
    done.expect(0, "updated");
    let rival = sandbox.with(|world| {
        let secret = world.secret(NAME).unwrap();
        secret.labeled("AWSPREVIOUS").unwrap().clone()
    });
    assert_eq!(rival.string.as_deref(), Some("rival"));
    assert_eq!(done.output("previous_version_id"), rival.id);
}

#[test]
fn skip_finishes_what_this_run_began() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create_empty(NAME));
    sandbox.fault("TagResource", 1, Fault::ResetBefore);
    let done = Tool::new(&sandbox, "made-up")
        .input("if-exists", "skip")
        .input("tags", "k=v")
        .env("AWS_MAX_ATTEMPTS", "1")
        .run();
    done.expect(0, "updated");
    let secret = sandbox.with(|world| world.secret(NAME)).unwrap();
    assert_eq!(secret.tags["k"], "v");
    assert_eq!(secret.versions.len(), 1);
}
