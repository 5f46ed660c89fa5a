//! Exit code 2 means that nothing was written: inputs are rejected before any request, and an input that AWS rejects after a
//! write causes exit code 6, with what was written.

use insta::assert_snapshot;
use sandbox::{Fault, Sandbox};

use crate::common::{Cli, NAME, current_value, normalized_stderr, operations};
use crate::manifest::{manifest_cli, manifest_of, value};

fn rejection() -> Fault {
    Fault::Error {
        status: 400,
        code: "InvalidParameterException".to_owned(),
        message: "made up".to_owned(),
    }
}

#[test]
fn malformed_input_sends_no_request() {
    let key_elsewhere = "arn:aws:kms:us-east-1:111122223333:key/1234abcd";
    let key_in_london = "eu-west-2=arn:aws:kms:eu-west-3:111122223333:key/1234abcd";
    let policy = |principal: &str| {
        format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"*","Resource":"*"}}}}"#
        )
    };
    let unprefixed_role = policy("role/reader");
    let no_statement = r#"{"Version":"2012-10-17"}"#.to_owned();
    for (input, text, wanted) in [
        ("replica-regions", "foo", "must be regions"),
        ("replica-regions", "eu-west-2a", "must be regions"),
        ("replica-regions", "cn-north-1", "in another partition"),
        (
            "replica-regions",
            "eu-west-2=models",
            "key for eu-west-2 that must be",
        ),
        (
            "replica-regions",
            key_in_london,
            "is a KMS key of eu-west-3",
        ),
        ("kms-key-id", "models", "must be a key ID"),
        ("kms-key-id", "arn:aws:kms:models", "must be a key ID"),
        ("kms-key-id", key_elsewhere, "is a KMS key of us-east-1"),
        ("resource-policy", &unprefixed_role, "has a principal"),
        ("resource-policy", &no_statement, "has no `Statement`"),
    ] {
        let sandbox = Sandbox::start();
        let outcome = Cli::new(&sandbox, "made-up").input(input, text).run();
        assert_eq!(outcome.code, Some(2), "{text}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains(wanted),
            "{text}: {}",
            outcome.stderr
        );
        assert!(operations(&sandbox).is_empty(), "{text}");
    }
}

#[test]
fn unknown_region_is_left_to_aws() {
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "made-up").input("replica-regions", "xy-made-9");
    cli.run().expect(0, "created");
}

#[test]
fn input_rejected_after_a_write_is_refused() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "made-up-old"));
    sandbox.fault("ReplicateSecretToRegions", 1, rejection());
    let outcome = Cli::new(&sandbox, "made-up-new")
        .input("replica-regions", "eu-west-2")
        .run();
    outcome.expect(6, "updated");
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up-new"));
    assert_snapshot!(normalized_stderr(&outcome), @r#"
    before it failed, this run
      wrote the value as version [id], now AWSCURRENT
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
      version  [id] (AWSCURRENT)
    error: AWS rejected the replica regions
      why:  AWS answered: made up
            before that, this run wrote to AWS:
              wrote the value as version [id], now AWSCURRENT
      next: correct UPSERT_SECRET_REPLICA_REGIONS
            the next run finds what was written and leaves it alone
      aws:  ReplicateSecretToRegions, InvalidParameterException, request id [id]
      exit: 6 (refused by state)
    "#);
    // Before any write it is bad input.
    let sandbox = Sandbox::start();
    sandbox.fault("CreateSecret", 1, rejection());
    Cli::new(&sandbox, "made-up").run().expect(2, "");
}

#[test]
fn input_rejected_after_another_entry_is_refused() {
    let sandbox = Sandbox::start();
    let manifest = manifest_of(&["a"]) + "  b: { value: { env: V }, tags: { team: ml } }\n";
    sandbox.with(|world| world.create("b", "made-up"));
    sandbox.fault("TagResource", 1, rejection());
    let cli = manifest_cli(&sandbox, &manifest).env("V", "made-up");
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    assert_eq!(value(&sandbox, "a"), "made-up");
    assert!(
        outcome.stderr.contains("a: created the secret"),
        "{}",
        outcome.stderr
    );
    // The entry alone is bad input.
    sandbox.clear_log();
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("b", "made-up"));
    sandbox.fault("TagResource", 1, rejection());
    let manifest = "secrets:\n  b: { value: { env: V }, tags: { team: ml } }\n";
    let outcome = manifest_cli(&sandbox, manifest).env("V", "made-up").run();
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
}

#[test]
fn input_rejected_after_staging_is_refused() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        for name in ["a", "b"] {
            world.create(name, "old");
        }
    });
    sandbox.fault("PutSecretValue", 2, rejection());
    let outcome = manifest_cli(&sandbox, &manifest_of(&["a", "b"]))
        .env("V", "made-up")
        .input("all-or-nothing", "true")
        .run();
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains("this run wrote versions or labels that are not current"),
        "{}",
        outcome.stderr
    );
    for name in ["a", "b"] {
        assert_eq!(value(&sandbox, name), "old");
    }
}
