//! Names that end in a hyphen and six characters, as ARNs do.

use sandbox::{Policy, Sandbox};

use crate::common::{Cli, Outcome, call_count};

fn upsert(sandbox: &Sandbox, name: &str, command: &str) -> Outcome {
    Cli::new(sandbox, "made-up")
        .input("name", name)
        .args(&[command])
        .run()
}

#[test]
fn creating_a_suffixed_name_is_warned_of() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("m/key", "made-up"));
    let arn = sandbox.with(|world| world.secret("m/key").unwrap().arn);
    let (_, pasted) = arn.split_once(":secret:").unwrap();
    for (name, wanted) in [
        (pasted, "is the end of the ARN of m/key, which exists"),
        ("m/key-abcdef", "like an ARN of m/key, which exists"),
        ("m/other-abcdef", "like the ARN of another secret"),
    ] {
        for (command, result) in [("plan", "created"), ("upsert", "created")] {
            let outcome = upsert(&sandbox, name, command);
            outcome.expect(0, result);
            let warning = format!("warning: the name {name}");
            let exact = format!("warning: {name} is the end");
            assert!(outcome.stderr.contains(wanted), "{name} {}", outcome.stderr);
            assert!(
                outcome.stderr.contains(&warning) || outcome.stderr.contains(&exact),
                "{name} {}",
                outcome.stderr
            );
        }
        // An existing secret is no reason to warn.
        let outcome = upsert(&sandbox, name, "upsert");
        outcome.expect(0, "unchanged");
        assert!(
            !outcome.stderr.contains("warning: the name"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn ordinary_name_needs_no_further_call() {
    for name in ["m/key", "m/key-abcde", "m/key-abcdefg", "m-abc.ef"] {
        let sandbox = Sandbox::start();
        let outcome = upsert(&sandbox, name, "upsert");
        outcome.expect(0, "created");
        assert!(
            !outcome.stderr.contains("warning"),
            "{name} {}",
            outcome.stderr
        );
        assert_eq!(call_count(&sandbox, "DescribeSecret"), 1, "{name}");
    }
}

#[test]
fn denied_look_at_the_shorter_name_is_no_failure() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("m/key", "made-up"));
    sandbox.set_policy(
        &sandbox.default_key_id(),
        Policy::from_json(
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
            {"Effect":"Deny","Action":"secretsmanager:DescribeSecret",
             "Resource":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:m/key-??????",
             "Condition":{"StringEquals":{"secretsmanager:SecretId":"m/key"}}}]}"#,
        ),
    );
    let outcome = upsert(&sandbox, "m/key-abcdef", "upsert");
    outcome.expect(0, "created");
    assert!(
        outcome.stderr.contains("like the ARN of another secret"),
        "{}",
        outcome.stderr
    );
}
