//! Faults, holds, hooks and switches, as a raw client sees them: the response, the state and the log.

use std::{thread, time::Duration};

use sandbox::{Fault, Sandbox, When, client::Client};
use serde_json::json;

const TOKEN: &str = "11111111-1111-4111-8111-111111111111";

fn put(client: &Client, value: &str) -> std::io::Result<sandbox::client::Reply> {
    client.call(
        "PutSecretValue",
        &json!({"SecretId": "app", "SecretString": value, "ClientRequestToken": TOKEN}),
    )
}

/// Sends one PutSecretValue with this fault; returns the response, the current value afterwards, and the log entry.
fn faulty(
    fault: Fault,
) -> (
    std::io::Result<sandbox::client::Reply>,
    String,
    sandbox::LogEntry,
) {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("app", "old"));
    sandbox.fault("PutSecretValue", 1, fault);
    let client = Client::new(&sandbox.url());
    let reply = put(&client, "new-value");
    let value = sandbox.with(|world| {
        let secret = world.secret("app").expect("the secret");
        secret
            .current()
            .and_then(|v| v.string.clone())
            .expect("a value")
    });
    let entry = sandbox.log().pop().expect("one entry");
    // A fault applies to one call only.
    assert_eq!(put(&client, "new-value").expect("a response").status, 200);
    (reply, value, entry)
}

#[test]
fn error_faults_apply_nothing() {
    let custom = Fault::Error {
        status: 400,
        code: "DecryptionFailure".to_owned(),
        message: "no".to_owned(),
    };
    for (fault, status, code) in [
        (Fault::Throttle, 400, "ThrottlingException"),
        (Fault::InternalError, 500, "InternalServiceError"),
        (Fault::BadGateway, 502, ""),
        (Fault::Unavailable, 503, ""),
        (Fault::ExpiredToken, 400, "ExpiredTokenException"),
        (Fault::BadSignature, 400, "InvalidSignatureException"),
        (Fault::AccessDenied, 400, "AccessDeniedException"),
        (Fault::QuoteValue, 400, "InvalidRequestException"),
        (custom, 400, "DecryptionFailure"),
    ] {
        let quotes = matches!(fault, Fault::QuoteValue);
        let (reply, value, entry) = faulty(fault);
        let reply = reply.expect("a response");
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
        assert_eq!(reply.message().contains("new-value"), quotes);
        assert_eq!(value, "old");
        assert_eq!((entry.status, entry.applied), (status, false));
    }
}

#[test]
fn connection_faults_break_the_response() {
    for (fault, applied) in [
        (Fault::ResetBefore, false),
        (Fault::LostAfter, true),
        (Fault::CutBody, true),
    ] {
        let (reply, value, entry) = faulty(fault.clone());
        let error = reply.expect_err("no whole answer");
        let reset = error.kind() == std::io::ErrorKind::ConnectionReset;
        assert_eq!(reset, matches!(fault, Fault::ResetBefore), "{error}");
        assert_eq!(value == "new-value", applied);
        assert_eq!(entry.applied, applied);
    }
}

#[test]
fn body_faults_hide_the_result() {
    for (fault, body) in [
        (Fault::MalformedBody, "{\"ARN\": oops"),
        (Fault::EmptyObject, "{}"),
    ] {
        let (reply, value, entry) = faulty(fault);
        let reply = reply.expect("a response");
        assert_eq!((reply.status, reply.body.as_str()), (200, body));
        assert_eq!(value, "new-value");
        assert!(entry.applied);
    }
}

/// A server other than AWS sends no AWS request ID.
#[test]
fn foreign_responses_have_no_request_id() {
    for (fault, body) in [
        (Fault::Page(403), "Sign in to the network"),
        (Fault::BadGateway, "502 Bad Gateway"),
        (Fault::Foreign(200, "{}"), "{}"),
    ] {
        let (reply, value, entry) = faulty(fault);
        let reply = reply.expect("a response");
        assert!(reply.header("x-amzn-requestid").is_none());
        assert!(reply.body.contains(body), "{}", reply.body);
        assert_eq!((value.as_str(), entry.applied), ("old", false));
    }
    let (reply, ..) = faulty(Fault::Unavailable);
    let reply = reply.expect("a response");
    assert!(reply.header("x-amzn-requestid").is_some());
}

#[test]
fn wrong_clock_is_rejected_with_the_right_date() {
    let hour = Duration::from_secs(3_600);
    for (ahead, behind, reason) in [
        (hour, Duration::ZERO, "Signature expired"),
        (Duration::ZERO, hour, "Signature not yet current"),
    ] {
        let sandbox = Sandbox::start();
        let client = Client::new(&sandbox.url());
        let answer = || put(&client, "new-value").expect("a response");
        let date = |reply: &sandbox::client::Reply| reply.header("date").map(str::to_owned);
        let here = date(&answer());
        sandbox.set_clock(ahead, behind);
        let reply = answer();
        assert_eq!(reply.code(), "InvalidSignatureException");
        assert!(reply.message().contains(reason), "{}", reply.message());
        assert_ne!(date(&reply), here);
    }
}

#[test]
fn malformed_get_contains_the_value() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("app", "the-value"));
    sandbox.fault("GetSecretValue", 2, Fault::MalformedGet);
    let client = Client::new(&sandbox.url());
    let get = || {
        client
            .call("GetSecretValue", &json!({"SecretId": "app"}))
            .expect("a response")
    };
    assert!(get().json().is_object());
    let broken = get();
    assert!(broken.json().is_null() && broken.body.contains("the-value"));
    assert!(get().json().is_object());
}

#[test]
fn delay_faults_only_delay() {
    let (reply, value, entry) = faulty(Fault::DelayBefore(Duration::from_millis(30)));
    assert_eq!(
        (reply.expect("a response").status, value.as_str()),
        (200, "new-value")
    );
    assert!(entry.ended.expect("ended") - entry.started >= Duration::from_millis(30));
    let (reply, value, entry) = faulty(Fault::DelayAfter(Duration::from_millis(30)));
    assert_eq!(
        (reply.expect("a response").status, value.as_str()),
        (200, "new-value")
    );
    assert!(entry.ended.expect("ended") - entry.started >= Duration::from_millis(30));
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn held_request_blocks_no_other() {
    for (when, seen) in [(When::BeforeApply, "old"), (When::AfterApply, "new")] {
        let sandbox = Sandbox::start();
        sandbox.with(|world| world.create("app", "old"));
        let held = sandbox.hold("PutSecretValue", 1, when);
        let client = Client::new(&sandbox.url());
        let rival = client.clone();
        let writer = thread::spawn(move || put(&rival, "new"));
        assert!(held.wait_reached(LONG));
        let got = client
            .call("GetSecretValue", &json!({"SecretId": "app"}))
            .expect("a response");
        assert_eq!(got.json()["SecretString"], seen);
        held.release();
        let reply = writer.join().expect("the thread").expect("a response");
        assert_eq!(reply.status, 200);
    }
}

#[test]
fn discarded_request_is_never_applied() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("app", "old"));
    let held = sandbox.hold("PutSecretValue", 1, When::BeforeApply);
    let client = Client::new(&sandbox.url());
    let writer = thread::spawn(move || put(&client, "new"));
    assert!(held.wait_reached(LONG));
    held.discard();
    assert!(writer.join().expect("the thread").is_err());
    assert_eq!(
        sandbox.with(|world| world.secret("app").expect("it").versions.len()),
        1
    );
    assert!(!sandbox.log()[0].applied);
}

#[test]
fn request_outlives_its_client() {
    use std::{io::Write, net::TcpStream};
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("app", "old"));
    let held = sandbox.hold("PutSecretValue", 1, When::BeforeApply);
    let applied = sandbox.hold("PutSecretValue", 1, When::AfterApply);
    let client = Client::new(&sandbox.url());
    let request = client.request(
        "PutSecretValue",
        &json!({"SecretId": "app", "SecretString": "new", "ClientRequestToken": TOKEN}),
    );
    let mut stream =
        TcpStream::connect(sandbox.url().trim_start_matches("http://")).expect("a connection");
    stream.write_all(&request).expect("sent");
    assert!(held.wait_reached(LONG));
    drop(stream);
    // The response to a later request shows that the server has noticed the closed connection.
    client
        .call("DescribeSecret", &json!({"SecretId": "app"}))
        .expect("a response");
    drop(held);
    assert!(applied.wait_reached(LONG));
    let current = sandbox.with(|world| {
        world
            .secret("app")
            .expect("it")
            .current()
            .expect("a version")
            .id
            .clone()
    });
    assert_eq!(current, TOKEN);
}

#[test]
fn hooks_write_before_and_after_a_call() {
    let sandbox = Sandbox::start();
    let first = sandbox.with(|world| world.create("app", "old"));
    sandbox.before("PutSecretValue", 1, |world| {
        world.put("app", "rival before");
    });
    sandbox.after("PutSecretValue", 1, |world| {
        world.put("app", "rival after");
    });
    let reply = put(&Client::new(&sandbox.url()), "new").expect("a response");
    assert_eq!(reply.json()["VersionStages"], json!(["AWSCURRENT"]));
    let secret = sandbox.with(|world| world.secret("app")).expect("it");
    let strings: Vec<_> = secret
        .versions
        .iter()
        .map(|v| v.string.clone().expect("a string"))
        .collect();
    assert_eq!(strings, ["old", "rival before", "new", "rival after"]);
    assert_eq!(secret.labeled("AWSPREVIOUS").expect("it").id, TOKEN);
    assert!(secret.version(&first).expect("it").stages.is_empty());
    assert_eq!(sandbox.log().len(), 1);
}

/// Tests share these types between threads.
const _: () = {
    const fn shareable<T: Send + Sync>() {}
    shareable::<Sandbox>();
    shareable::<sandbox::Held>();
};

#[test]
fn rate_limits_apply_per_group() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("app", "old"));
    sandbox.set_rate_limit(Some(1));
    let client = Client::new(&sandbox.url());
    let replies: Vec<_> = (0..20)
        .map(|_| put(&client, "new").expect("a response"))
        .collect();
    assert_eq!(replies[0].status, 200);
    let throttled: Vec<_> = replies.iter().filter(|reply| reply.status != 200).collect();
    assert!(!throttled.is_empty());
    assert!(
        throttled.iter().all(
            |reply| reply.code() == "ThrottlingException" && reply.message() == "Rate exceeded"
        )
    );
    let read = client
        .call("GetSecretValue", &json!({"SecretId": "app"}))
        .expect("a response");
    assert_eq!(read.status, 200);
    // Resource policies have a rate limit of their own.
    let policies: Vec<_> = (0..20)
        .map(|_| client.call("GetResourcePolicy", &json!({"SecretId": "app"})))
        .map(|reply| reply.expect("a response").code())
        .collect();
    assert_eq!(policies[0], "");
    assert!(policies.contains(&"ThrottlingException".to_owned()));
    sandbox.set_rate_limit(None);
    assert_eq!(put(&client, "new").expect("a response").status, 200);
}

#[test]
fn latency_delays_every_response() {
    let latency = Duration::from_millis(20);
    let sandbox = Sandbox::builder()
        .latency(latency)
        .start()
        .expect("it starts");
    let client = Client::new(&sandbox.url());
    let took = || {
        let start = std::time::Instant::now();
        client.sts("GetCallerIdentity").expect("a response");
        client
            .call("DescribeSecret", &json!({"SecretId": "app"}))
            .expect("a response");
        start.elapsed()
    };
    assert!(took() >= latency * 2);
    sandbox.set_latency(latency * 2);
    assert!(took() >= latency * 4);
}
