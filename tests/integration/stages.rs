//! `version-stages`, `promote`, `rollback`: a version is put beside the current one, made current, and taken back.

use sandbox::{Fault, Sandbox};

use crate::common::{Done, NAME, Tool, calls, current, operations, text, versions};

fn stage(sandbox: &Sandbox, value: &str) -> Tool {
    Tool::new(sandbox, value).input("version-stages", "candidate")
}

fn command(sandbox: &Sandbox, word: &str) -> Tool {
    Tool::new(sandbox, "")
        .unset("UPSERT_SECRET_VALUE")
        .arguments(&[word])
}

/// The text of the version that holds a label.
fn labelled(sandbox: &Sandbox, label: &str) -> Option<String> {
    sandbox.with(|world| {
        let secret = world.secret(NAME)?;
        secret.labeled(label)?.string.clone()
    })
}

fn staged() -> (Sandbox, String, Done) {
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| world.create(NAME, "old"));
    let done = stage(&sandbox, "new").run();
    (sandbox, old, done)
}

#[test]
fn a_release_is_staged_promoted_and_rolled_back_and_each_step_may_run_twice() {
    let (sandbox, old, first) = staged();
    first.expect(0, "updated");
    assert_eq!(first.output("version_stages"), "candidate");
    assert_eq!(first.output("previous_version_id"), "");
    let new = first.output("secret_version_id").to_owned();
    assert_eq!(current(&sandbox).as_deref(), Some("old"));
    let again = stage(&sandbox, "new").run();
    again.expect(0, "unchanged");
    assert_eq!(again.output("secret_version_id"), new);

    for result in ["updated", "unchanged"] {
        let done = command(&sandbox, "promote").run();
        done.expect(0, result);
        assert_eq!(done.output("secret_version_id"), new);
        assert_eq!(current(&sandbox).as_deref(), Some("new"));
        assert_eq!(labelled(&sandbox, "AWSPREVIOUS").as_deref(), Some("old"));
        assert_eq!(labelled(&sandbox, "candidate").as_deref(), Some("new"));
        let previous = if result == "updated" {
            old.as_str()
        } else {
            ""
        };
        assert_eq!(done.output("previous_version_id"), previous);
        assert_eq!(done.output("version_stages"), "AWSCURRENT,candidate");
    }
    for result in ["updated", "unchanged"] {
        let done = command(&sandbox, "rollback").run();
        done.expect(0, result);
        assert_eq!(done.output("secret_version_id"), old);
        assert_eq!(current(&sandbox).as_deref(), Some("old"));
        assert_eq!(labelled(&sandbox, "AWSPREVIOUS").as_deref(), Some("new"));
    }
    let done = command(&sandbox, "rollback").run();
    assert!(
        done.stderr
            .contains(&format!("`promote` with `version-id: {new}`")),
        "{}",
        done.stderr
    );
    command(&sandbox, "promote")
        .input("version-id", &new)
        .run()
        .expect(0, "updated");
    assert_eq!(current(&sandbox).as_deref(), Some("new"));
    assert_eq!(versions(&sandbox), 2);
    assert_eq!(calls(&sandbox, "GetSecretValue"), 2, "moves read no value");
}

#[test]
fn requests_stay_few() {
    let (sandbox, ..) = staged();
    assert_eq!(operations(&sandbox)[2..], ["PutSecretValue"]);
    sandbox.clear_log();
    command(&sandbox, "promote").run().expect(0, "updated");
    assert_eq!(
        operations(&sandbox),
        ["DescribeSecret", "UpdateSecretVersionStage"]
    );
    sandbox.clear_log();
    command(&sandbox, "promote").run().expect(0, "unchanged");
    assert_eq!(operations(&sandbox), ["DescribeSecret"]);
    sandbox.clear_log();
    command(&sandbox, "rollback").run().expect(0, "updated");
    assert_eq!(
        operations(&sandbox),
        [
            "DescribeSecret",
            "ListSecretVersionIds",
            "UpdateSecretVersionStage"
        ]
    );
}

#[test]
fn a_first_version_is_current_too_and_a_second_label_is_given_besides() {
    let sandbox = Sandbox::start();
    let done = stage(&sandbox, "new").run();
    done.expect(0, "created");
    assert_eq!(done.output("version_stages"), "AWSCURRENT,candidate");
    assert!(
        done.stderr.contains("the first one current as well"),
        "{}",
        done.stderr
    );
    stage(&sandbox, "new").run().expect(0, "unchanged");

    let done = Tool::new(&sandbox, "newer")
        .input("version-stages", "AWSCURRENT, stable\nblue")
        .run();
    done.expect(0, "updated");
    assert_eq!(done.output("version_stages"), "AWSCURRENT,stable,blue");
    for label in ["AWSCURRENT", "stable", "blue"] {
        assert_eq!(labelled(&sandbox, label).as_deref(), Some("newer"));
    }
    assert_eq!(labelled(&sandbox, "candidate").as_deref(), Some("new"));
}

#[test]
fn an_empty_secret_gets_its_first_version() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create_empty(NAME));
    let done = stage(&sandbox, "new").run();
    done.expect(0, "updated");
    assert_eq!(done.output("version_stages"), "AWSCURRENT,candidate");
}

#[test]
fn lost_answers_do_not_stage_promote_or_roll_back_twice() {
    for attempts in ["1", "5"] {
        for fault in [Fault::ResetBefore, Fault::LostAfter] {
            let sandbox = Sandbox::start();
            let old = sandbox.with(|world| world.create(NAME, "old"));
            sandbox.fault("PutSecretValue", 1, fault.clone());
            let done = stage(&sandbox, "new")
                .env("AWS_MAX_ATTEMPTS", attempts)
                .run();
            done.expect(0, "updated");
            assert_eq!(versions(&sandbox), 2);
            for (word, value) in [("promote", "new"), ("rollback", "old")] {
                sandbox.clear_log();
                sandbox.fault("UpdateSecretVersionStage", 1, fault.clone());
                let done = command(&sandbox, word)
                    .env("AWS_MAX_ATTEMPTS", attempts)
                    .run();
                done.expect(0, "updated");
                assert_eq!(current(&sandbox).as_deref(), Some(value), "{word}");
                if word == "promote" {
                    assert_eq!(done.output("previous_version_id"), old);
                }
            }
        }
    }
}

#[test]
fn a_rival_that_moves_the_label_first_is_not_undone() {
    for word in ["promote", "rollback"] {
        let (sandbox, ..) = staged();
        if word == "rollback" {
            command(&sandbox, "promote").run().expect(0, "updated");
            sandbox.clear_log();
        }
        sandbox.before("UpdateSecretVersionStage", 1, |world| {
            world.put(NAME, "rival");
        });
        let done = command(&sandbox, word).run();
        done.expect(5, "");
        assert_eq!(current(&sandbox).as_deref(), Some("rival"), "{word}");
    }
}

#[test]
fn what_cannot_be_moved_is_told() {
    let (sandbox, old, _) = staged();
    let missing = "99999999-9999-8999-8999-999999999999";
    let cases = [
        (
            "no such label",
            command(&sandbox, "promote").input("stage", "blue"),
        ),
        (
            "no such version",
            command(&sandbox, "promote").input("version-id", missing),
        ),
        (
            "expected another",
            command(&sandbox, "promote").input("expected-version-id", missing),
        ),
        ("nothing before", command(&sandbox, "rollback")),
        (
            "no such secret",
            command(&sandbox, "promote").input("name", "prod/other"),
        ),
        (
            "both",
            command(&sandbox, "promote")
                .input("stage", "a")
                .input("version-id", missing),
        ),
        (
            "AWSPENDING",
            command(&sandbox, "promote").input("stage", "AWSPENDING"),
        ),
        (
            "a version to roll back to",
            command(&sandbox, "rollback").input("version-id", missing),
        ),
        (
            "stage of an upsert",
            Tool::new(&sandbox, "x").input("stage", "candidate"),
        ),
    ];
    let mut page = String::new();
    for (what, tool) in cases {
        let done = tool.run();
        page.push_str(&format!("{what}: {}\n", text(&done)));
    }
    assert_eq!(current(&sandbox).as_deref(), Some("old"));
    insta::assert_snapshot!(page.replace(&old, "[id]"), @r#"
    no such label:   secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    error: no version of prod/model/api-key holds the label blue
      why:  its labels are AWSCURRENT, candidate
      next: put one there with `version-stages: blue`, or name another with `stage` or `version-id`
      exit: 6 (refused by state)
    no such version:   secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    error: prod/model/api-key has no version [id]
      why:  AWS answered ResourceNotFoundException
      next: look at its versions: `aws secretsmanager list-secret-version-ids --include-deprecated`
      exit: 6 (refused by state)
    expected another:   secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    error: version [id], which is expected, is not current in prod/model/api-key
      why:  AWSCURRENT is on version [id]
      next: somebody wrote since that version was looked at: look at theirs, and run again with its id where this shall replace it
      exit: 5 (conflict)
    nothing before:   secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    error: prod/model/api-key has no version to go back to
      why:  its labels are AWSCURRENT, candidate
      next: name the version: `promote` with `version-id`
      exit: 6 (refused by state)
    no such secret: error: prod/other does not exist
      next: check the name and the region; `upsert` creates a secret
      exit: 6 (refused by state)
    both: error: UPSERT_SECRET_VERSION_ID and `stage` are both given: one of them says which version
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    AWSPENDING: error: UPSERT_SECRET_STAGE must not name AWSPENDING: it belongs to rotation
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    a version to roll back to: error: UPSERT_SECRET_VERSION_ID is for the command `promote`; `rollback` always goes to AWSPREVIOUS's version
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    stage of an upsert: error: UPSERT_SECRET_STAGE is for the command `promote`; `version-stages` says which labels a new version gets
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    "#);
}

#[test]
fn the_summary_draws_what_moved() {
    let (sandbox, ..) = staged();
    let done = command(&sandbox, "promote").github().run();
    let graph: Vec<String> = done
        .summary
        .lines()
        .skip_while(|line| !line.starts_with("```mermaid"))
        .take_while(|line| !line.is_empty())
        .map(|line| match line.split_once("[\"") {
            Some((start, rest)) => format!("{start}[\"id{}", &rest[8..]),
            None => line.to_owned(),
        })
        .collect();
    insta::assert_snapshot!(graph.join("\n"), @r#"
    ```mermaid
    flowchart LR
      subgraph before
        direction TB
        before0["id<br>AWSCURRENT"]
        before1["id<br>candidate"]
      end
      subgraph after
        direction TB
        after0["id<br>AWSCURRENT<br>candidate"]
        after1["id<br>AWSPREVIOUS"]
      end
      before --> after
    ```
    "#);
}

#[test]
fn an_input_that_says_nothing_to_a_move_is_told() {
    let (sandbox, ..) = staged();
    let done = command(&sandbox, "promote").input("description", "d").run();
    done.expect(0, "updated");
    assert!(
        done.stderr
            .contains("UPSERT_SECRET_DESCRIPTION says nothing"),
        "{}",
        done.stderr
    );
    assert_eq!(calls(&sandbox, "UpdateSecret"), 0);
}
