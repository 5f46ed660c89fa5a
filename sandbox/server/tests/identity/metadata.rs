//! The services from which a machine gets its role's credentials.

use std::{collections::BTreeMap, time::Duration};

use sandbox::{
    Fault, Role, Sandbox,
    client::{Client, Reply},
};
use serde_json::json;

use crate::ROLE;

const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

fn instance() -> (Sandbox, Client) {
    let sandbox = Sandbox::start();
    sandbox.add_role(Role::new(ROLE));
    let env = sandbox.metadata_env(ROLE);
    assert_eq!(env[0].0, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    let client = Client::new(&env[0].1);
    (sandbox, client)
}

fn token(client: &Client, ttl: &str) -> Reply {
    let reply = client.plain("PUT", "/latest/api/token", &[(TTL, ttl)], "");
    reply.expect("a response")
}

fn get(client: &Client, path: &str, token: &str) -> Reply {
    let header = ("x-aws-ec2-metadata-token", token);
    let reply = client.plain("GET", path, &[header], "");
    reply.expect("a response")
}

/// The client with the credentials in a response of these services.
fn session(client: &Client, reply: &Reply) -> Client {
    let shown = reply.json();
    let part = |name: &str| shown[name].as_str().expect(name).to_owned();
    Client {
        key_id: part("AccessKeyId"),
        secret: part("SecretAccessKey"),
        session_token: Some(part("Token")),
        ..client.clone()
    }
}

#[test]
fn instance_gets_credentials_of_its_role() {
    let (sandbox, client) = instance();
    let answer = token(&client, "60");
    assert_eq!((answer.status, answer.header(TTL)), (200, Some("60")));
    let token = answer.body;
    assert_eq!(get(&client, ROLES, &token).body, "release");
    let region = get(&client, "/latest/meta-data/placement/region", &token);
    assert_eq!(region.body, "eu-west-1");
    let credentials = get(&client, &format!("{ROLES}release"), &token);
    let shown = credentials.json();
    assert_eq!(
        (&shown["Code"], &shown["Type"]),
        (&json!("Success"), &json!("AWS-HMAC"))
    );
    let session = session(&client, &credentials);
    let identity = session.sts("GetCallerIdentity").expect("a response");
    assert_eq!(
        identity.element("Arn"),
        "arn:aws:sts::111122223333:assumed-role/release/i-0a1b2c3d4e5f60718"
    );
    let log = sandbox.log();
    let operations: Vec<_> = log.iter().map(|entry| entry.operation.as_str()).collect();
    let expected = [
        "GetMetadataToken",
        "GetMetadataRole",
        "GetMetadataRegion",
        "GetMetadataCredentials",
        "GetCallerIdentity",
    ];
    assert_eq!(operations, expected);

    assert_eq!(get(&client, &format!("{ROLES}other"), &token).status, 404);
    assert_eq!(get(&client, "/latest/dynamic", &token).status, 404);
    assert_eq!(get(&client, ROLES, "another").status, 401);
    assert_eq!(client.get(ROLES).expect("a response").status, 401);
    sandbox.advance_clock(Duration::from_secs(61));
    assert_eq!(get(&client, ROLES, &token).status, 401);
    sandbox.advance_clock(Duration::from_secs(6 * 3600));
    let identity = session.sts("GetCallerIdentity").expect("a response");
    assert_eq!(identity.code(), "ExpiredToken");
}

#[test]
fn bad_metadata_token_request_is_rejected() {
    let (sandbox, client) = instance();
    for ttl in ["0", "21601", "x"] {
        assert_eq!(token(&client, ttl).status, 400);
    }
    assert_eq!(
        client.get("/latest/api/token").expect("a response").status,
        405
    );
    sandbox.fault("GetMetadataToken", 1, Fault::Unavailable);
    assert_eq!(token(&client, "60").status, 503);
    sandbox.fault("GetMetadataRole", 1, Fault::Throttle);
    let token = token(&client, "21600").body;
    assert_eq!(get(&client, ROLES, &token).status, 429);
    assert_eq!(get(&client, ROLES, &token).status, 200);
}

#[test]
fn metadata_without_instance_is_not_found() {
    let sandbox = Sandbox::start();
    let client = Client::new(&sandbox.url());
    assert_eq!(token(&client, "60").status, 404);
    assert_eq!(get(&client, ROLES, "any").status, 404);
    let container = client.get("/v2/credentials/any").expect("a response");
    assert_eq!(container.status, 404);
}

#[test]
fn container_gets_credentials_of_its_role() {
    let sandbox = Sandbox::start();
    sandbox.add_role(Role::new(ROLE));
    let env: BTreeMap<String, String> = sandbox.container_env(ROLE).into_iter().collect();
    let client = Client::new(&sandbox.url());
    let ask = |authorization: &str| {
        let url = &env["AWS_CONTAINER_CREDENTIALS_FULL_URI"];
        let reply = client.plain("GET", url, &[("authorization", authorization)], "");
        reply.expect("a response")
    };
    let answer = ask(&env["AWS_CONTAINER_AUTHORIZATION_TOKEN"]);
    assert_eq!(
        (answer.status, &answer.json()["RoleArn"]),
        (200, &json!(ROLE))
    );
    let session = session(&client, &answer);
    let reply = session.call("DescribeSecret", &json!({"SecretId": "none"}));
    assert_eq!(
        reply.expect("a response").code(),
        "ResourceNotFoundException"
    );
    let log = sandbox.log();
    assert_eq!(log[0].operation, "GetContainerCredentials");
    let assumed = "arn:aws:sts::111122223333:assumed-role/release/";
    assert!(log[1].caller.starts_with(assumed), "{}", log[1].caller);
    assert_eq!(ask("another").status, 401);
    let other: BTreeMap<String, String> = sandbox.container_env(ROLE).into_iter().collect();
    let foreign = &other["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
    assert_eq!(ask(foreign).status, 401, "each container has its own");
    let elsewhere = client.plain(
        "GET",
        "/v2/credentials/none",
        &[("authorization", foreign)],
        "",
    );
    assert_eq!(elsewhere.expect("a response").status, 404);
    let bare = client.get(&env["AWS_CONTAINER_CREDENTIALS_FULL_URI"]);
    assert_eq!(bare.expect("a response").status, 401);
}
