//! How STS validates a web identity token.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sandbox::{Role, Trust, client::Reply};
use serde_json::{Value, json};

use crate::{AUDIENCE, ROLE, STS, SUB, assume, fails_with, job, untrusted};

/// The claims of a token, without verifying it.
pub(crate) fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("three parts");
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn invalid_tokens_are_rejected() {
    let (sandbox, client, job) = job();
    let invalid = |reply: &Reply, text: &str| fails_with(reply, 400, "InvalidIdentityToken", text);
    let no_jwt = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
    invalid(&assume(&client, "junk"), no_jwt);
    let hour = Duration::from_secs(3600);
    let elsewhere = sandbox.id_token("https://ci.example.com", SUB, AUDIENCE, hour);
    invalid(
        &assume(&client, &elsewhere),
        "No OpenIDConnect provider found in your account for https://ci.example.com",
    );
    let github = "https://token.actions.githubusercontent.com";
    let wrong = sandbox.id_token(github, SUB, "https://github.com/acme", hour);
    invalid(&assume(&client, &wrong), "Incorrect token audience");
    untrusted(&assume(
        &client,
        &sandbox.id_token(github, "repo:evil/app:x", AUDIENCE, hour),
    ));

    // A changed token, and one signed with the key of another issuer.
    let good = job.token();
    let parts: Vec<&str> = good.split('.').collect();
    let mut says = claims(&good);
    says["sub"] = json!("repo:acme/app:pull_request");
    let forged = [
        parts[0],
        &URL_SAFE_NO_PAD.encode(says.to_string()),
        parts[2],
    ]
    .join(".");
    let unsigned = [parts[0], parts[1], ""].join(".");
    let foreign = elsewhere.split('.').nth(2).expect("a signature");
    let swapped = [parts[0], parts[1], foreign].join(".");
    for token in [forged, unsigned, swapped] {
        assert_eq!(assume(&client, &token).code(), "InvalidIdentityToken");
    }
    assert_eq!(assume(&client, &good).status, 200);

    sandbox.advance_clock(Duration::from_secs(270));
    assert_eq!(assume(&client, &good).status, 200);
    sandbox.advance_clock(Duration::from_secs(31));
    let late = assume(&client, &good);
    assert_eq!(
        (late.status, late.code().as_str()),
        (400, "ExpiredTokenException")
    );
    assert!(
        late.message()
            .starts_with("Token expired: current date/time "),
        "{}",
        late.message()
    );
}

#[test]
fn trust_requires_all_its_conditions() {
    let (sandbox, client, job) = job();
    let trust = Trust::web_identity("token.actions.githubusercontent.com");
    let trusting = |trust: Trust| {
        sandbox.add_role(Role::new(ROLE).trust(trust));
        assume(&client, &job.token())
    };
    assert_eq!(trusting(trust.clone()).status, 200);
    assert_eq!(trusting(trust.clone().subject(SUB)).status, 200);
    untrusted(&trusting(
        trust
            .clone()
            .subject("repo:acme/app:ref:refs/heads/*-release"),
    ));
    // The account's provider accepts the audience, the role's trust policy does not.
    sandbox.add_oidc_provider(
        "111122223333",
        "https://token.actions.githubusercontent.com",
        AUDIENCE,
    );
    untrusted(&trusting(trust.audience("another")));
    // Another issuer with the same subject, which the account knows but the role does not trust.
    sandbox.add_role(Role::new(ROLE).trust(Trust::github("*")));
    sandbox.add_oidc_provider("111122223333", "https://gitlab.com", AUDIENCE);
    untrusted(&assume(&client, &sandbox.gitlab_token(SUB, AUDIENCE)));
    // A missing role in an account that has the provider.
    let parameters = [
        ("RoleArn", "arn:aws:iam::111122223333:role/absent"),
        ("RoleSessionName", "ci"),
        ("WebIdentityToken", &job.token()),
    ];
    untrusted(&client.sts_unsigned(STS, &parameters).expect("a response"));
}

#[test]
fn oidc_providers_are_per_account() {
    let (sandbox, client, job) = job();
    let elsewhere = "arn:aws:iam::444455556666:role/release";
    sandbox.add_role(Role::new(elsewhere).trust(Trust::account("111122223333")));
    let ask = || {
        let parameters = [
            ("RoleArn", elsewhere),
            ("RoleSessionName", "ci"),
            ("WebIdentityToken", &job.token()),
        ];
        client.sts_unsigned(STS, &parameters).expect("a response")
    };
    let text = "No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com";
    fails_with(&ask(), 400, "InvalidIdentityToken", text);
    sandbox.add_role(Role::new(elsewhere).trust(Trust::github("repo:acme/*")));
    let arn = ask().element("Arn");
    assert_eq!(arn, "arn:aws:sts::444455556666:assumed-role/release/ci");
}

#[test]
fn parameters_are_checked_before_token() {
    let (_sandbox, client, job) = job();
    let token = job.token();
    let ask = |name: &str, duration: &str, token: &str| {
        let parameters = [
            ("RoleArn", ROLE),
            ("RoleSessionName", name),
            ("DurationSeconds", duration),
            ("WebIdentityToken", token),
        ];
        client.sts_unsigned(STS, &parameters).expect("a response")
    };
    let pattern = ask("a b", "900", &token);
    assert!(
        pattern
            .message()
            .ends_with(r"regular expression pattern: [\w+=,.@-]*")
    );
    assert_eq!(ask("ci", "899", &token).code(), "ValidationError");
    fails_with(
        &ask("ci", "3601", &token),
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );
    let long = "x".repeat(20_001);
    let too_long = ask("ci", "900", &long);
    assert_eq!(too_long.code(), "ValidationError");
    assert!(!too_long.body.contains("xxx"), "a token is not shown");
    assert_eq!(ask("ci", "900", &token).status, 200);
}
