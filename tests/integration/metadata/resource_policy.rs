//! `resource-policy`: validated first, attached only when it differs, never attached unchecked.

use insta::assert_snapshot;
use sandbox::{Policy, Sandbox};

use super::{existing, policy_allowing};
use crate::common::{Cli, NAME, current_value, normalized_stderr, operations};

const ROLE: &str = "arn:aws:iam::111122223333:role/reader";

fn policy(sandbox: &Sandbox) -> Option<String> {
    sandbox.with(|world| world.secret(NAME).unwrap().policy)
}

#[test]
fn equivalent_policy_is_unchanged() {
    let sandbox = existing();
    let one = policy_allowing("111122223333");
    let cli = Cli::new(&sandbox, "made-up").input("resource-policy", &one);
    let outcome = cli.run();
    outcome.expect(0, "updated");
    assert!(
        outcome.stderr.contains("wrote the resource policy"),
        "{}",
        outcome.stderr
    );
    assert_eq!(policy(&sandbox).as_deref(), Some(one.as_str()));
    sandbox.clear_log();
    let other = policy_allowing("arn:aws:iam::111122223333:root")
        .replace("GetSecretValue", "getsecretvalue");
    std::fs::write(cli.path("policy.json"), other).unwrap();
    let file = format!("file:{}", cli.path("policy.json").display());
    cli.input("resource-policy", &file)
        .run()
        .expect(0, "unchanged");
    let mut calls = operations(&sandbox);
    calls.sort();
    assert_eq!(
        calls,
        ["DescribeSecret", "GetResourcePolicy", "GetSecretValue"]
    );
}

#[test]
fn unsafe_policy_stops_before_any_write() {
    let public = policy_allowing("*");
    let lockout = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"secretsmanager:PutResourcePolicy","Resource":"*"}}"#;
    let cases = [
        (public.as_str(), "false", 6),
        (lockout, "true", 6),
        (r#"{"made":"up"}"#, "false", 2),
    ];
    for (document, allowed, code) in cases {
        let sandbox = existing();
        let outcome = Cli::new(&sandbox, "new")
            .input("resource-policy", document)
            .input("allow-public-policy", allowed)
            .run();
        assert_eq!(outcome.code, Some(code), "{document} {}", outcome.stderr);
        assert_eq!(
            current_value(&sandbox).as_deref(),
            Some("made-up"),
            "{document}"
        );
        assert_eq!(policy(&sandbox), None);
    }
    let sandbox = existing();
    let outcome = Cli::new(&sandbox, "new")
        .input("resource-policy", &public)
        .run();
    assert_snapshot!(normalized_stderr(&outcome), @r#"
    warning: the value has fewer than 4 bytes; text that short cannot be redacted from logs without wrecking them
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    error: the resource policy must not be attached to prod/model/api-key
      why:  AWS says: PublicAccess: The resource policy allows broad access to the secret.
      next: correct it: name who may read the secret, and leave those who manage it (this run among them) their rights;
            `allow-public-policy: true` attaches a public one all the same
      exit: 6 (refused by state)
    "#);
    let sandbox = existing();
    Cli::new(&sandbox, "new")
        .input("resource-policy", &public)
        .input("allow-public-policy", "true")
        .run()
        .expect(0, "updated");
    assert_eq!(policy(&sandbox), Some(public));
}

/// PutResourcePolicy sets `BlockPublicPolicy`, unless public policies are allowed.
#[test]
fn put_call_also_blocks_public_policy() {
    let guarded = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"secretsmanager:PutResourcePolicy","Resource":"*",
         "Condition":{"Bool":{"secretsmanager:BlockPublicPolicy":"false"}}}]}"#;
    for (allowed, code) in [("false", 0), ("true", 4)] {
        let sandbox = existing();
        sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(guarded));
        let outcome = Cli::new(&sandbox, "made-up")
            .input("resource-policy", &policy_allowing("111122223333"))
            .input("allow-public-policy", allowed)
            .run();
        assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
    }
}

#[test]
fn restored_secret_gets_its_policy() {
    let sandbox = existing();
    sandbox.with(|world| world.schedule_deletion(NAME));
    let document = policy_allowing("111122223333");
    let outcome = Cli::new(&sandbox, "made-up")
        .input("resource-policy", &document)
        .input("on-scheduled-deletion", "restore")
        .run();
    outcome.expect(0, "updated");
    assert_eq!(policy(&sandbox), Some(document));
}

#[test]
fn new_principal_is_waited_for() {
    let sandbox = existing();
    sandbox.with(|world| world.add_principal_after(ROLE, 4));
    let outcome = Cli::new(&sandbox, "made-up")
        .input("resource-policy", &policy_allowing(ROLE))
        .run();
    outcome.expect(0, "updated");
    assert!(
        outcome
            .stderr
            .contains("waiting for AWS to know the principals"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn unreadable_policy_is_overwritten() {
    let sandbox = Sandbox::start();
    let cli =
        Cli::new(&sandbox, "made-up").input("resource-policy", &policy_allowing("111122223333"));
    cli.run().expect(0, "created");
    assert!(policy(&sandbox).is_some());
    let key = sandbox.default_key_id();
    sandbox.set_policy(&key, Policy::deny(&["secretsmanager:GetResourcePolicy"]));
    let outcome = cli.run();
    outcome.expect(0, "updated");
    assert!(
        outcome
            .stderr
            .contains("reading the resource policy (GetResourcePolicy) is denied"),
        "{}",
        outcome.stderr
    );
    sandbox.set_policy(
        &key,
        Policy::deny(&["secretsmanager:ValidateResourcePolicy"]),
    );
    let other = cli.input("resource-policy", &policy_allowing("444455556666"));
    let outcome = other.run();
    assert_eq!(
        outcome.code,
        Some(4),
        "never attached unchecked: {}",
        outcome.stderr
    );
}
