//! `version-stages`, `promote` and `rollback`: staging a version beside the current one, making it
//! current, and rolling back.

use sandbox::{Fault, Sandbox};

use crate::common::{
    Cli, NAME, Outcome, call_count, current_value, normalized_stderr, operations, version_count,
};

fn stage(sandbox: &Sandbox, value: &str) -> Cli {
    Cli::new(sandbox, value).input("version-stages", "candidate")
}

fn command(sandbox: &Sandbox, word: &str) -> Cli {
    Cli::new(sandbox, "")
        .unset("UPSERT_SECRET_VALUE")
        .args(&[word])
}

/// The value of the version with this staging label.
fn value_labeled(sandbox: &Sandbox, label: &str) -> Option<String> {
    sandbox.with(|world| {
        let secret = world.secret(NAME)?;
        secret.labeled(label)?.string.clone()
    })
}

fn staged() -> (Sandbox, String, Outcome) {
    let sandbox = Sandbox::start();
    let old = sandbox.with(|world| world.create(NAME, "old"));
    let outcome = stage(&sandbox, "new").run();
    (sandbox, old, outcome)
}

#[test]
fn stage_promote_rollback_are_idempotent() {
    let (sandbox, old, first) = staged();
    first.expect(0, "updated");
    assert_eq!(first.output("version_stages"), "candidate");
    assert_eq!(first.output("previous_version_id"), "");
    let new = first.output("secret_version_id").to_owned();
    assert_eq!(current_value(&sandbox).as_deref(), Some("old"));
    let again = stage(&sandbox, "new").run();
    again.expect(0, "unchanged");
    assert_eq!(again.output("secret_version_id"), new);

    for result in ["updated", "unchanged"] {
        let outcome = command(&sandbox, "promote").run();
        outcome.expect(0, result);
        assert_eq!(outcome.output("secret_version_id"), new);
        assert_eq!(current_value(&sandbox).as_deref(), Some("new"));
        assert_eq!(
            value_labeled(&sandbox, "AWSPREVIOUS").as_deref(),
            Some("old")
        );
        assert_eq!(value_labeled(&sandbox, "candidate").as_deref(), Some("new"));
        let previous = if result == "updated" {
            old.as_str()
        } else {
            ""
        };
        assert_eq!(outcome.output("previous_version_id"), previous);
        assert_eq!(outcome.output("version_stages"), "AWSCURRENT,candidate");
    }
    for result in ["updated", "unchanged"] {
        let outcome = command(&sandbox, "rollback").run();
        outcome.expect(0, result);
        assert_eq!(outcome.output("secret_version_id"), old);
        assert_eq!(current_value(&sandbox).as_deref(), Some("old"));
        assert_eq!(
            value_labeled(&sandbox, "AWSPREVIOUS").as_deref(),
            Some("new")
        );
    }
    let outcome = command(&sandbox, "rollback").run();
    assert!(
        outcome
            .stderr
            .contains(&format!("`promote` with UPSERT_SECRET_VERSION_ID={new}")),
        "{}",
        outcome.stderr
    );
    command(&sandbox, "promote")
        .input("version-id", &new)
        .run()
        .expect(0, "updated");
    assert_eq!(current_value(&sandbox).as_deref(), Some("new"));
    assert_eq!(version_count(&sandbox), 2);
    assert_eq!(
        call_count(&sandbox, "GetSecretValue"),
        3,
        "moves read no value"
    );
}

#[test]
fn request_count_stays_minimal() {
    let (sandbox, ..) = staged();
    let calls = operations(&sandbox);
    assert_eq!(calls[2..], ["GetSecretValue", "PutSecretValue"]);
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
fn first_version_is_also_current() {
    let sandbox = Sandbox::start();
    let outcome = stage(&sandbox, "new").run();
    outcome.expect(0, "created");
    assert_eq!(outcome.output("version_stages"), "AWSCURRENT,candidate");
    assert!(
        outcome
            .stderr
            .contains("gets its first version, which AWS also makes current"),
        "{}",
        outcome.stderr
    );
    stage(&sandbox, "new").run().expect(0, "unchanged");

    let outcome = Cli::new(&sandbox, "newer")
        .input("version-stages", "AWSCURRENT, stable\nblue")
        .run();
    outcome.expect(0, "updated");
    assert_eq!(outcome.output("version_stages"), "AWSCURRENT,stable,blue");
    for label in ["AWSCURRENT", "stable", "blue"] {
        assert_eq!(value_labeled(&sandbox, label).as_deref(), Some("newer"));
    }
    assert_eq!(value_labeled(&sandbox, "candidate").as_deref(), Some("new"));
}

#[test]
fn empty_secret_gets_first_version() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create_empty(NAME));
    let outcome = stage(&sandbox, "new").run();
    outcome.expect(0, "updated");
    assert_eq!(outcome.output("version_stages"), "AWSCURRENT,candidate");
}

#[test]
fn lost_responses_move_labels_once() {
    for attempts in ["1", "5"] {
        for fault in [Fault::ResetBefore, Fault::LostAfter] {
            let sandbox = Sandbox::start();
            let old = sandbox.with(|world| world.create(NAME, "old"));
            sandbox.fault("PutSecretValue", 1, fault.clone());
            let outcome = stage(&sandbox, "new")
                .env("AWS_MAX_ATTEMPTS", attempts)
                .run();
            outcome.expect(0, "updated");
            assert_eq!(version_count(&sandbox), 2);
            for (word, value) in [("promote", "new"), ("rollback", "old")] {
                sandbox.clear_log();
                sandbox.fault("UpdateSecretVersionStage", 1, fault.clone());
                let outcome = command(&sandbox, word)
                    .env("AWS_MAX_ATTEMPTS", attempts)
                    .run();
                outcome.expect(0, "updated");
                assert_eq!(current_value(&sandbox).as_deref(), Some(value), "{word}");
                if word == "promote" {
                    assert_eq!(outcome.output("previous_version_id"), old);
                }
            }
        }
    }
}

#[test]
fn concurrent_put_is_kept_by_label_moves() {
    for word in ["promote", "rollback"] {
        let (sandbox, ..) = staged();
        if word == "rollback" {
            command(&sandbox, "promote").run().expect(0, "updated");
            sandbox.clear_log();
        }
        sandbox.before("UpdateSecretVersionStage", 1, |world| {
            world.put(NAME, "rival");
        });
        let outcome = command(&sandbox, word).run();
        outcome.expect(5, "");
        assert_eq!(current_value(&sandbox).as_deref(), Some("rival"), "{word}");
    }
}

#[test]
fn impossible_moves_are_explained() {
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
            Cli::new(&sandbox, "x").input("stage", "candidate"),
        ),
    ];
    let mut page = String::new();
    for (context, cli) in cases {
        let outcome = cli.run();
        page.push_str(&format!("{context}: {}\n", normalized_stderr(&outcome)));
    }
    assert_eq!(current_value(&sandbox).as_deref(), Some("old"));
    insta::assert_snapshot!(page.replace(&old, "[id]"), @r#"
    no such label:   secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    error: no version of prod/model/api-key holds the label blue
      why:  its labels are AWSCURRENT, candidate
      next: stage one with UPSERT_SECRET_VERSION_STAGES=blue, or set UPSERT_SECRET_STAGE to another label
      exit: 6 (refused by state)
    no such version:   secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    error: prod/model/api-key has no version [id]
      why:  AWS answered ResourceNotFoundException
      next: list its versions: `aws secretsmanager list-secret-version-ids --include-deprecated`
      exit: 6 (refused by state)
    expected another:   secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    error: the expected version [id] is not current in prod/model/api-key
      why:  AWSCURRENT is on version [id]
      next: another writer wrote after that version was looked up: check its value, and run again with its version ID to replace it
      exit: 5 (conflict)
    nothing before:   secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    error: prod/model/api-key has no version to roll back to
      why:  its labels are AWSCURRENT, candidate
      next: name the version: `promote` with UPSERT_SECRET_VERSION_ID
      exit: 6 (refused by state)
    no such secret: error: prod/other does not exist
      next: check the name and the region; `upsert` creates a secret
      exit: 6 (refused by state)
    both: error: UPSERT_SECRET_VERSION_ID and UPSERT_SECRET_STAGE are both given: set one of them
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    AWSPENDING: error: UPSERT_SECRET_STAGE must not include AWSPENDING: it belongs to rotation
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    a version to roll back to: error: UPSERT_SECRET_VERSION_ID is for the command `promote`; `rollback` always goes back to the version before
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    stage of an upsert: error: UPSERT_SECRET_STAGE is for the command `promote`; UPSERT_SECRET_VERSION_STAGES sets the labels of a new version
      next: correct the input; nothing was sent to AWS
      exit: 2 (bad input)
    "#);
}

#[test]
fn summary_draws_label_moves() {
    let (sandbox, ..) = staged();
    let outcome = command(&sandbox, "promote").github().run();
    let graph: Vec<String> = outcome
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
fn ignored_input_is_reported() {
    let (sandbox, ..) = staged();
    let outcome = command(&sandbox, "promote").input("description", "d").run();
    outcome.expect(0, "updated");
    assert!(
        outcome
            .stderr
            .contains("UPSERT_SECRET_DESCRIPTION has no effect"),
        "{}",
        outcome.stderr
    );
    assert_eq!(call_count(&sandbox, "UpdateSecret"), 0);
}

#[test]
fn staging_the_current_value_moves_the_label() {
    let (sandbox, old, _) = staged();
    let version_id = |outcome: &Outcome| outcome.output("secret_version_id").to_owned();
    let planned = stage(&sandbox, "old").args(&["plan"]).run();
    planned.expect(0, "updated");
    assert!(
        planned.stderr.contains("the current version has the value"),
        "{}",
        planned.stderr
    );
    for result in ["updated", "unchanged"] {
        let outcome = stage(&sandbox, "old").run();
        outcome.expect(0, result);
        assert_eq!(version_id(&outcome), old);
        assert_eq!(outcome.output("version_stages"), "AWSCURRENT,candidate");
    }
    assert_eq!(version_count(&sandbox), 2);
    command(&sandbox, "promote").run().expect(0, "unchanged");
}

#[test]
fn rival_of_a_staged_label_is_kept() {
    let (sandbox, old, _) = staged();
    // Between this run's observation and its move, another run stages a version and makes the staged one current.
    sandbox.before("UpdateSecretVersionStage", 1, |world| {
        let id = "99999999-9999-4999-8999-999999999999";
        world.put_staged(NAME, "rival", id, &["candidate"]);
    });
    let outcome = stage(&sandbox, "old").run();
    outcome.expect(0, "updated");
    assert_eq!(outcome.output("secret_version_id"), old);
    assert_eq!(value_labeled(&sandbox, "candidate").as_deref(), Some("old"));
    assert_eq!(current_value(&sandbox).as_deref(), Some("old"));
}
