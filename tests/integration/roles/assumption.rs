//! Assumed roles: which token is used, and what STS receives.

use std::fs;
use std::time::Duration;

use sandbox::{IdentityParameters, Role, Sandbox, Trust};

use super::{GITHUB, ROLE, cli_without_keys, github_job, logged_requests, sandbox_with_role};
use crate::common::{Cli, NAME, current_value, operations};

const GITLAB: &str = "project_path:acme/models:ref_type:branch:ref:main";

const AUDIENCE: &str = "sts.amazonaws.com";

/// The callers of Secrets Manager, without repetition.
fn callers(sandbox: &Sandbox) -> Vec<String> {
    let mut callers: Vec<_> = sandbox
        .log()
        .into_iter()
        .filter(|entry| entry.operation.contains("Secret"))
        .map(|entry| entry.caller)
        .collect();
    callers.dedup();
    callers
}

const SESSION: &str =
    "arn:aws:sts::111122223333:assumed-role/deploy/upsert-secret-acme-models-4711";

#[test]
fn github_job_assumes_role_without_keys() {
    let sandbox = sandbox_with_role();
    github_job(&sandbox).run().expect(0, "created");
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up-value"));
    // The role is assumed once, although two requests need credentials at the same time.
    let mut requests = operations(&sandbox);
    // These two are sent at the same time.
    requests[2..4].sort();
    assert_eq!(
        requests,
        [
            "GetIdToken",
            "AssumeRoleWithWebIdentity",
            "DescribeSecret",
            "GetSecretValue",
            "CreateSecret"
        ]
    );
    assert_eq!(callers(&sandbox), [SESSION]);
    assert_eq!(
        logged_requests(&sandbox, "AssumeRoleWithWebIdentity"),
        [IdentityParameters {
            role: Some(ROLE.to_owned()),
            session: Some("upsert-secret-acme-models-4711".to_owned()),
            duration: Some("900".to_owned()),
            audience: Some(AUDIENCE.to_owned()),
            external_id: None,
        }]
    );
}

#[test]
fn role_inputs_reach_sts() {
    let sandbox = sandbox_with_role();
    sandbox.add_role(Role::new(ROLE).trust(
        Trust::web_identity("token.actions.githubusercontent.com").audience("made.up & more"),
    ));
    github_job(&sandbox)
        .input("audience", "made.up & more")
        .input("role-session-name", "release@4.2")
        .input("role-duration-seconds", "1800")
        .input("allowed-account-ids", "444455556666, 111122223333")
        .run()
        .expect(0, "created");
    // The account is part of the role's ARN, so GetCallerIdentity is not needed.
    assert_eq!(logged_requests(&sandbox, "GetCallerIdentity"), []);
    assert_eq!(
        logged_requests(&sandbox, "AssumeRoleWithWebIdentity"),
        [IdentityParameters {
            role: Some(ROLE.to_owned()),
            session: Some("release@4.2".to_owned()),
            duration: Some("1800".to_owned()),
            audience: Some("made.up & more".to_owned()),
            external_id: None,
        }]
    );
}

#[test]
fn role_chaining_uses_existing_credentials() {
    let sandbox = sandbox_with_role();
    let chained = |cli: Cli| {
        cli.input("name", NAME)
            .input("value", "made-up-value")
            .input("role-to-assume", ROLE)
            .input("role-external-id", "made-up-id")
    };
    // GitHub would issue a token, but it is not used.
    let mut cli =
        chained(Cli::new(&sandbox, "made-up-value").github()).input("role-chaining", "true");
    for (name, value) in sandbox.github_oidc(GITHUB) {
        cli = cli.env(&name, &value);
    }
    cli.run().expect(0, "created");
    assert_eq!(operations(&sandbox)[0], "AssumeRole");
    assert_eq!(callers(&sandbox), [SESSION]);
    let external = logged_requests(&sandbox, "AssumeRole")
        .remove(0)
        .external_id;
    assert_eq!(external.as_deref(), Some("made-up-id"));
    // Outside GitHub, chaining is the default.
    sandbox.clear_log();
    chained(Cli::new(&sandbox, "made-up-value"))
        .run()
        .expect(0, "unchanged");
    assert_eq!(operations(&sandbox)[0], "AssumeRole");
}

#[test]
fn token_comes_from_variable_or_file() {
    let sandbox = sandbox_with_role();
    let token = sandbox.gitlab_token(GITLAB, "https://gitlab.com");
    cli_without_keys(&sandbox)
        .input("web-identity-token-env", "AWS_ID_TOKEN")
        .env("AWS_ID_TOKEN", &token)
        .run()
        .expect(0, "created");
    // On GitHub the variable takes precedence over GitHub's own token.
    github_job(&sandbox)
        .input("web-identity-token-env", "AWS_ID_TOKEN")
        .env("AWS_ID_TOKEN", &token)
        .run()
        .expect(0, "unchanged");
    assert_eq!(logged_requests(&sandbox, "GetIdToken"), []);
    // With a trailing newline, as `echo` writes it.
    let cli = cli_without_keys(&sandbox)
        .input("role-to-assume", "")
        .env("AWS_ROLE_ARN", ROLE)
        .env("AWS_ROLE_SESSION_NAME", "made-up-session");
    let file = cli.path("token");
    fs::write(&file, format!("{token}\n")).unwrap();
    sandbox.clear_log();
    cli.env("AWS_WEB_IDENTITY_TOKEN_FILE", &file.display().to_string())
        .run()
        .expect(0, "unchanged");
    assert_eq!(
        callers(&sandbox),
        ["arn:aws:sts::111122223333:assumed-role/deploy/made-up-session"]
    );
}

/// With a clock that is one hour ahead, sessions of 15 minutes look expired.
#[test]
fn wrong_clock_needs_one_token() {
    let hour = Duration::from_secs(3_600);
    for (ahead, behind) in [(Duration::ZERO, hour), (hour, Duration::ZERO)] {
        let sandbox = sandbox_with_role();
        sandbox.set_clock(ahead, behind);
        let cli = github_job(&sandbox)
            .unset("UPSERT_SECRET_NAME")
            .unset("UPSERT_SECRET_VALUE");
        let file = cli.path("secrets.yaml");
        let entry = |number| format!("  many/{number}: {{ value: {{ env: MADE_UP }} }}\n");
        let entries: String = (0..30).map(entry).collect();
        fs::write(&file, format!("secrets:\n{entries}")).unwrap();
        let outcome = cli
            .input("manifest", &file.display().to_string())
            .env("MADE_UP", "made-up-value")
            .run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert_eq!(logged_requests(&sandbox, "GetIdToken").len(), 1);
        let mut errors = sandbox.log().into_iter().filter_map(|entry| entry.error);
        assert!(errors.all(|error| error != "InvalidSignatureException"));
    }
}

#[test]
fn wrong_clock_is_corrected_for_chained_role() {
    let sandbox = sandbox_with_role();
    sandbox.set_clock(Duration::from_secs(3_600), Duration::ZERO);
    Cli::new(&sandbox, "made-up-value")
        .input("role-to-assume", ROLE)
        .input("role-external-id", "made-up-id")
        .run()
        .expect(0, "created");
    assert_eq!(logged_requests(&sandbox, "AssumeRole").len(), 2);
}

#[test]
fn disallowed_account_is_rejected() {
    let sandbox = Sandbox::start();
    let cli =
        |allowed: &str| Cli::new(&sandbox, "made-up-value").input("allowed-account-ids", allowed);
    let outcome = cli("444455556666").run();
    assert_eq!(outcome.code, Some(3));
    assert_eq!(operations(&sandbox), ["GetCallerIdentity"]);
    assert!(
        outcome
            .stderr
            .contains(&format!("belong to the account {}", sandbox.account())),
        "{}",
        outcome.stderr
    );
    cli(sandbox.account()).run().expect(0, "created");
}
