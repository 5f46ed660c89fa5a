//! A role that may not describe, or may not read: the job is done all the same, and what could not
//! be checked is said.

use sandbox::{Fault, Policy, Sandbox};

use crate::common::{NAME, Tool, calls, current, versions};

fn without(actions: &[&str]) -> Sandbox {
    let sandbox = Sandbox::start();
    let key = sandbox.default_key_id();
    sandbox.set_policy(&key, Policy::deny(actions));
    sandbox
}

const DESCRIBE: &str = "secretsmanager:DescribeSecret";
const GET: &str = "secretsmanager:GetSecretValue";

#[test]
fn without_reading_the_value_is_written_without_comparing() {
    let sandbox = without(&[GET]);
    Tool::new(&sandbox, "made-up").run().expect(0, "created");
    let again = Tool::new(&sandbox, "made-up").run();
    again.expect(0, "updated");
    assert!(
        again.stderr.contains("without comparing"),
        "{}",
        again.stderr
    );
    assert_eq!(versions(&sandbox), 2);
    let always = Tool::new(&sandbox, "made-up")
        .input("compare", "always")
        .run();
    always.expect(4, "");
    assert!(always.stderr.contains(GET), "{}", always.stderr);
    assert_eq!(versions(&sandbox), 2);
}

#[test]
fn without_describing_it_goes_by_what_reading_tells() {
    let sandbox = without(&[DESCRIBE]);
    let first = Tool::new(&sandbox, "made-up")
        .input("description", "d")
        .run();
    first.expect(0, "created");
    assert!(
        first.stderr.contains("were not checked"),
        "{}",
        first.stderr
    );
    Tool::new(&sandbox, "made-up").run().expect(0, "unchanged");
    let third = Tool::new(&sandbox, "made-up-2").input("tags", "k=v").run();
    third.expect(0, "updated");
    assert_eq!(
        third.output("previous_version_id"),
        first.output("secret_version_id")
    );
    assert_eq!(current(&sandbox).as_deref(), Some("made-up-2"));
    assert_eq!(calls(&sandbox, "CreateSecret"), 1);
    Tool::new(&sandbox, "x")
        .input("if-exists", "skip")
        .run()
        .expect(0, "unchanged");
    let replace = Tool::new(&sandbox, "x")
        .input("tags", "k=v")
        .input("tag-policy", "replace")
        .run();
    replace.expect(4, "");
    assert!(replace.stderr.contains(DESCRIBE), "{}", replace.stderr);
}

#[test]
fn without_both_it_creates_and_else_puts() {
    let sandbox = without(&[DESCRIBE, GET]);
    // Whether an earlier attempt of this job had created it cannot be seen.
    Tool::new(&sandbox, "made-up")
        .github()
        .run()
        .expect(0, "updated");
    // Same run, same token: AWS finds the version there.
    let again = Tool::new(&sandbox, "made-up").github().run();
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(versions(&sandbox), 1);
    Tool::new(&sandbox, "made-up-2").run().expect(0, "updated");
    assert_eq!(current(&sandbox).as_deref(), Some("made-up-2"));
    // The first run's re-run, after somebody else wrote: what it is asked for is a new version.
    let late = Tool::new(&sandbox, "made-up").github().run();
    late.expect(0, "updated");
    assert_eq!(current(&sandbox).as_deref(), Some("made-up"));
    let skip = Tool::new(&sandbox, "x").input("if-exists", "skip").run();
    skip.expect(4, "");
}

#[test]
fn without_both_a_scheduled_deletion_is_still_noticed() {
    for denied in [&[DESCRIBE][..], &[DESCRIBE, GET]] {
        let sandbox = without(denied);
        sandbox.with(|world| {
            world.create(NAME, "old");
            world.schedule_deletion(NAME);
        });
        let refused = Tool::new(&sandbox, "made-up").run();
        refused.expect(6, "");
        assert!(
            refused.stderr.contains("scheduled for deletion"),
            "{}",
            refused.stderr
        );
        let restored = Tool::new(&sandbox, "made-up")
            .input("on-scheduled-deletion", "restore")
            .run();
        restored.expect(0, "updated");
        assert_eq!(restored.output("restored"), "true");
        assert_eq!(current(&sandbox).as_deref(), Some("made-up"));
    }
}

#[test]
fn a_role_that_may_do_nothing_is_told_so() {
    let sandbox = without(&[
        DESCRIBE,
        GET,
        "secretsmanager:CreateSecret",
        "secretsmanager:PutSecretValue",
    ]);
    let done = Tool::new(&sandbox, "made-up").run();
    done.expect(4, "");
    assert!(
        done.stderr.contains("secretsmanager:CreateSecret")
            && done
                .stderr
                .contains(&format!("111122223333:secret:{NAME}-??????")),
        "{}",
        done.stderr
    );
}

#[test]
fn unseen_metadata_is_written_though_the_creation_is_answered_for_an_earlier_run() {
    let sandbox = without(&[DESCRIBE, GET]);
    let run = |description: &str, tags: &str| {
        Tool::new(&sandbox, "made-up")
            .github()
            .input("description", description)
            .input("tags", tags)
            .run()
    };
    assert_eq!(run("d1", "k=v1").code, Some(0));
    assert_eq!(run("d2", "k=v2").code, Some(0));
    let secret = sandbox.with(|world| world.secret(NAME)).unwrap();
    assert_eq!(secret.description.as_deref(), Some("d2"));
    assert_eq!(secret.tags["k"], "v2");
    assert_eq!(versions(&sandbox), 1);
}

#[test]
fn an_unseen_creation_whose_answer_was_lost_does_not_pass_over_a_rival() {
    for attempts in ["1", "3"] {
        let sandbox = without(&[DESCRIBE, GET]);
        sandbox.fault("CreateSecret", 1, Fault::LostAfter);
        sandbox.after("CreateSecret", 1, |world| {
            world.put(NAME, "rival");
        });
        let done = Tool::new(&sandbox, "made-up")
            .env("AWS_MAX_ATTEMPTS", attempts)
            .run();
        assert_eq!(done.code, Some(5), "{}", done.stderr);
        assert_eq!(current(&sandbox).as_deref(), Some("rival"));
    }
}

#[test]
fn an_unseen_arn_that_does_not_exist_is_told_at_once() {
    let sandbox = without(&[DESCRIBE, GET]);
    let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:nowhere-AbCdEf";
    let done = Tool::new(&sandbox, "made-up").input("name", arn).run();
    done.expect(6, "");
    assert_eq!(calls(&sandbox, "PutSecretValue"), 1);
}
