//! From a CI job's permission to request a token to a session of a role.

use std::collections::BTreeMap;

use sandbox::{Role, Sandbox, Trust, client::Client};
use serde_json::json;

use crate::{AUDIENCE, ROLE, STS, SUB, assume, job, tokens::claims, untrusted};

#[test]
fn github_job_token_gives_session() {
    let (sandbox, client, job) = job();
    sandbox.with(|world| world.create("app", "v1"));
    let token = job.token();
    let says = claims(&token);
    assert_eq!(says["iss"], "https://token.actions.githubusercontent.com");
    assert_eq!(
        (&says["sub"], &says["aud"]),
        (&json!(SUB), &json!(AUDIENCE))
    );
    assert_eq!(says["repository_owner"], "acme");
    let lasts = says["exp"].as_u64().expect("exp") - says["iat"].as_u64().expect("iat");
    assert_eq!(lasts, 300);

    let answer = assume(&client, &token);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("text/xml"));
    assert_eq!(answer.element("SubjectFromWebIdentityToken"), SUB);
    assert_eq!(answer.element("Audience"), AUDIENCE);
    assert_eq!(
        answer.element("Provider"),
        "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
    );
    let got = client
        .with_session(&answer)
        .call("GetSecretValue", &json!({"SecretId": "app"}))
        .expect("a response");
    assert_eq!(got.json()["SecretString"], "v1");

    let log = sandbox.log();
    let operations: Vec<_> = log.iter().map(|entry| entry.operation.as_str()).collect();
    assert_eq!(operations, ["GetIdToken", STS, "GetSecretValue"]);
    assert_eq!(log[0].identity.audience.as_deref(), Some(AUDIENCE));
    assert_eq!(log[1].identity.audience.as_deref(), Some(AUDIENCE));
    assert_eq!(log[1].identity.role.as_deref(), Some(ROLE));
    assert_eq!(
        (log[1].principal.as_str(), log[1].caller.as_str()),
        ("", "")
    );
    assert_eq!(
        log[2].caller,
        "arn:aws:sts::111122223333:assumed-role/release/ci"
    );
    let page = client.get("/_sandbox/log").expect("a response").body;
    for text in [format!("{log:?}"), page] {
        assert!(
            !text.contains(&token) && !text.contains(&job.bearer),
            "{text}"
        );
    }
}

#[test]
fn issuer_rejects_bad_requests() {
    let (sandbox, _, mut job) = job();
    assert!(job.url.contains('?'), "GitHub's URL has a query already");
    let owner = claims(
        job.ask("").expect("a response").json()["value"]
            .as_str()
            .expect("a token"),
    );
    assert_eq!(owner["aud"], "https://github.com/acme");
    let reply = job
        .client
        .plain("GET", &job.url, &[], "")
        .expect("a response");
    assert_eq!((reply.status, reply.json()["value"].is_null()), (401, true));
    let url = job.url.clone();
    let bearer = std::mem::replace(&mut job.bearer, "another".to_owned());
    assert_eq!(job.ask("").expect("a response").status, 401);
    job.bearer = bearer;
    url.split_once('?')
        .expect("a query")
        .0
        .clone_into(&mut job.url);
    assert_eq!(job.ask("").expect("a response").status, 400);
    job.url = format!("{}/1//idtoken/no/job?api-version=2.0", sandbox.url());
    assert_eq!(job.ask("").expect("a response").status, 404);
    job.url = url.clone();
    let posted = job.client.plain("POST", &url, &[], "").expect("a response");
    assert_eq!(posted.status, 405);
    // The bearer token of another job is rejected.
    let other: BTreeMap<_, _> = sandbox.github_oidc(SUB).into_iter().collect();
    other["ACTIONS_ID_TOKEN_REQUEST_TOKEN"].clone_into(&mut job.bearer);
    assert_eq!(job.ask("").expect("a response").status, 401);
}

#[test]
fn gitlab_token_has_its_own_issuer() {
    let sandbox = Sandbox::start();
    sandbox.add_role(Role::new(ROLE).trust(Trust::gitlab(
        "https://gitlab.com",
        "project_path:acme/app:*",
    )));
    let client = Client::new(&sandbox.url());
    let sub = "project_path:acme/app:ref_type:branch:ref:main";
    let token = sandbox.gitlab_token(sub, "https://gitlab.com");
    assert_eq!(claims(&token)["iss"], "https://gitlab.com");
    let answer = assume(&client, &token);
    assert_eq!(
        answer.element("SubjectFromWebIdentityToken"),
        sub,
        "{}",
        answer.body
    );
    untrusted(&assume(
        &client,
        &sandbox.gitlab_token("project_path:evil/app:x", "https://gitlab.com"),
    ));
}
