//! Roles, from the job's token to the secret, with STS, GitHub's and GitLab's issuers played by the
//! sandbox; and where credentials come from besides.

use std::fs;

use insta::assert_snapshot;
use sandbox::{Fault, IdentityParameters, Role, Sandbox, Trust};

use crate::common::{NAME, Tool, current, operations, text};

const ROLE: &str = "arn:aws:iam::111122223333:role/ci/deploy";
const GITHUB: &str = "repo:acme/models:ref:refs/heads/main";
const GITLAB: &str = "project_path:acme/models:ref_type:branch:ref:main";
const AUDIENCE: &str = "sts.amazonaws.com";

/// A sandbox with a role for the jobs of acme/models.
fn with_role() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.add_role(
        Role::new(ROLE)
            .trust(Trust::github("repo:acme/models:*"))
            .trust(Trust::gitlab(
                "https://gitlab.com",
                "project_path:acme/models:*",
            ))
            .trust(
                Trust::principal("arn:aws:iam::111122223333:user/sandbox")
                    .external_id("made-up-id"),
            ),
    );
    sandbox
}

/// The program without a key, asked to assume the role.
fn keyless(sandbox: &Sandbox) -> Tool {
    let mut tool = Tool::bare()
        .input("name", NAME)
        .input("value", "made-up-value")
        .input("role-to-assume", ROLE)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    for (name, value) in sandbox.keyless_env() {
        tool = tool.env(name, &value);
    }
    tool
}

/// As a job of GitHub's with `id-token: write`.
fn github(sandbox: &Sandbox) -> Tool {
    let mut tool = keyless(sandbox).github();
    for (name, value) in sandbox.github_oidc(GITHUB) {
        tool = tool.env(&name, &value);
    }
    tool
}

fn asked(sandbox: &Sandbox, operation: &str) -> Vec<IdentityParameters> {
    let log = sandbox.log();
    let calls = log.into_iter().filter(|entry| entry.operation == operation);
    calls.map(|entry| entry.identity).collect()
}

/// Who made the calls to Secrets Manager.
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
fn a_github_job_without_any_key() {
    let sandbox = with_role();
    github(&sandbox).run().expect(0, "created");
    assert_eq!(current(&sandbox).as_deref(), Some("made-up-value"));
    // Once for the whole run, although two requests want credentials at the same time.
    assert_eq!(
        operations(&sandbox),
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
        asked(&sandbox, "AssumeRoleWithWebIdentity"),
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
fn every_input_of_a_role_reaches_sts() {
    let sandbox = with_role();
    sandbox.add_role(Role::new(ROLE).trust(
        Trust::web_identity("token.actions.githubusercontent.com").audience("made.up & more"),
    ));
    github(&sandbox)
        .input("audience", "made.up & more")
        .input("role-session-name", "release@4.2")
        .input("role-duration-seconds", "1800")
        .input("allowed-account-ids", "444455556666, 111122223333")
        .run()
        .expect(0, "created");
    // The role's account is in its name: nobody needs to be asked.
    assert_eq!(asked(&sandbox, "GetCallerIdentity"), []);
    assert_eq!(
        asked(&sandbox, "AssumeRoleWithWebIdentity"),
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
fn one_role_from_another() {
    let sandbox = with_role();
    let chained = |tool: Tool| {
        tool.input("name", NAME)
            .input("value", "made-up-value")
            .input("role-to-assume", ROLE)
            .input("role-external-id", "made-up-id")
    };
    // With GitHub's right to ask for a token there, and not used.
    let mut tool =
        chained(Tool::new(&sandbox, "made-up-value").github()).input("role-chaining", "true");
    for (name, value) in sandbox.github_oidc(GITHUB) {
        tool = tool.env(&name, &value);
    }
    tool.run().expect(0, "created");
    assert_eq!(operations(&sandbox)[0], "AssumeRole");
    assert_eq!(callers(&sandbox), [SESSION]);
    let external = asked(&sandbox, "AssumeRole").remove(0).external_id;
    assert_eq!(external.as_deref(), Some("made-up-id"));
    // Outside GitHub it is the only way, and needs no word.
    sandbox.clear_log();
    chained(Tool::new(&sandbox, "made-up-value"))
        .run()
        .expect(0, "unchanged");
    assert_eq!(operations(&sandbox)[0], "AssumeRole");
}

#[test]
fn a_token_that_ci_puts_into_a_variable_or_a_file() {
    let sandbox = with_role();
    let token = sandbox.gitlab_token(GITLAB, "https://gitlab.com");
    keyless(&sandbox)
        .input("web-identity-token-env", "AWS_ID_TOKEN")
        .env("AWS_ID_TOKEN", &token)
        .run()
        .expect(0, "created");
    // On GitHub, too, it comes before GitHub's own.
    github(&sandbox)
        .input("web-identity-token-env", "AWS_ID_TOKEN")
        .env("AWS_ID_TOKEN", &token)
        .run()
        .expect(0, "unchanged");
    assert_eq!(asked(&sandbox, "GetIdToken"), []);
    // As `echo` writes it.
    let tool = keyless(&sandbox)
        .input("role-to-assume", "")
        .env("AWS_ROLE_ARN", ROLE)
        .env("AWS_ROLE_SESSION_NAME", "made-up-session");
    let file = tool.path("token");
    fs::write(&file, format!("{token}\n")).unwrap();
    sandbox.clear_log();
    tool.env("AWS_WEB_IDENTITY_TOKEN_FILE", &file.display().to_string())
        .run()
        .expect(0, "unchanged");
    assert_eq!(
        callers(&sandbox),
        ["arn:aws:sts::111122223333:assumed-role/deploy/made-up-session"]
    );
}

#[test]
fn what_passes_is_tried_again_with_a_fresh_token() {
    let cases: [(&str, Fault, usize, usize); 12] = [
        // Of the issuer: as many tokens as it takes, STS once.
        ("GetIdToken", Fault::Pending, 2, 1),
        ("GetIdToken", Fault::Throttle, 2, 1),
        ("GetIdToken", Fault::InternalError, 2, 1),
        ("GetIdToken", Fault::Page(504), 2, 1),
        ("GetIdToken", Fault::ResetBefore, 2, 1),
        ("GetIdToken", Fault::CutBody, 2, 1),
        ("GetIdToken", Fault::Never, 2, 1),
        // Of STS: a fresh token for each.
        ("AssumeRoleWithWebIdentity", Fault::IdpUnreachable, 2, 2),
        ("AssumeRoleWithWebIdentity", Fault::NoVerificationKey, 2, 2),
        ("AssumeRoleWithWebIdentity", Fault::InternalError, 2, 2),
        ("AssumeRoleWithWebIdentity", Fault::Throttle, 2, 2),
        ("AssumeRoleWithWebIdentity", Fault::LostAfter, 2, 2),
    ];
    for (operation, fault, tokens, assumed) in cases {
        let sandbox = with_role();
        let what = format!("{operation} {fault:?}");
        sandbox.fault(operation, 1, fault);
        let done = github(&sandbox).run();
        assert_eq!(done.code, Some(0), "{what}: {}", done.stderr);
        let counts = ["GetIdToken", "AssumeRoleWithWebIdentity"]
            .map(|operation| asked(&sandbox, operation).len());
        assert_eq!(counts, [tokens, assumed], "{what}");
    }
}

#[test]
fn what_does_not_pass_is_told_at_once() {
    let error = |status, code: &str, message: &str| Fault::Error {
        status,
        code: code.to_owned(),
        message: message.to_owned(),
    };
    let cases = [
        ("GetIdToken", error(403, "Forbidden", "made up")),
        ("GetIdToken", error(401, "Unauthorized", "made up")),
        ("GetIdToken", Fault::GarbledBody),
        ("GetIdToken", Fault::EmptyObject),
        ("GetIdToken", Fault::Oversized(100_000)),
        (
            "AssumeRoleWithWebIdentity",
            error(400, "InvalidIdentityToken", "made up"),
        ),
        (
            "AssumeRoleWithWebIdentity",
            error(400, "ExpiredTokenException", "Token too old: 441398"),
        ),
        (
            "AssumeRoleWithWebIdentity",
            error(403, "IDPRejectedClaim", "made up"),
        ),
        (
            "AssumeRoleWithWebIdentity",
            error(403, "RegionDisabledException", "made up"),
        ),
        (
            "AssumeRoleWithWebIdentity",
            error(400, "ValidationError", "made up"),
        ),
        (
            "AssumeRoleWithWebIdentity",
            error(400, "MadeUpException", "made up"),
        ),
        // Whoever answers in STS's place.
        (
            "AssumeRoleWithWebIdentity",
            error(400, "Made\nerror: up", "made up"),
        ),
        ("AssumeRoleWithWebIdentity", Fault::Page(200)),
    ];
    let mut all = String::new();
    for (operation, fault) in cases {
        let sandbox = with_role();
        let what = format!("{operation} {fault:?}");
        sandbox.fault(operation, 1, fault);
        let done = github(&sandbox).run();
        assert_eq!(asked(&sandbox, operation).len(), 1, "{what}");
        assert_eq!(current(&sandbox), None, "{what}");
        let text = text(&done);
        let (_, first) = text.lines().next().unwrap().split_once("failed::").unwrap();
        all.push_str(&format!("{} {first}\n", done.code.unwrap_or(-1)));
    }
    assert_snapshot!(all, @r#"
    3 GitHub gave no OIDC token (HTTP 403)
    3 GitHub gave no OIDC token (HTTP 401)
    7 GitHub's answer to the request for an OIDC token could not be read
    7 GitHub's answer to the request for an OIDC token could not be read
    7 GitHub's answer to the request for an OIDC token could not be read
    3 STS does not accept the OIDC token
    3 the OIDC token has expired
    3 the provider of the OIDC token rejects it
    3 STS is not switched on for this region in the account
    2 STS does not accept the request for the role arn:aws:iam::111122223333:role/ci/deploy
    3 STS answered the request for the role arn:aws:iam::111122223333:role/ci/deploy with MadeUpException
    3 STS answered the request for the role arn:aws:iam::111122223333:role/ci/deploy with HTTP 400
    7 the answer to AssumeRoleWithWebIdentity could not be read
    "#);
}

#[test]
fn a_refused_role_shows_the_claims_and_the_condition_they_would_meet() {
    let sandbox = with_role();
    let mut tool = keyless(&sandbox).github();
    let job = sandbox.github_oidc("repo:acme/other:pull_request");
    for (name, value) in &job {
        tool = tool.env(name, value);
    }
    let done = tool.run();
    assert_eq!(done.code, Some(3));
    assert_eq!(asked(&sandbox, "AssumeRoleWithWebIdentity").len(), 1);
    assert_snapshot!(text(&done), @r#"
    ::error title=upsert-secret failed::STS does not give this job the role arn:aws:iam::111122223333:role/ci/deploy
      why:  AWS says: Not authorized to perform sts:AssumeRoleWithWebIdentity
            the token says: sub = repo:acme/other:pull_request
                            aud = sts.amazonaws.com
                            iss = https://token.actions.githubusercontent.com
      next: if this job shall have the role, its trust policy must allow sts:AssumeRoleWithWebIdentity to the provider token.actions.githubusercontent.com under a condition that these claims meet, such as
              "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": "repo:acme/other:pull_request"
              }
      aws:  AssumeRoleWithWebIdentity, AccessDenied, request id [id]
      exit: 3 (no usable credentials)
    "#);
    assert!(!done.everything().contains(&job[1].1), "the bearer");
    assert!(!done.everything().contains("eyJ"), "a token");
}

#[test]
fn a_role_that_the_credentials_may_not_assume() {
    let sandbox = with_role();
    let done = Tool::new(&sandbox, "made-up-value")
        .input("role-to-assume", ROLE)
        .input("role-external-id", "made-up-other")
        .run();
    assert_eq!(done.code, Some(3));
    assert_snapshot!(text(&done), @r#"
    error: STS does not give this job the role arn:aws:iam::111122223333:role/ci/deploy
      why:  AWS says: User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/ci/deploy
      next: the role's trust policy must allow sts:AssumeRole to the caller that AWS names, with `role-external-id` if it asks for one;
            and the caller's own policy must allow sts:AssumeRole on the role
      aws:  AssumeRole, AccessDenied, request id [id]
      exit: 3 (no usable credentials)
    "#);
}

#[test]
fn an_issuer_or_an_sts_that_never_recovers() {
    let sandbox = with_role();
    for nth in 1..=20 {
        sandbox.fault("GetIdToken", nth, Fault::Pending);
    }
    let done = github(&sandbox).run();
    assert_eq!(
        (done.code, asked(&sandbox, "GetIdToken").len()),
        (Some(3), 8)
    );

    let sandbox = with_role();
    for nth in 1..=20 {
        sandbox.fault("AssumeRoleWithWebIdentity", nth, Fault::IdpUnreachable);
    }
    let done = github(&sandbox).run();
    assert_eq!(done.code, Some(7), "{}", done.stderr);
    assert_eq!(asked(&sandbox, "AssumeRoleWithWebIdentity").len(), 8);
}

/// One loop tries again, not three inside of each other, and the failure is told as what it is.
#[test]
fn an_issuer_that_is_not_there() {
    let sandbox = with_role();
    let done = github(&sandbox)
        .env(
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "http://127.0.0.1:1/?made=up",
        )
        .run();
    assert_eq!(done.code, Some(7));
    assert_snapshot!(text(&done), @r#"
    ::error title=upsert-secret failed::127.0.0.1 refused the connection
      next: check AWS_ENDPOINT_URL and its kind, and the proxy settings (HTTPS_PROXY)
      aws:  GetIdToken, 8 attempts
      exit: 7 (unavailable)
    "#);
    assert!(sandbox.log().is_empty());
}

/// STS takes five seconds to say that it cannot reach the issuer, longer than a short run's attempts:
/// they are tried again, but not at the same time.
#[test]
fn an_sts_that_is_slow() {
    let sandbox = with_role();
    sandbox.fault(
        "AssumeRoleWithWebIdentity",
        1,
        Fault::DelayAfter(std::time::Duration::from_secs(2)),
    );
    github(&sandbox)
        .input("timeout", "12s")
        .run()
        .expect(0, "created");
    assert_eq!(asked(&sandbox, "AssumeRoleWithWebIdentity").len(), 1);
}

#[test]
fn credentials_of_another_account() {
    let sandbox = Sandbox::start();
    let tool =
        |allowed: &str| Tool::new(&sandbox, "made-up-value").input("allowed-account-ids", allowed);
    let done = tool("444455556666").run();
    assert_eq!(done.code, Some(3));
    assert_eq!(operations(&sandbox), ["GetCallerIdentity"]);
    assert!(
        done.stderr
            .contains(&format!("of the account {}", sandbox.account())),
        "{}",
        done.stderr
    );
    tool(sandbox.account()).run().expect(0, "created");
}

#[test]
fn no_credentials_anywhere_names_the_two_usual_fixes() {
    let sandbox = Sandbox::start();
    let done = keyless(&sandbox).input("role-to-assume", "").run();
    assert_eq!(done.code, Some(3));
    assert_snapshot!(text(&done), @r#"
    error: no AWS credentials were found
      why:  looked at the environment (AWS_ACCESS_KEY_ID …), the shared configuration files, AWS_WEB_IDENTITY_TOKEN_FILE, the container's and the instance's metadata services
      next: in GitHub Actions give the job `permissions: id-token: write` and this step `role-to-assume`;
            in GitLab give it `id_tokens`, and name the token in `web-identity-token-env` (the component does);
            elsewhere set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary keys)
      exit: 3 (no usable credentials)
    "#);
    let done = keyless(&sandbox).github().run();
    assert_eq!(done.code, Some(3));
    assert_snapshot!(text(&done), @r#"
    ::error title=upsert-secret failed::GitHub gives this job no OIDC token, so it cannot assume the role
      next: give the job `permissions: id-token: write` (a pull request from a fork cannot have it);
            to assume the role with credentials that are there already, set `role-chaining: true`
      exit: 3 (no usable credentials)
    "#);
    assert!(sandbox.log().is_empty());
}

/// Tokens, keys and the right to ask for them stay inside, whatever goes wrong, with debugging on.
#[test]
fn no_token_and_no_key_is_ever_seen() {
    let faults = [
        None,
        Some(("GetIdToken", Fault::MalformedBody)),
        Some(("GetIdToken", Fault::CutBody)),
        Some(("AssumeRoleWithWebIdentity", Fault::AccessDenied)),
        Some(("AssumeRoleWithWebIdentity", Fault::MalformedBody)),
        Some(("AssumeRoleWithWebIdentity", Fault::CutBody)),
        Some(("CreateSecret", Fault::BadSignature)),
        Some(("CreateSecret", Fault::ExpiredToken)),
    ];
    for fault in faults {
        let sandbox = with_role();
        let what = format!("{fault:?}");
        if let Some((operation, fault)) = fault {
            for nth in 1..=8 {
                sandbox.fault(operation, nth, fault.clone());
            }
        }
        let mut tool = keyless(&sandbox)
            .github()
            .env("RUNNER_DEBUG", "1")
            .more_arguments(&["--format", "json"]);
        let job = sandbox.github_oidc(GITHUB);
        for (name, value) in &job {
            tool = tool.env(name, value);
        }
        let done = tool.run();
        let seen = done.everything();
        // How tokens of OIDC, session tokens and temporary keys begin.
        for start in [job[1].1.as_str(), "eyJ", "IQoJb3Jp", "ASIA"] {
            assert!(!seen.contains(start), "{what}: {seen}");
        }
        assert!(
            seen.contains("debug: GetIdToken attempt 1"),
            "{what}: {seen}"
        );
    }
}
