//! Responses that do not come from AWS: from a proxy, a firewall, a login page, or another server at the endpoint.

use insta::assert_snapshot;
use sandbox::{Fault, Sandbox};

use crate::common::{Cli, NAME, call_count, current_value, normalized_stderr};

fn fault_all(sandbox: &Sandbox, operations: &[&str], fault: &Fault) {
    for operation in operations {
        for nth in 1..=12 {
            sandbox.fault(operation, nth, fault.clone());
        }
    }
}

fn headline(text: &str) -> &str {
    text.lines()
        .find(|line| line.starts_with("error"))
        .unwrap_or_default()
}

#[test]
fn foreign_answers_to_reads_are_explained() {
    let mut all = String::new();
    for fault in [
        Fault::Page(200),
        Fault::Foreign(200, "{}"),
        Fault::Foreign(200, ""),
        Fault::Page(302),
        Fault::Page(403),
        Fault::Page(404),
        Fault::Page(407),
        Fault::BadGateway,
    ] {
        let sandbox = Sandbox::start();
        fault_all(&sandbox, &["DescribeSecret", "GetSecretValue"], &fault);
        let outcome = Cli::new(&sandbox, "made-up-value")
            .env("AWS_MAX_ATTEMPTS", "1")
            .run();
        assert_eq!(outcome.code, Some(7), "{fault:?}: {}", outcome.stderr);
        assert_eq!(call_count(&sandbox, "CreateSecret"), 0, "{fault:?}");
        // Both reads fail concurrently; it does not matter which one is reported.
        let line = headline(&outcome.stderr).replace("DescribeSecret", "GetSecretValue");
        all.push_str(&format!("{line}\n"));
    }
    assert_snapshot!(all, @r#"
    error: the response from 127.0.0.1 to GetSecretValue is not from AWS (HTTP 200)
    error: the response from 127.0.0.1 to GetSecretValue is not from AWS (HTTP 200)
    error: the response from 127.0.0.1 to GetSecretValue is not from AWS (HTTP 200)
    error: the response from 127.0.0.1 to GetSecretValue is not from AWS (HTTP 302)
    error: the response from 127.0.0.1 to GetSecretValue is not from AWS (HTTP 403)
    error: the response from 127.0.0.1 to GetSecretValue is not from AWS (HTTP 404)
    error: the response from 127.0.0.1 to GetSecretValue is not from AWS (HTTP 407)
    error: 127.0.0.1 could not serve GetSecretValue: HTTP 502, and not from AWS
    "#);
}

/// A page that reports success has changed nothing: the write is resent, although its response has no content.
#[test]
fn foreign_success_is_no_write() {
    let sandbox = Sandbox::start();
    Cli::new(&sandbox, "made-up-value")
        .run()
        .expect(0, "created");
    sandbox.fault("TagResource", 1, Fault::Page(200));
    Cli::new(&sandbox, "made-up-value")
        .input("tags", "stage=prod")
        .run()
        .expect(0, "updated");
    assert_eq!(call_count(&sandbox, "TagResource"), 2);
    sandbox.with(|world| assert_eq!(world.secret(NAME).unwrap().tags["stage"], "prod"));
}

/// A proxy that forwards the write but loses the response: the written value is found.
#[test]
fn write_with_foreign_answer_converges() {
    for status in [200, 502] {
        let sandbox = Sandbox::start();
        sandbox.fault("CreateSecret", 1, Fault::Page(status));
        let outcome = Cli::new(&sandbox, "made-up-value")
            .env("AWS_MAX_ATTEMPTS", "1")
            .run();
        outcome.expect(0, "created");
        assert_eq!(current_value(&sandbox).as_deref(), Some("made-up-value"));
    }
}

/// An AWS response that cannot be parsed is reported as such, not as a changing secret.
#[test]
fn unreadable_answer_of_aws_is_reported() {
    let sandbox = Sandbox::start();
    fault_all(&sandbox, &["DescribeSecret"], &Fault::EmptyObject);
    sandbox.with(|world| world.create(NAME, "made-up-old"));
    let outcome = Cli::new(&sandbox, "made-up-value").run();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
    assert_snapshot!(headline(&normalized_stderr(&outcome)), @"error: the response to DescribeSecret could not be read");
}
