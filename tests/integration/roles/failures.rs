//! Roles that cannot be assumed: what is retried, what is reported, and that neither tokens nor keys are printed.

use insta::assert_snapshot;
use sandbox::{Fault, Sandbox};

use super::{GITHUB, ROLE, cli_without_keys, github_job, logged_requests, sandbox_with_role};
use crate::common::{Cli, current_value, normalized_stderr};

#[test]
fn transient_errors_retry_with_fresh_token() {
    let cases: [(&str, Fault, usize, usize); 12] = [
        // Issuer errors: the token is requested again, STS is called once.
        ("GetIdToken", Fault::Pending, 2, 1),
        ("GetIdToken", Fault::Throttle, 2, 1),
        ("GetIdToken", Fault::InternalError, 2, 1),
        ("GetIdToken", Fault::Page(504), 2, 1),
        ("GetIdToken", Fault::ResetBefore, 2, 1),
        ("GetIdToken", Fault::CutBody, 2, 1),
        ("GetIdToken", Fault::Never, 2, 1),
        // STS errors: each attempt uses a fresh token.
        ("AssumeRoleWithWebIdentity", Fault::IdpUnreachable, 2, 2),
        ("AssumeRoleWithWebIdentity", Fault::NoVerificationKey, 2, 2),
        ("AssumeRoleWithWebIdentity", Fault::InternalError, 2, 2),
        ("AssumeRoleWithWebIdentity", Fault::Throttle, 2, 2),
        ("AssumeRoleWithWebIdentity", Fault::LostAfter, 2, 2),
    ];
    for (operation, fault, tokens, assumed) in cases {
        let sandbox = sandbox_with_role();
        let context = format!("{operation} {fault:?}");
        sandbox.fault(operation, 1, fault);
        let outcome = github_job(&sandbox).run();
        assert_eq!(outcome.code, Some(0), "{context}: {}", outcome.stderr);
        let counts = ["GetIdToken", "AssumeRoleWithWebIdentity"]
            .map(|operation| logged_requests(&sandbox, operation).len());
        assert_eq!(counts, [tokens, assumed], "{context}");
    }
}

#[test]
fn permanent_errors_are_not_retried() {
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
        // Another server responds in place of STS.
        (
            "AssumeRoleWithWebIdentity",
            error(400, "Made\nerror: up", "made up"),
        ),
        ("AssumeRoleWithWebIdentity", Fault::Page(200)),
    ];
    let mut all = String::new();
    for (operation, fault) in cases {
        let sandbox = sandbox_with_role();
        let context = format!("{operation} {fault:?}");
        sandbox.fault(operation, 1, fault);
        let outcome = github_job(&sandbox).run();
        assert_eq!(logged_requests(&sandbox, operation).len(), 1, "{context}");
        assert_eq!(current_value(&sandbox), None, "{context}");
        let text = normalized_stderr(&outcome);
        let (_, first) = text.lines().next().unwrap().split_once("failed::").unwrap();
        all.push_str(&format!("{} {first}\n", outcome.code.unwrap_or(-1)));
    }
    assert_snapshot!(all, @r#"
    3 GitHub issued no OIDC token (HTTP 403)
    3 GitHub issued no OIDC token (HTTP 401)
    7 the response from 127.0.0.1 to the request for an OIDC token is not from GitHub (HTTP 200)
    7 the response from 127.0.0.1 to the request for an OIDC token is not from GitHub (HTTP 200)
    7 the response from 127.0.0.1 to the request for an OIDC token is not from GitHub (HTTP 200)
    3 STS rejected the OIDC token
    3 the OIDC token has expired
    3 the OIDC provider rejected the token
    3 STS is not enabled in this region for the account
    2 STS rejected the request for the role arn:aws:iam::111122223333:role/ci/deploy
    3 STS rejected the request for the role arn:aws:iam::111122223333:role/ci/deploy with MadeUpException
    3 STS rejected the request for the role arn:aws:iam::111122223333:role/ci/deploy with HTTP 400
    7 the response from 127.0.0.1 to AssumeRoleWithWebIdentity is not from AWS (HTTP 200)
    "#);
}

#[test]
fn denied_role_shows_claims_and_condition() {
    let sandbox = sandbox_with_role();
    let mut cli = cli_without_keys(&sandbox).github();
    let job = sandbox.github_oidc("repo:acme/other:pull_request");
    for (name, value) in &job {
        cli = cli.env(name, value);
    }
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(3));
    assert_eq!(
        logged_requests(&sandbox, "AssumeRoleWithWebIdentity").len(),
        1
    );
    assert_snapshot!(normalized_stderr(&outcome), @r#"
    ::error title=upsert-secret failed::STS refused to let this job assume the role arn:aws:iam::111122223333:role/ci/deploy
      why:  AWS answered: Not authorized to perform sts:AssumeRoleWithWebIdentity
            claims of the token: sub = repo:acme/other:pull_request
                                 aud = sts.amazonaws.com
                                 iss = https://token.actions.githubusercontent.com
      next: if this job is to assume the role, its trust policy must allow sts:AssumeRoleWithWebIdentity to the provider token.actions.githubusercontent.com under a condition that these claims meet, such as
              "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": "repo:acme/other:pull_request"
              }
      aws:  AssumeRoleWithWebIdentity, AccessDenied, request id [id]
      exit: 3 (no usable credentials)
    "#);
    assert!(!outcome.all_output().contains(&job[1].1), "the bearer");
    assert!(!outcome.all_output().contains("eyJ"), "a token");
}

#[test]
fn token_of_another_kind_is_explained() {
    let sandbox = sandbox_with_role();
    let outcome = cli_without_keys(&sandbox)
        .input("web-identity-token-env", "AWS_ID_TOKEN")
        .env("AWS_ID_TOKEN", "glpat-made-up-access-token")
        .run();
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    let first = outcome.stderr.lines().next().unwrap();
    assert_eq!(first, "error: the OIDC token is not a JSON Web Token (JWT)");
    assert!(!outcome.all_output().contains("glpat-made-up"));
}

#[test]
fn denied_chained_role_is_explained() {
    let sandbox = sandbox_with_role();
    let outcome = Cli::new(&sandbox, "made-up-value")
        .input("role-to-assume", ROLE)
        .input("role-external-id", "made-up-other")
        .run();
    assert_eq!(outcome.code, Some(3));
    assert_snapshot!(normalized_stderr(&outcome), @r#"
    error: STS refused to let this job assume the role arn:aws:iam::111122223333:role/ci/deploy
      why:  AWS answered: User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/ci/deploy
      next: the role's trust policy must allow sts:AssumeRole to the caller that AWS names, with UPSERT_SECRET_ROLE_EXTERNAL_ID if the policy requires one;
            and the caller's own policy must allow sts:AssumeRole on the role
      aws:  AssumeRole, AccessDenied, request id [id]
      exit: 3 (no usable credentials)
    "#);
}

#[test]
fn persistent_errors_stop_after_eight_attempts() {
    let sandbox = sandbox_with_role();
    for nth in 1..=20 {
        sandbox.fault("GetIdToken", nth, Fault::Pending);
    }
    let outcome = github_job(&sandbox).run();
    assert_eq!(
        (outcome.code, logged_requests(&sandbox, "GetIdToken").len()),
        (Some(3), 8)
    );

    let sandbox = sandbox_with_role();
    for nth in 1..=20 {
        sandbox.fault("AssumeRoleWithWebIdentity", nth, Fault::IdpUnreachable);
    }
    let outcome = github_job(&sandbox).run();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
    assert_eq!(
        logged_requests(&sandbox, "AssumeRoleWithWebIdentity").len(),
        8
    );
}

/// Retries are not nested, and the error is reported as a connection error.
#[test]
fn unreachable_issuer_is_reported() {
    let sandbox = sandbox_with_role();
    let outcome = github_job(&sandbox)
        .env(
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "http://127.0.0.1:1/?made=up",
        )
        .run();
    assert_eq!(outcome.code, Some(7));
    assert_snapshot!(normalized_stderr(&outcome), @r#"
    ::error title=upsert-secret failed::127.0.0.1 refused the connection
      next: check AWS_ENDPOINT_URL and its variants, and the proxy settings (HTTPS_PROXY)
      aws:  GetIdToken, 8 attempts
      exit: 7 (unavailable)
    "#);
    assert!(sandbox.log().is_empty());
}

/// STS may take seconds to respond. A slow response must not cause a second attempt.
#[test]
fn slow_sts_is_called_once() {
    let sandbox = sandbox_with_role();
    sandbox.fault(
        "AssumeRoleWithWebIdentity",
        1,
        Fault::DelayAfter(std::time::Duration::from_secs(2)),
    );
    github_job(&sandbox)
        .input("timeout", "12s")
        .run()
        .expect(0, "created");
    assert_eq!(
        logged_requests(&sandbox, "AssumeRoleWithWebIdentity").len(),
        1
    );
}

#[test]
fn missing_credentials_suggest_fixes() {
    let sandbox = Sandbox::start();
    let outcome = cli_without_keys(&sandbox).input("role-to-assume", "").run();
    assert_eq!(outcome.code, Some(3));
    assert_snapshot!(normalized_stderr(&outcome), @r#"
    error: no AWS credentials were found
      why:  searched: the environment (AWS_ACCESS_KEY_ID …), the shared configuration files, AWS_WEB_IDENTITY_TOKEN_FILE, the container's and the instance's metadata services
      next: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary keys)
      exit: 3 (no usable credentials)
    "#);
    let outcome = cli_without_keys(&sandbox).github().run();
    assert_eq!(outcome.code, Some(3));
    assert_snapshot!(normalized_stderr(&outcome), @r#"
    ::error title=upsert-secret failed::GitHub issues no OIDC token to this job, so it cannot assume the role
      next: give the job `permissions: id-token: write` (a pull request from a fork cannot have it);
            to assume the role with existing credentials, set UPSERT_SECRET_ROLE_CHAINING=true
      exit: 3 (no usable credentials)
    "#);
    assert!(sandbox.log().is_empty());
}

/// OIDC tokens, access keys and the bearer token that requests them are not printed, whatever
/// fails, with debug output on.
#[test]
fn tokens_and_keys_never_leak() {
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
        let sandbox = sandbox_with_role();
        let context = format!("{fault:?}");
        if let Some((operation, fault)) = fault {
            for nth in 1..=8 {
                sandbox.fault(operation, nth, fault.clone());
            }
        }
        let mut cli = cli_without_keys(&sandbox)
            .github()
            .env("RUNNER_DEBUG", "1")
            .extra_args(&["--format", "json"]);
        let job = sandbox.github_oidc(GITHUB);
        for (name, value) in &job {
            cli = cli.env(name, value);
        }
        let outcome = cli.run();
        let seen = outcome.all_output();
        // Prefixes of OIDC tokens, session tokens and temporary access keys.
        for start in [job[1].1.as_str(), "eyJ", "IQoJb3Jp", "ASIA"] {
            assert!(!seen.contains(start), "{context}: {seen}");
        }
        assert!(
            seen.contains("debug: GetIdToken attempt 1"),
            "{context}: {seen}"
        );
    }
}
