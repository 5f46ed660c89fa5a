//! AssumeRole: who may assume a role, for how long, and what the session is allowed.

use std::time::Duration;

use sandbox::{
    Key, Policy, Role, Sandbox, Trust,
    client::{Client, Reply},
};
use serde_json::json;

use crate::fails_with;

const ROLE: &str = "arn:aws:iam::111122223333:role/ci/release";
const DEFAULT_USER: &str = "arn:aws:iam::111122223333:user/sandbox";

fn assume(client: &Client, more: &[(&str, &str)]) -> Reply {
    let mut parameters = vec![("RoleArn", ROLE), ("RoleSessionName", "run-7")];
    parameters.retain(|(name, _)| !more.iter().any(|(given, _)| given == name));
    parameters.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    client
        .sts_with("AssumeRole", &parameters)
        .expect("a response")
}

fn denied(reply: &Reply, who: &str) {
    let text =
        format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {ROLE}");
    fails_with(reply, 403, "AccessDenied", &text);
}

/// A sandbox with the role, and a client with the default key.
fn with_role(change: impl FnOnce(Role) -> Role) -> (Sandbox, Client) {
    let sandbox = Sandbox::start();
    sandbox.add_role(change(Role::new(ROLE)));
    let client = Client::new(&sandbox.url());
    (sandbox, client)
}

/// A user of another account, and a client with its key.
fn stranger(sandbox: &Sandbox, policy: Policy) -> Client {
    sandbox.add_key(Key {
        id: "AKIASTRANGER".to_owned(),
        secret: "strange".to_owned(),
        session_token: None,
        account: "444455556666".to_owned(),
        user_arn: "arn:aws:iam::444455556666:user/stranger".to_owned(),
        policy,
        expires: None,
    });
    Client {
        key_id: "AKIASTRANGER".to_owned(),
        secret: "strange".to_owned(),
        ..Client::new(&sandbox.url())
    }
}

#[test]
fn session_follows_role_policy_until_it_expires() {
    let read = r#"{"Statement":{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"}}"#;
    let (sandbox, client) = with_role(|role| {
        role.policy(Policy::from_json(read))
            .trust(Trust::principal(DEFAULT_USER))
    });
    sandbox.with(|world| world.create("app", "v1"));
    let answer = assume(&client, &[]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.element("Arn"),
        "arn:aws:sts::111122223333:assumed-role/release/run-7"
    );
    let id = answer.element("AssumedRoleId");
    assert!(id.starts_with("AROA") && id.ends_with(":run-7"), "{id}");
    assert_eq!(answer.element("AccessKeyId").len(), 20);
    assert!(answer.element("AccessKeyId").starts_with("ASIA"));
    assert_eq!(
        answer.element("Expiration").len(),
        "2026-01-01T00:00:00Z".len()
    );

    let session = client.with_session(&answer);
    let get = || {
        session
            .call("GetSecretValue", &json!({"SecretId": "app"}))
            .expect("a response")
    };
    assert_eq!(get().json()["SecretString"], "v1");
    let put =
        json!({"SecretId": "app", "SecretString": "v2", "ClientRequestToken": "0".repeat(32)});
    let put = session.call("PutSecretValue", &put).expect("a response");
    assert_eq!(put.code(), "AccessDeniedException");
    assert!(
        put.message()
            .starts_with("User: arn:aws:sts::111122223333:assumed-role/release/run-7 is not"),
        "{}",
        put.message()
    );
    let identity = session.sts("GetCallerIdentity").expect("a response");
    assert_eq!(identity.element("UserId"), id);
    let entry = &sandbox.log()[1];
    assert_eq!(entry.principal, answer.element("AccessKeyId"));
    assert_eq!(
        entry.caller,
        "arn:aws:sts::111122223333:assumed-role/release/run-7"
    );

    sandbox.advance_clock(Duration::from_secs(3590));
    assert_eq!(get().status, 200);
    sandbox.advance_clock(Duration::from_secs(11));
    assert_eq!(get().code(), "ExpiredTokenException");
    assert_eq!(sandbox.log().last().expect("one").caller, "");
}

#[test]
fn log_records_parameters_and_caller() {
    let (sandbox, client) = with_role(|role| role.trust(Trust::account("111122223333")));
    let more = [("DurationSeconds", "900"), ("ExternalId", "any")];
    assert_eq!(assume(&client, &more).status, 200);
    let entry = sandbox.log().pop().expect("one");
    assert_eq!(
        (entry.operation.as_str(), entry.applied),
        ("AssumeRole", true)
    );
    assert_eq!(entry.caller, DEFAULT_USER);
    assert_eq!(entry.identity.role.as_deref(), Some(ROLE));
    assert_eq!(entry.identity.session.as_deref(), Some("run-7"));
    assert_eq!(entry.identity.duration.as_deref(), Some("900"));
    assert_eq!(entry.identity.external_id.as_deref(), Some("any"));
    assert_eq!(entry.identity.audience, None);
    let page = client.get("/_sandbox/log").expect("a response").body;
    assert!(
        page.contains("\"session\":\"run-7\"") && page.contains(DEFAULT_USER),
        "{page}"
    );
}

#[test]
fn constraint_violations_are_quoted() {
    let (_sandbox, client) = with_role(|role| role.trust(Trust::principal(DEFAULT_USER)));
    let (name, duration) = ("RoleSessionName", "DurationSeconds");
    let pattern = r"satisfy regular expression pattern: [\w+=,.@-]*";
    let long = "s".repeat(65);
    for (parameter, value, member, rule) in [
        (name, "a b", "roleSessionName", pattern),
        (name, "é__", "roleSessionName", pattern),
        (
            name,
            "x",
            "roleSessionName",
            "have length greater than or equal to 2",
        ),
        (
            name,
            &long,
            "roleSessionName",
            "have length less than or equal to 64",
        ),
        (name, "", "roleSessionName", "not be null"),
        (
            duration,
            "60",
            "durationSeconds",
            "have value greater than or equal to 900",
        ),
        (
            duration,
            "43201",
            "durationSeconds",
            "have value less than or equal to 43200",
        ),
        (
            "RoleArn",
            "arn:aws:iam::1:role",
            "roleArn",
            "have length greater than or equal to 20",
        ),
    ] {
        let shown = match value {
            "" => "null".to_owned(),
            value => format!("'{value}'"),
        };
        let message = format!(
            "1 validation error detected: Value {shown} at '{member}' failed to satisfy constraint: Member must {rule}"
        );
        let reply = assume(&client, &[(parameter, value)]);
        fails_with(&reply, 400, "ValidationError", &message);
    }
    let two = assume(&client, &[(name, "x"), (duration, "1")]).message();
    assert!(two.starts_with("2 validation errors detected: "), "{two}");
}

#[test]
fn invalid_requests_are_rejected() {
    let (_sandbox, client) = with_role(|role| role.trust(Trust::principal(DEFAULT_USER)));
    for arn in ["nothing-valid-in-here", "arn:a:::something/test-role"] {
        let reply = assume(&client, &[("RoleArn", arn)]);
        fails_with(&reply, 400, "ValidationError", &format!("{arn} is invalid"));
    }
    let unmodeled = assume(&client, &[("Policy", "{}")]);
    let unknown = client.sts("GetSessionToken").expect("a response");
    let unsigned = client.sts_unsigned("AssumeRole", &[]).expect("a response");
    for (reply, status, code) in [
        (unmodeled, 501, "NotImplemented"),
        (unknown, 400, "InvalidAction"),
        (unsigned, 403, "MissingAuthenticationToken"),
    ] {
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
    }
}

#[test]
fn role_without_trust_denies_everyone() {
    let (sandbox, client) = with_role(|role| role);
    denied(&assume(&client, &[]), DEFAULT_USER);
    // A missing role gives the same error.
    let absent = assume(
        &client,
        &[("RoleArn", "arn:aws:iam::111122223333:role/absent")],
    );
    assert_eq!(
        (absent.status, absent.code().as_str()),
        (403, "AccessDenied")
    );
    sandbox
        .add_role(Role::new(ROLE).trust(Trust::principal("arn:aws:iam::111122223333:user/other")));
    denied(&assume(&client, &[]), DEFAULT_USER);
}

#[test]
fn account_trust_needs_caller_policy() {
    let nothing = Policy::from_json(r#"{"Statement":[]}"#);
    let (sandbox, client) = with_role(|role| role.trust(Trust::account("111122223333")));
    let key = sandbox.default_key_id();
    assert_eq!(assume(&client, &[]).status, 200);
    sandbox.set_policy(&key, nothing.clone());
    denied(&assume(&client, &[]), DEFAULT_USER);
    // Within one account, trust in the caller is enough unless its policy denies the action.
    sandbox.add_role(Role::new(ROLE).trust(Trust::principal(DEFAULT_USER)));
    assert_eq!(assume(&client, &[]).status, 200);
    sandbox.set_policy(&key, Policy::deny(&["sts:AssumeRole"]));
    denied(&assume(&client, &[]), DEFAULT_USER);
    // From another account, the caller's policy must also allow it.
    let who = "arn:aws:iam::444455556666:user/stranger";
    sandbox.add_role(Role::new(ROLE).trust(Trust::principal(who)));
    denied(&assume(&stranger(&sandbox, nothing), &[]), who);
    let policy = format!(
        r#"{{"Statement":{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"{ROLE}"}}}}"#
    );
    assert_eq!(
        assume(&stranger(&sandbox, Policy::from_json(&policy)), &[]).status,
        200
    );
}

#[test]
fn wrong_external_id_is_denied() {
    let (_sandbox, client) =
        with_role(|role| role.trust(Trust::principal(DEFAULT_USER).external_id("tenant-1")));
    denied(&assume(&client, &[]), DEFAULT_USER);
    denied(
        &assume(&client, &[("ExternalId", "tenant-2")]),
        DEFAULT_USER,
    );
    assert_eq!(assume(&client, &[("ExternalId", "tenant-1")]).status, 200);
    let bad = assume(&client, &[("ExternalId", "a b")]);
    assert_eq!(bad.code(), "ValidationError");
}

#[test]
fn session_duration_is_limited_by_role_and_chain() {
    let second = "arn:aws:iam::111122223333:role/second";
    let (sandbox, client) = with_role(|role| role.trust(Trust::principal(DEFAULT_USER)));
    let too_long =
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    fails_with(
        &assume(&client, &[("DurationSeconds", "3601")]),
        400,
        "ValidationError",
        too_long,
    );
    sandbox.add_role(
        Role::new(ROLE)
            .max_session(Duration::from_secs(7200))
            .trust(Trust::principal(DEFAULT_USER)),
    );
    let first = assume(&client, &[("DurationSeconds", "7200")]);
    assert_eq!(first.status, 200);
    // The second role trusts the first, and so its sessions.
    sandbox.add_role(
        Role::new(second)
            .max_session(Duration::from_secs(7200))
            .trust(Trust::principal(ROLE)),
    );
    let session = client.with_session(&first);
    let chained = assume(
        &session,
        &[("RoleArn", second), ("DurationSeconds", "3601")],
    );
    fails_with(
        &chained,
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    );
    let chained = assume(
        &session,
        &[("RoleArn", second), ("DurationSeconds", "3600")],
    );
    assert_eq!(chained.status, 200, "{}", chained.body);
    let identity = session
        .with_session(&chained)
        .sts("GetCallerIdentity")
        .expect("a response");
    assert_eq!(
        identity.element("Arn"),
        "arn:aws:sts::111122223333:assumed-role/second/run-7"
    );
    assert_eq!(
        sandbox.log().last().expect("one").caller,
        identity.element("Arn")
    );
}

#[test]
fn session_follows_changed_role() {
    let trusted = || Role::new(ROLE).trust(Trust::principal(DEFAULT_USER));
    let (sandbox, client) = with_role(|_| trusted());
    let first = assume(&client, &[]);
    let session = client.with_session(&first);
    let describe = || {
        session
            .call("DescribeSecret", &json!({"SecretId": "a"}))
            .expect("a response")
            .code()
    };
    assert_eq!(describe(), "ResourceNotFoundException");
    sandbox.add_role(trusted().policy(Policy::deny(&["secretsmanager:*"])));
    assert_eq!(describe(), "AccessDeniedException");
    // The role keeps its unique ID.
    let again = assume(&client, &[]).element("AssumedRoleId");
    assert_eq!(again, first.element("AssumedRoleId"));
}
