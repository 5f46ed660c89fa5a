//! The guarantees of the model to its driver: determinism, cheap and independent clones, explicit time, and callers that
//! policies restrict. The server's `fidelity` test covers the responses of each operation.

use std::time::{Duration, UNIX_EPOCH};

use sandbox_model::{Caller, Policy, REGION, ServiceError, World};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TOKEN: &str = "11111111-1111-4111-8111-111111111111";

fn call(world: &mut World, operation: &str, input: Value) -> Result<Value, ServiceError> {
    world.call(&Caller::default(), REGION, operation, input)
}

fn get(world: &mut World, caller: &Caller, name: &str) -> Result<Value, ServiceError> {
    world.call(caller, REGION, "GetSecretValue", json!({"SecretId": name}))
}

/// The error code of a call that must fail.
fn code(answer: Result<Value, ServiceError>) -> String {
    answer.expect_err("the call fails").code
}

fn arn(world: &World, name: &str) -> String {
    world.secret(name).expect("the secret exists").arn
}

#[test]
fn equal_seeds_give_equal_ids() {
    let ids = |seed| {
        let mut world = World::new(seed);
        let version = world.create("app", "v1");
        (version, world.put("app", "v2"), arn(&world, "app"))
    };
    assert_eq!(ids(1), ids(1));
    assert_ne!(ids(1), ids(2));
}

#[test]
fn generated_ids_do_not_repeat() {
    let mut world = World::default();
    let version = world.create("app", "v1");
    assert_ne!(world.put("app", "v2"), version);
    world.create("other", "v1");
    let suffix = |name| arn(&world, name)[arn(&world, name).len() - 6..].to_owned();
    assert_ne!(suffix("app"), suffix("other"));
}

#[test]
fn clone_keeps_its_state() {
    let mut world = World::default();
    let first = world.create("app", "v1");
    let mut clone = world.clone();
    let second = world.put("app", "v2");
    world.add_kms_key("alias/key");
    assert!(
        clone
            .secret("app")
            .is_some_and(|app| app.version(&second).is_none())
    );
    clone.force_delete("app");
    let current = world.secret("app").and_then(|app| app.current().cloned());
    assert_eq!(current.map(|version| version.id), Some(second));
    assert!(
        world
            .secret("app")
            .is_some_and(|app| app.version(&first).is_some())
    );
}

#[test]
fn time_stands_still_until_it_is_set() {
    let mut world = World::default();
    let first = world.create("app", "v1");
    let second = world.put("app", "v2");
    let at = world.now() + Duration::from_secs(60);
    world.set_now(at);
    let third = world.put("app", "v3");
    let app = world.secret("app").expect("the secret exists");
    let created = |id| app.version(id).expect("the version exists").created;
    assert_eq!(created(&first), created(&second));
    assert_eq!(created(&third), at);
    world.set_now(UNIX_EPOCH);
    assert_eq!(world.now(), UNIX_EPOCH);
}

#[test]
fn scheduled_secret_ends_with_recovery_window() {
    let mut world = World::default();
    world.create("app", "v1");
    world.schedule_deletion("app");
    world.advance(30 * DAY - Duration::from_secs(1));
    assert!(world.secret("app").is_some_and(|app| app.deleted));
    world.advance(Duration::from_secs(1));
    assert!(world.secret("app").is_none());
}

#[test]
fn caller_policy_restricts_calls() {
    let mut world = World::default();
    world.create("app", "v1");
    let allowed = Caller::default();
    assert!(get(&mut world, &allowed, "app").is_ok());
    let denied = allowed.with_policy(Policy::deny(&["secretsmanager:GetSecretValue"]));
    let error = get(&mut world, &denied, "app").expect_err("denied");
    let (user, arn) = ("arn:aws:iam::111122223333:user/sandbox", arn(&world, "app"));
    let message = format!(
        "User: {user} is not authorized to perform: secretsmanager:GetSecretValue on resource: {arn} with an explicit deny in an identity-based policy"
    );
    assert_eq!((error.status, error.message), (400, message));
}

#[test]
fn resource_policy_restricts_callers_not_helpers() {
    let mut world = World::default();
    world.create("app", "v1");
    let deny = json!({"Statement": {
        "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*",
    }});
    world.put_resource_policy("app", &deny.to_string());
    let denied = get(&mut world, &Caller::default(), "app");
    assert_eq!(code(denied), "AccessDeniedException");
    let second = world.put("app", "v2");
    let app = world.secret("app").expect("the secret exists");
    assert_eq!(app.current().map(|version| &version.id), Some(&second));
}

#[test]
fn create_is_authorized_for_the_arn_it_gets() {
    let mut world = World::default();
    let create = |world: &mut World, caller: &Caller| {
        let input = json!({"Name": "app", "SecretString": "v1", "ClientRequestToken": TOKEN});
        world.call(caller, REGION, "CreateSecret", input)
    };
    let only = |resource: &str| {
        let policy = json!({"Statement": {
            "Effect": "Allow", "Action": "secretsmanager:CreateSecret", "Resource": resource,
        }});
        Caller::default().with_policy(Policy::from_json(&policy.to_string()))
    };
    let mut trial = world.clone();
    create(&mut trial, &Caller::default()).expect("everything is allowed");
    let next = arn(&trial, "app");
    let other = only(&next.replace(":secret:app-", ":secret:other-"));
    assert_eq!(code(create(&mut world, &other)), "AccessDeniedException");
    create(&mut world, &only(&next)).expect("this very ARN is allowed");
    assert_eq!(arn(&world, "app"), next);
}

#[test]
fn failed_call_changes_nothing() {
    let mut world = World::default();
    let token = world.create("app", "v1");
    let before = call(&mut world, "DescribeSecret", json!({"SecretId": "app"}));
    let input = json!({"SecretId": "app", "SecretString": "v2", "ClientRequestToken": token});
    assert_eq!(
        code(call(&mut world, "PutSecretValue", input)),
        "ResourceExistsException"
    );
    let after = call(&mut world, "DescribeSecret", json!({"SecretId": "app"}));
    assert_eq!(before, after);
}

#[test]
fn unknown_operation_and_bad_input_are_rejected() {
    let mut world = World::default();
    let unknown = call(&mut world, "RotateSecret", json!({}));
    assert_eq!(code(unknown), "UnknownOperationException");
    let input = call(&mut world, "GetSecretValue", json!("app"));
    assert_eq!(code(input), "SerializationException");
}

#[test]
fn accounts_and_regions_are_separate() {
    let mut world = World::default();
    world.create("app", "v1");
    let stranger = Caller::new("444455556666", "arn:aws:iam::444455556666:user/other");
    assert_eq!(
        code(get(&mut world, &stranger, "app")),
        "ResourceNotFoundException"
    );
    let elsewhere = world.call(
        &Caller::default(),
        "us-west-2",
        "GetSecretValue",
        json!({"SecretId": "app"}),
    );
    assert_eq!(code(elsewhere), "ResourceNotFoundException");
    world.replicate("app", "us-west-2");
    let all: Vec<_> = world
        .all_secrets()
        .map(|(account, region, secret)| (account, region, secret.name))
        .collect();
    let account = "111122223333";
    assert_eq!(
        all,
        [
            (account, REGION, "app".to_owned()),
            (account, "us-west-2", "app".to_owned()),
        ]
    );
}
