//! `resource-policy`: validated first, attached only when it differs, never attached unchecked.

use insta::assert_snapshot;
use sandbox::{Policy, Sandbox};

use super::{existing, policy_allowing};
use crate::common::{Cli, NAME, call_count, current_value, normalized_stderr, operations};
use crate::manifest::manifest_cli;

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
    warning: the value has fewer than 4 bytes; text that short cannot be redacted from logs without making them unreadable
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    error: the resource policy must not be attached to prod/model/api-key
      why:  AWS answered: PublicAccess: The resource policy allows broad access to the secret.
      next: correct it: name the principals that may read the secret, and keep the permissions of those that manage it (this run included);
            UPSERT_SECRET_ALLOW_PUBLIC_POLICY=true attaches a public policy anyway
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

/// Restricts the caller to the secret, as earlier policies from `iam-policy` did.
fn restrict(sandbox: &Sandbox) {
    let policy = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Action":"secretsmanager:*","Resource":[
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:{NAME}-??????",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:{NAME}"]}}]}}"#
    );
    sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(&policy));
}

const LOCKOUT: &str = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"secretsmanager:PutResourcePolicy","Resource":"*"}}"#;
const UNKNOWN_ROLE: &str = "arn:aws:iam::111122223333:role/unknown";

/// The secret does not exist, or is scheduled for deletion.
#[test]
fn unsafe_policy_stops_creation_and_restore() {
    let public = policy_allowing("*");
    for deleted in [false, true] {
        for command in ["upsert", "plan"] {
            for (document, code) in [
                (public.as_str(), 6),
                (LOCKOUT, 6),
                (
                    r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":1}}"#,
                    2,
                ),
            ] {
                let sandbox = if deleted {
                    existing()
                } else {
                    Sandbox::start()
                };
                if deleted {
                    sandbox.with(|world| world.schedule_deletion(NAME));
                }
                sandbox.clear_log();
                let outcome = Cli::new(&sandbox, "new")
                    .input("resource-policy", document)
                    .input("on-scheduled-deletion", "restore")
                    .args(&[command])
                    .run();
                let what = format!("{command} {deleted} {document} {}", outcome.stderr);
                assert_eq!(outcome.code, Some(code), "{what}");
                for write in ["CreateSecret", "RestoreSecret", "PutSecretValue"] {
                    assert_eq!(call_count(&sandbox, write), 0, "{what}");
                }
            }
        }
    }
}

#[test]
fn policy_of_new_secret_is_validated_once() {
    let sandbox = Sandbox::start();
    let cli =
        Cli::new(&sandbox, "made-up").input("resource-policy", &policy_allowing("111122223333"));
    cli.run().expect(0, "created");
    let calls = operations(&sandbox);
    assert_eq!(
        calls[3..],
        [
            "ValidateResourcePolicy",
            "CreateSecret",
            "PutResourcePolicy"
        ],
        "{calls:?}"
    );
}

#[test]
fn restricted_caller_creates_then_validates() {
    let sandbox = Sandbox::start();
    restrict(&sandbox);
    let document = policy_allowing("111122223333");
    let outcome = Cli::new(&sandbox, "made-up")
        .input("resource-policy", &document)
        .run();
    outcome.expect(0, "created");
    assert!(
        outcome
            .stderr
            .contains("ValidateResourcePolicy is denied where it names no secret"),
        "{}",
        outcome.stderr
    );
    assert_eq!(call_count(&sandbox, "ValidateResourcePolicy"), 2);
    assert_eq!(policy(&sandbox), Some(document));
    let unknown_principal = policy_allowing(UNKNOWN_ROLE);
    for (document, attached) in [(LOCKOUT, false), (unknown_principal.as_str(), false)] {
        let sandbox = Sandbox::start();
        restrict(&sandbox);
        let cli = Cli::new(&sandbox, "made-up").input("resource-policy", document);
        let planned = Cli::new(&sandbox, "made-up")
            .input("resource-policy", document)
            .args(&["plan"])
            .run();
        planned.expect(0, "created");
        assert!(
            planned
                .stderr
                .contains("whether the resource policy may be attached was not checked"),
            "{}",
            planned.stderr
        );
        let outcome = cli.run();
        outcome.expect(6, "created");
        assert!(
            outcome.stderr.contains("created the secret"),
            "{}",
            outcome.stderr
        );
        assert_eq!(policy(&sandbox).is_some(), attached);
    }
}

#[test]
fn policy_is_validated_before_blind_writes() {
    let public = policy_allowing("*");
    for exists in [false, true] {
        let sandbox = if exists { existing() } else { Sandbox::start() };
        sandbox.set_policy(
            &sandbox.default_key_id(),
            Policy::deny(&[
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
            ]),
        );
        let outcome = Cli::new(&sandbox, "new")
            .input("resource-policy", &public)
            .run();
        assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
        for write in ["CreateSecret", "PutSecretValue"] {
            assert_eq!(call_count(&sandbox, write), 0);
        }
    }
}

#[test]
fn unsafe_policy_stops_transaction_unwritten() {
    let sandbox = existing();
    let manifest = format!(
        "secrets:\n  {NAME}: {{ value: {{ env: V }}, resource-policy: '{}' }}\n  other: {{ value: {{ env: V }} }}\n",
        policy_allowing("*")
    );
    let outcome = manifest_cli(&sandbox, &manifest)
        .env("V", "new")
        .input("all-or-nothing", "true")
        .run();
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
    assert_eq!(call_count(&sandbox, "CreateSecret"), 0);
    assert_eq!(call_count(&sandbox, "PutSecretValue"), 0);
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
fn time_out_quotes_unknown_principal() {
    let sandbox = existing();
    let outcome = Cli::new(&sandbox, "made-up")
        .input("resource-policy", &policy_allowing(ROLE))
        .input("timeout", "3s")
        .run();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
    for text in [
        "the run did not end within UPSERT_SECRET_TIMEOUT, which is 3 s",
        "it was waiting for AWS to know the principals of the resource policy",
        "unsupported principal",
        "next: check that the principals of the resource policy exist",
    ] {
        assert!(outcome.stderr.contains(text), "{text}: {}", outcome.stderr);
    }
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
