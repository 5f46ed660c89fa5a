//! Callers that may not call DescribeSecret or GetSecretValue: the value is still written, and what
//! could not be checked is reported.

use sandbox::{Fault, Policy, Sandbox};

use crate::common::{Cli, NAME, call_count, current_value, version_count};
use crate::manifest::{manifest_cli, manifest_of, value};

fn sandbox_denying(actions: &[&str]) -> Sandbox {
    let sandbox = Sandbox::start();
    let key = sandbox.default_key_id();
    sandbox.set_policy(&key, Policy::deny(actions));
    sandbox
}

const DESCRIBE: &str = "secretsmanager:DescribeSecret";
const GET: &str = "secretsmanager:GetSecretValue";

#[test]
fn denied_get_writes_without_comparing() {
    let sandbox = sandbox_denying(&[GET]);
    Cli::new(&sandbox, "made-up").run().expect(0, "created");
    let again = Cli::new(&sandbox, "made-up").run();
    again.expect(0, "updated");
    assert!(
        again.stderr.contains("without comparing"),
        "{}",
        again.stderr
    );
    assert_eq!(version_count(&sandbox), 2);
    let always = Cli::new(&sandbox, "made-up")
        .input("compare", "always")
        .run();
    always.expect(4, "");
    assert!(always.stderr.contains(GET), "{}", always.stderr);
    assert_eq!(version_count(&sandbox), 2);
}

/// A policy that allows only reads that request this label.
fn stage_condition(operator: &str, label: &str) -> Policy {
    Policy::from_json(&format!(
        r#"{{"Statement":[
            {{"Effect":"Allow","NotAction":"secretsmanager:GetSecretValue","Resource":"*"}},
            {{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*",
              "Condition":{{"{operator}":{{"secretsmanager:VersionStage":"{label}"}}}}}}]}}"#
    ))
}

#[test]
fn stage_condition_allows_every_read() {
    for operator in ["StringEquals", "ForAnyValue:StringEquals"] {
        let sandbox = Sandbox::start();
        sandbox.with(|world| world.create(NAME, r#"{"k":"made-up"}"#));
        let key = sandbox.default_key_id();
        sandbox.set_policy(&key, stage_condition(operator, "AWSCURRENT"));
        let document = Cli::new(&sandbox, r#"{"k":"made-up"}"#);
        document.run().expect(0, "unchanged");
        let always = Cli::new(&sandbox, r#"{"k":"made-up"}"#).input("compare", "always");
        always.run().expect(0, "unchanged");
        let part = Cli::new(&sandbox, "made-up").input("json-key", "k");
        part.run().expect(0, "unchanged");
        assert_eq!(version_count(&sandbox), 1, "{operator}");
        let staged = |value: &str| {
            sandbox.set_policy(&key, stage_condition(operator, "blue"));
            Cli::new(&sandbox, value)
                .input("version-stages", "blue,green")
                .input("compare", "always")
                .run()
        };
        staged("made-up-blue").expect(0, "updated");
        staged("made-up-blue").expect(0, "unchanged");
        assert_eq!(version_count(&sandbox), 2, "{operator}");
        // It is not permitted to read whether the current version has this value.
        staged(r#"{"k":"made-up"}"#).expect(0, "updated");
        assert_eq!(version_count(&sandbox), 3, "{operator}");
    }
}

/// BatchGetSecretValue cannot name a staging label, so such a condition denies each secret in its response.
#[test]
fn value_denied_in_a_batch_is_read_singly() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        for name in ["a", "b", "source", "foreign"] {
            world.create(name, "made-up");
        }
    });
    let policy = r#"{"Statement":[{"Effect":"Allow","NotAction":"secretsmanager:GetSecretValue","Resource":"*"},
        {"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*",
         "Condition":{"StringEquals":{"secretsmanager:VersionStage":"AWSCURRENT"}}},
        {"Effect":"Deny","Action":"secretsmanager:GetSecretValue","Resource":"*:secret:foreign-*"}]}"#;
    sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(policy));
    let manifest = format!(
        "{}  c: {{ value: {{ secret: {{ id: source }} }} }}\n",
        manifest_of(&["a", "b", "foreign"])
    );
    let outcome = manifest_cli(&sandbox, &manifest).env("V", "made-up").run();
    // `foreign` is written without comparing.
    assert_eq!(
        outcome.counts(),
        ["1", "1", "2", "0", "0"],
        "{}",
        outcome.stderr
    );
    assert!(
        outcome
            .stderr
            .contains("foreign: permission to read the current value"),
        "{}",
        outcome.stderr
    );
    assert_eq!(value(&sandbox, "c"), "made-up");
    assert_eq!(call_count(&sandbox, "GetSecretValue"), 5);
    assert_eq!(call_count(&sandbox, "BatchGetSecretValue"), 2);
}

#[test]
fn denied_describe_relies_on_get() {
    let sandbox = sandbox_denying(&[DESCRIBE]);
    let first = Cli::new(&sandbox, "made-up")
        .input("description", "d")
        .run();
    first.expect(0, "created");
    assert!(
        first.stderr.contains("were not checked before"),
        "{}",
        first.stderr
    );
    Cli::new(&sandbox, "made-up").run().expect(0, "unchanged");
    let third = Cli::new(&sandbox, "made-up-2").input("tags", "k=v").run();
    third.expect(0, "updated");
    assert!(
        third.stderr.contains("were not checked"),
        "{}",
        third.stderr
    );
    assert_eq!(
        third.output("previous_version_id"),
        first.output("secret_version_id")
    );
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up-2"));
    assert_eq!(call_count(&sandbox, "CreateSecret"), 1);
    Cli::new(&sandbox, "x")
        .input("if-exists", "skip")
        .run()
        .expect(0, "unchanged");
    let replace = Cli::new(&sandbox, "x")
        .input("tags", "k=v")
        .input("tag-policy", "replace")
        .run();
    replace.expect(4, "");
    assert!(replace.stderr.contains(DESCRIBE), "{}", replace.stderr);
}

#[test]
fn denied_reads_create_then_put() {
    let sandbox = sandbox_denying(&[DESCRIBE, GET]);
    // Whether an earlier attempt of this job created the secret cannot be known.
    Cli::new(&sandbox, "made-up")
        .github()
        .run()
        .expect(0, "updated");
    // The same run has the same token, so AWS finds the existing version.
    let again = Cli::new(&sandbox, "made-up").github().run();
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(version_count(&sandbox), 1);
    Cli::new(&sandbox, "made-up-2").run().expect(0, "updated");
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up-2"));
    // A rerun of the first run after another write: its value becomes a new version.
    let late = Cli::new(&sandbox, "made-up").github().run();
    late.expect(0, "updated");
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
    let skip = Cli::new(&sandbox, "x").input("if-exists", "skip").run();
    skip.expect(0, "unchanged");
    assert!(skip.stderr.contains("left unchanged"), "{}", skip.stderr);
    assert_eq!(skip.output("secret_id"), "");
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
}

/// A request that depends on the value or the labels of a secret creates it, and never writes to an existing one.
#[test]
fn denied_reads_create_but_never_overwrite() {
    let requests: [&[(&str, &str)]; 5] = [
        &[("json-key", "k")],
        &[("version-stages", "AWSCURRENT,blue")],
        &[("version-stages", "blue")],
        &[("tags", "a=b"), ("tag-policy", "replace")],
        &[("json-key", "k"), ("on-scheduled-deletion", "restore")],
    ];
    for denied in [&[DESCRIBE][..], &[DESCRIBE, GET]] {
        for inputs in requests {
            let sandbox = sandbox_denying(denied);
            let run = |value: &str| {
                let cli = Cli::new(&sandbox, value).github();
                let with = |cli: Cli, (name, value): &(&str, &str)| cli.input(name, value);
                inputs.iter().fold(cli, with).run()
            };
            // The response to a retry does not show what has happened since.
            sandbox.fault("CreateSecret", 1, Fault::LostAfter);
            run("made-up").expect(0, "created");
            let other = run("made-up-2");
            other.expect(4, "");
            assert!(other.stderr.contains(DESCRIBE), "{}", other.stderr);
            assert_eq!(version_count(&sandbox), 1, "{inputs:?}");
            sandbox.with(|world| world.schedule_deletion(NAME));
            let deleted = run("made-up-2");
            assert!([Some(4), Some(6)].contains(&deleted.code), "{inputs:?}");
            assert_eq!(call_count(&sandbox, "RestoreSecret"), 0);
        }
    }
}

#[test]
fn denied_reads_still_detect_deletion() {
    for denied in [&[DESCRIBE][..], &[DESCRIBE, GET]] {
        let sandbox = sandbox_denying(denied);
        sandbox.with(|world| {
            world.create(NAME, "old");
            world.schedule_deletion(NAME);
        });
        let refused = Cli::new(&sandbox, "made-up").run();
        refused.expect(6, "");
        assert!(
            refused.stderr.contains("scheduled for deletion"),
            "{}",
            refused.stderr
        );
        let restored = Cli::new(&sandbox, "made-up")
            .input("on-scheduled-deletion", "restore")
            .run();
        restored.expect(0, "updated");
        assert_eq!(restored.output("restored"), "true");
        assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
    }
}

#[test]
fn denied_everything_names_missing_action() {
    let sandbox = sandbox_denying(&[
        DESCRIBE,
        GET,
        "secretsmanager:CreateSecret",
        "secretsmanager:PutSecretValue",
    ]);
    let outcome = Cli::new(&sandbox, "made-up").run();
    outcome.expect(4, "");
    assert!(
        outcome.stderr.contains("secretsmanager:CreateSecret")
            && outcome
                .stderr
                .contains(&format!("111122223333:secret:{NAME}-??????")),
        "{}",
        outcome.stderr
    );
}

#[test]
fn denied_reads_rerun_writes_metadata() {
    let sandbox = sandbox_denying(&[DESCRIBE, GET]);
    let run = |description: &str, tags: &str| {
        Cli::new(&sandbox, "made-up")
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
    assert_eq!(version_count(&sandbox), 1);
}

#[test]
fn denied_reads_lost_create_keeps_later_put() {
    for attempts in ["1", "3"] {
        let sandbox = sandbox_denying(&[DESCRIBE, GET]);
        sandbox.fault("CreateSecret", 1, Fault::LostAfter);
        sandbox.after("CreateSecret", 1, |world| {
            world.put(NAME, "rival");
        });
        let outcome = Cli::new(&sandbox, "made-up")
            .env("AWS_MAX_ATTEMPTS", attempts)
            .run();
        assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
        assert_eq!(current_value(&sandbox).as_deref(), Some("rival"));
    }
}

#[test]
fn denied_reads_missing_arn_fails_fast() {
    let sandbox = sandbox_denying(&[DESCRIBE, GET]);
    let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:nowhere-AbCdEf";
    let outcome = Cli::new(&sandbox, "made-up").input("name", arn).run();
    outcome.expect(6, "");
    assert_eq!(call_count(&sandbox, "PutSecretValue"), 1);
}
