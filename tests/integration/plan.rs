//! The `plan` command: lists what a run would do, and writes nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use insta::assert_snapshot;
use sandbox::{Policy, Sandbox};

use crate::common::{Cli, NAME, Outcome, normalized_stderr, operations};

const POLICY: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}}"#;

fn plan(sandbox: &Sandbox, inputs: &[(&str, &str)]) -> Outcome {
    let mut cli = Cli::new(sandbox, "made-up-value-of-41-bytes-made-up-value-4").args(&["plan"]);
    for (name, value) in inputs {
        cli = cli.input(name, value);
    }
    sandbox.clear_log();
    let outcome = cli.run();
    let reads = [
        "DescribeSecret",
        "GetSecretValue",
        "GetResourcePolicy",
        "ValidateResourcePolicy",
        "ListSecretVersionIds",
    ];
    for operation in operations(sandbox) {
        assert!(reads.contains(&operation.as_str()), "{operation}");
    }
    outcome
}

/// The text without durations.
fn plan_text(outcome: &Outcome) -> String {
    let text = normalized_stderr(outcome);
    let lines = text.lines().map(|line| match line.rsplit_once(" (") {
        Some((rest, time)) if time.ends_with(" ms)") => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn sandbox_with_value(value: &str) -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, value));
    sandbox
}

const ALL_INPUTS: &[(&str, &str)] = &[
    ("description", "new words"),
    ("kms-key-id", "alias/models"),
    ("tags", "team=ml"),
    ("tag-policy", "replace"),
    ("replica-regions", "eu-west-2"),
    ("resource-policy", POLICY),
    ("version-stages", "AWSCURRENT,blue"),
];

#[test]
fn absent_secret_lists_creation() {
    let outcome = plan(&Sandbox::start(), ALL_INPUTS);
    outcome.expect(0, "created");
    assert_eq!(outcome.output("changed"), "true");
    assert_eq!(outcome.output("secret_id"), "");
    assert_snapshot!(plan_text(&outcome), @r#"
    would be created: prod/model/api-key in eu-west-1
      would have AWS validate the resource policy
        because: it must neither be public nor lock out this run
      would create the secret with the value, a description, the KMS key alias/models, 1 tag, replicas in eu-west-2
        because: it does not exist
      would add the label blue to the new version
        because: no version holds it
      would write the resource policy
        because: it is given
      would wait for the replicas in eu-west-2
        because: they are not in sync yet
    "#);
}

#[test]
fn different_secret_lists_every_change() {
    let sandbox = Sandbox::start();
    Cli::new(&sandbox, "made-up-value-of-40-bytes-made-up-value-")
        .input("description", "old words")
        .input("tags", "team=web\nextra=x")
        .run()
        .expect(0, "created");
    let outcome = plan(&sandbox, ALL_INPUTS);
    outcome.expect(0, "updated");
    assert_snapshot!(plan_text(&outcome), @r#"
    would be updated: prod/model/api-key in eu-west-1
      would have AWS validate the resource policy
        because: it must neither be public nor lock out this run
      would write the description `new words`
        because: it is `old words`
      would write the KMS key `alias/models`
        because: it is `alias/aws/secretsmanager`
      would write the value as a new version, AWSCURRENT
        because: version [id], AWSCURRENT, holds another value (40 bytes there, 41 bytes here)
      would replicate the secret to eu-west-2
        because: there is no replica
      would set the tag team=ml
        because: it is `web`
      would remove the tags extra
        because: they are not listed, and UPSERT_SECRET_TAG_POLICY is `replace`
      would write the resource policy
        because: none is attached
      would add the label blue to the new version
        because: no version holds it
      would wait for the replicas in eu-west-2
        because: they are not in sync yet
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    "#);
}

#[test]
fn matching_secret_is_unchanged() {
    let sandbox = sandbox_with_value("made-up-value-of-41-bytes-made-up-value-4");
    let outcome = plan(&sandbox, &[]);
    outcome.expect(0, "unchanged");
    assert_eq!(outcome.output("changed"), "false");
    let id = sandbox.with(|world| world.secret(NAME).unwrap().current().unwrap().id.clone());
    assert_eq!(outcome.output("secret_version_id"), id);
    assert_snapshot!(plan_text(&outcome), @r#"
    would be unchanged: prod/model/api-key in eu-west-1
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
      version  [id] (AWSCURRENT)
    "#);
}

#[test]
fn json_key_plan_names_no_other_key() {
    let sandbox = sandbox_with_value(r#"{"made-up-other":"made-up-secret"}"#);
    let outcome = plan(&sandbox, &[("json-key", "/database/password")]);
    outcome.expect(0, "updated");
    assert!(
        outcome.stderr.contains("add the key /database/password\n"),
        "{}",
        outcome.stderr
    );
    assert!(
        !outcome.stderr.contains("made-up-other"),
        "{}",
        outcome.stderr
    );
}

/// The private label of another run that is about to write.
#[test]
fn plan_waits_for_active_guarded_run() {
    let sandbox = sandbox_with_value("{}");
    let end = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        + 60;
    let label = format!("upsert-secret-until-{end}-33333333-3333-8333-8333-333333333333");
    sandbox.with(|world| {
        let id = world.secret(NAME).unwrap().current().unwrap().id.clone();
        world.move_stage(NAME, &label, &id, None);
    });
    let outcome = plan(&sandbox, &[("json-key", "key")]);
    outcome.expect(0, "updated");
    assert!(operations(&sandbox).len() > 2, "the secret was read again");
}

#[test]
fn short_values_hide_their_length() {
    let sandbox = sandbox_with_value("made-up");
    let outcome = plan(&sandbox, &[]);
    outcome.expect(0, "updated");
    assert!(!outcome.stderr.contains("bytes"), "{}", outcome.stderr);
}

#[test]
fn plan_fails_where_a_run_would() {
    type Case<'a> = (fn(&Sandbox), &'a [(&'a str, &'a str)], i32);
    let cases: [Case<'_>; 4] = [
        (
            |sandbox| sandbox.with(|world| world.schedule_deletion(NAME)),
            &[],
            6,
        ),
        (
            |sandbox| sandbox.with(|world| world.set_rotation(NAME, true)),
            &[],
            6,
        ),
        (
            |_| {},
            &[(
                "expected-version-id",
                "00000000-0000-4000-8000-000000000000",
            )],
            5,
        ),
        (
            |_| {},
            &[(
                "resource-policy",
                r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#,
            )],
            6,
        ),
    ];
    for (arrange, inputs, code) in cases {
        let sandbox = sandbox_with_value("made-up-old");
        arrange(&sandbox);
        let outcome = plan(&sandbox, inputs);
        assert_eq!(outcome.code, Some(code), "{inputs:?} {}", outcome.stderr);
    }
    let sandbox = sandbox_with_value("made-up-old");
    sandbox.with(|world| world.schedule_deletion(NAME));
    let outcome = plan(&sandbox, &[("on-scheduled-deletion", "restore")]);
    outcome.expect(0, "updated");
    assert!(
        outcome.stderr.contains("would restore the secret"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn denied_reads_are_reported() {
    let sandbox = sandbox_with_value("made-up-old");
    let key = sandbox.default_key_id();
    let read_only = Policy::from_json(
        r#"{"Statement":[{"Effect":"Allow","Action":["secretsmanager:DescribeSecret"],"Resource":"*"}]}"#,
    );
    sandbox.set_policy(&key, read_only);
    let outcome = plan(&sandbox, &[("resource-policy", POLICY)]);
    outcome.expect(0, "updated");
    for denied in [
        "GetSecretValue",
        "GetResourcePolicy",
        "ValidateResourcePolicy",
    ] {
        assert!(
            outcome.stderr.contains(denied),
            "{denied}: {}",
            outcome.stderr
        );
    }
    sandbox.set_policy(&key, Policy::deny(&["secretsmanager:*"]));
    let outcome = plan(&sandbox, &[("description", "new words")]);
    outcome.expect(0, "updated");
    assert_snapshot!(plan_text(&outcome), @r#"
    warning: DescribeSecret is denied: rotation, replicas, owning services and a scheduled deletion were not checked, and description, key and tags are written without comparing
    would be updated: prod/model/api-key in eu-west-1
      would create the secret with the value, a description
        because: if it does not exist, which cannot be determined
      would write the description `new words`, if it exists
        because: the current state cannot be read
      would write the value as a new version, AWSCURRENT, if it exists
        because: the current state cannot be read
    "#);
}

#[test]
fn label_moves_can_be_planned() {
    let sandbox = sandbox_with_value("made-up-old");
    Cli::new(&sandbox, "made-up-new")
        .input("version-stages", "candidate")
        .run()
        .expect(0, "updated");
    let outcome = plan(&sandbox, &[("command", "promote")]);
    outcome.expect(0, "updated");
    assert!(outcome.stderr.contains("AWSCURRENT"), "{}", outcome.stderr);
    Cli::new(&sandbox, "")
        .unset("UPSERT_SECRET_VALUE")
        .args(&["promote"])
        .run()
        .expect(0, "updated");
    plan(&sandbox, &[("command", "promote")]).expect(0, "unchanged");
    let absent = plan(&Sandbox::start(), &[("command", "rollback")]);
    assert_eq!(absent.code, Some(6));
}

#[test]
fn summary_and_json_list_planned_steps() {
    let sandbox = sandbox_with_value("made-up-old");
    let cli = Cli::new(&sandbox, "made-up-new")
        .github()
        .input("command", "plan")
        .input("description", "new | words")
        .extra_args(&["--format", "json"]);
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let object: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(object["changed"], true);
    assert_eq!(
        object["plan"][0]["what"],
        "write the description `new | words`"
    );
    assert_eq!(object["plan"][0]["why"], "there is none");
    assert!(
        outcome
            .summary
            .contains("- would write the description `new | words` (because: there is none)"),
        "{}",
        outcome.summary
    );
}

/// A scheduled job reports drift with the exit code, and writes nothing.
#[test]
fn plan_with_changes_fails_only_on_request() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "made-up-old"));
    let single = |value: &str| Cli::new(&sandbox, value).args(&["plan"]);
    let manifest =
        "secrets:\n  prod/model/api-key: { value: { env: V } }\n  new: { value: { env: V } }\n";
    let many = |value: &str| {
        let cli = Cli::new(&sandbox, "made-up")
            .unset("UPSERT_SECRET_NAME")
            .unset("UPSERT_SECRET_VALUE");
        let path = cli.path("secrets.yml").display().to_string();
        std::fs::write(&path, manifest).unwrap();
        cli.env("V", value).input("manifest", &path).args(&["plan"])
    };
    for (cli, code, line) in [
        (single("made-up-new"), 0, None),
        (
            single("made-up-new").input("fail-on-change", "true"),
            9,
            Some("1 secret would change"),
        ),
        (
            single("made-up-old").input("fail-on-change", "true"),
            0,
            None,
        ),
        (
            many("made-up-old").input("fail-on-change", "true"),
            9,
            Some("1 secret would change"),
        ),
        (
            many("made-up-new").input("fail-on-change", "true"),
            9,
            Some("2 secrets would change"),
        ),
        (
            many("made-up-new").input("fail-on-change", "false"),
            0,
            None,
        ),
        (
            single("made-up-new").input("fail-on-change", "yes"),
            2,
            None,
        ),
    ] {
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
        let shown = line.is_none_or(|line| {
            outcome
                .stderr
                .contains(&format!("warning: {line} (exit 9)"))
        });
        assert!(shown, "{}", outcome.stderr);
        // The outputs are those of a successful dry run.
        assert!(code != 9 || !outcome.stdout.is_empty());
    }
}

/// A job that reports drift must not write if its command is missing.
#[test]
fn fail_on_change_is_rejected_without_plan() {
    let sandbox = Sandbox::start();
    let outcome = Cli::new(&sandbox, "made-up")
        .input("fail-on-change", "true")
        .run();
    outcome.expect(2, "");
    let why = "UPSERT_SECRET_FAIL_ON_CHANGE=true is for the command `plan`";
    assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
    assert!(operations(&sandbox).is_empty());
}
