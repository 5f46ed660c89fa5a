//! `kms-key-id`: names that refer to the stored key, and keys that AWS does not find.

use sandbox::{Fault, Sandbox};

use super::existing;
use crate::common::{Cli, NAME, call_count, current_value};

const HERE: &str = "arn:aws:kms:eu-west-1:111122223333";

fn stored_key(sandbox: &Sandbox) -> Option<String> {
    sandbox.with(|world| world.secret(NAME).unwrap().kms_key_id)
}

/// A stored bare name refers to a key in the caller's account; only storing the ARN lets callers in other accounts use it.
#[test]
fn arn_replaces_bare_name_once() {
    for bare in ["1234abcd", "alias/models"] {
        let sandbox = existing();
        sandbox.with(|world| world.add_kms_key(bare));
        let cli = |key: &str| Cli::new(&sandbox, "made-up").input("kms-key-id", key).run();
        let arn = match bare {
            "1234abcd" => format!("{HERE}:key/1234abcd"),
            alias => format!("{HERE}:{alias}"),
        };
        cli(bare).expect(0, "updated");
        cli(bare).expect(0, "unchanged");
        cli(&arn).expect(0, "updated");
        assert_eq!(stored_key(&sandbox).as_deref(), Some(arn.as_str()));
        cli(&arn).expect(0, "unchanged");
        // The same key; the name that works everywhere stays.
        cli(bare).expect(0, "unchanged");
    }
}

#[test]
fn key_of_another_account_is_another_key() {
    let sandbox = existing();
    sandbox.with(|world| world.add_kms_key("alias/models"));
    let foreign = "arn:aws:kms:eu-west-1:444455556666:alias/models";
    let cli = Cli::new(&sandbox, "made-up").input("kms-key-id", "alias/models");
    cli.run().expect(0, "updated");
    let outcome = cli.input("kms-key-id", foreign).run();
    assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
    assert_eq!(call_count(&sandbox, "UpdateSecret"), 2);
}

/// Emulators return this error for a key, and AWS for a secret: the next observation distinguishes them.
#[test]
fn missing_key_is_not_retried_for_long() {
    let sandbox = existing();
    for nth in 1..20 {
        sandbox.fault(
            "UpdateSecret",
            nth,
            Fault::Error {
                status: 400,
                code: "ResourceNotFoundException".to_owned(),
                message: "Alias alias/models is not found.".to_owned(),
            },
        );
    }
    let outcome = Cli::new(&sandbox, "new")
        .input("kms-key-id", "alias/models")
        .run();
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    let headline = "error: the KMS key alias/models does not exist in account 111122223333, region eu-west-1\n";
    assert!(outcome.stderr.contains(headline), "{}", outcome.stderr);
    assert_eq!(call_count(&sandbox, "UpdateSecret"), 3);
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
}
