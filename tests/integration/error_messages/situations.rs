//! AWS errors with one code and several meanings: each situation has its own headline and class.

use sandbox::{Fault, Policy, Sandbox};

use crate::common::{Cli, NAME, current_value};

fn error(code: &str, message: &str) -> Fault {
    Fault::Error {
        status: 400,
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

/// A sandbox with a secret whose KMS key is in some state.
fn with_stored_key(change: impl FnOnce(&mut sandbox::World)) -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.add_kms_key("alias/models"));
    let created = Cli::new(&sandbox, "made-up-old")
        .input("kms-key-id", "alias/models")
        .run();
    created.expect(0, "created");
    sandbox.with(change);
    sandbox
}

#[track_caller]
fn assert_fails(cli: &Cli, code: i32, headline: &str) {
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
    let line = format!("error: {headline}\n");
    assert!(
        outcome.stderr.contains(&line),
        "{headline}: {}",
        outcome.stderr
    );
}

#[test]
fn kms_keys_are_reported_by_their_state() {
    let wanted =
        |sandbox: &Sandbox| Cli::new(sandbox, "made-up").input("kms-key-id", "alias/other");
    for (prepare, code, headline) in [
        (
            (|_| {}) as fn(&mut sandbox::World),
            2,
            "the KMS key alias/other does not exist in account 111122223333, region eu-west-1",
        ),
        (
            |world| {
                world.add_kms_key("alias/other");
                world.disable_kms_key_in("eu-west-1", "alias/other");
            },
            6,
            "the KMS key alias/other is disabled",
        ),
        (
            |world| {
                world.add_kms_key("alias/other");
                world.schedule_kms_key_deletion("alias/other");
            },
            6,
            "the KMS key alias/other is pending deletion",
        ),
        (
            |world| {
                world.add_kms_key("alias/other");
                world.deny_kms_key("alias/other");
            },
            4,
            "the caller is not allowed to use the KMS key alias/other",
        ),
    ] {
        let sandbox = Sandbox::start();
        sandbox.with(prepare);
        assert_fails(&wanted(&sandbox), code, headline);
        assert_eq!(current_value(&sandbox), None);
        let sandbox = with_stored_key(prepare);
        assert_fails(&wanted(&sandbox), code, headline);
    }
}

#[test]
fn key_failure_is_not_denied_read() {
    for change in [
        (|world| world.deny_kms_key("alias/models")) as fn(&mut sandbox::World),
        |world| world.disable_kms_key_in("eu-west-1", "alias/models"),
        |world| world.delete_kms_key("alias/models"),
    ] {
        let sandbox = with_stored_key(change);
        let outcome = Cli::new(&sandbox, "made-up")
            .input("compare", "always")
            .run();
        assert!(
            [Some(4), Some(6)].contains(&outcome.code),
            "{}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains("KMS key"), "{}", outcome.stderr);
        assert!(
            !outcome.stderr.contains("permission denied: GetSecretValue"),
            "{}",
            outcome.stderr
        );
        let outcome = Cli::new(&sandbox, "made-up").run();
        let notice = "the current value cannot be decrypted with its KMS key";
        assert!(outcome.stderr.contains(notice), "{}", outcome.stderr);
        assert!(
            !outcome.stderr.contains("(GetSecretValue) is denied"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn undescribable_replica_is_refused() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create(NAME, "old");
        world.replicate(NAME, "us-east-1");
    });
    let key = sandbox.default_key_id();
    sandbox.set_policy(&key, Policy::deny(&["secretsmanager:DescribeSecret"]));
    let cli = Cli::new(&sandbox, "made-up").input("aws-region", "us-east-1");
    assert_fails(
        &cli,
        6,
        "prod/model/api-key in us-east-1 is a replica, which cannot be written",
    );
}

#[test]
fn rejected_credentials_are_told_apart() {
    let sandbox = Sandbox::start();
    let cli = || Cli::new(&sandbox, "made-up");
    let unknown = || cli().env("AWS_ACCESS_KEY_ID", "AKIAMADEUPUNKNOWN000");
    for (cli, code, headline) in [
        (
            unknown().env("AWS_SESSION_TOKEN", "made-up-token"),
            3,
            "AWS rejected the credentials: a session token was sent with a long-term access key (AKIA…)",
        ),
        (
            cli().env("AWS_ACCESS_KEY_ID", "ASIAMADEUPUNKNOWN000"),
            3,
            "AWS rejected the credentials: a temporary access key (ASIA…) was sent without its session token",
        ),
        (
            unknown().input("aws-region", "ap-east-1"),
            3,
            "AWS does not recognize these credentials in ap-east-1, a region that accounts must enable before use",
        ),
        (unknown(), 3, "AWS does not recognize these credentials"),
    ] {
        assert_fails(&cli, code, headline);
    }
    let fault = error(
        "InvalidSignatureException",
        "Credential should be scoped to a valid region. ",
    );
    sandbox.fault("DescribeSecret", 1, fault);
    let cli = cli().input("aws-region", "us-east-1-fips");
    assert_fails(
        &cli,
        2,
        "AWS does not accept us-east-1-fips as the region of this request",
    );
}

#[test]
fn explicit_deny_may_want_tags_or_a_key() {
    let sandbox = Sandbox::start();
    let deny = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"secretsmanager:CreateSecret",
        "Resource":"*","Condition":{"StringNotEquals":{"aws:RequestTag/team":"ml"}}}]}"#;
    sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(deny));
    let outcome = Cli::new(&sandbox, "made-up")
        .github()
        .env("UPSERT_SECRET_ACTION", "true")
        .run();
    assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("set `tags` or `kms-key-id`"),
        "{}",
        outcome.stderr
    );
    let tagged = Cli::new(&sandbox, "made-up").input("tags", "team=ml");
    tagged.run().expect(0, "created");
}
