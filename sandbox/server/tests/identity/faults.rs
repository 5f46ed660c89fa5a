//! Faults of the issuer and of STS.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use sandbox::{Fault, When};

use crate::{ROLE, STS, assume, fails_with, job};

#[test]
fn issuer_faults_give_their_errors() {
    let (sandbox, _, job) = job();
    for (fault, status, text) in [
        (
            Fault::Pending,
            403,
            "Can't issue ID_TOKEN for job in 'Pending' state",
        ),
        (Fault::Throttle, 429, "Rate exceeded"),
        (Fault::InternalError, 500, ""),
        (Fault::BadGateway, 502, "<html>"),
        (Fault::Unavailable, 503, ""),
        (Fault::Page(200), 200, "<!DOCTYPE html>"),
        (Fault::MalformedBody, 200, "oops"),
        (Fault::EmptyObject, 200, "{}"),
        (Fault::GarbledBody, 200, "\u{fffd}"),
    ] {
        sandbox.fault("GetIdToken", 1, fault);
        let reply = job.ask("").expect("a response");
        assert_eq!(reply.status, status);
        assert!(reply.body.contains(text), "{}", reply.body);
        assert!(reply.json()["value"].is_null());
        assert_eq!(sandbox.log().pop().expect("one").status, status);
    }
    sandbox.fault("GetIdToken", 1, Fault::Oversized(3_000_000));
    let big = job.ask("").expect("a response");
    assert_eq!(big.body.len(), 3_000_000);
    assert!(
        big.json()["value"].is_string(),
        "the padded response is still valid"
    );
    for fault in [Fault::ResetBefore, Fault::LostAfter, Fault::CutBody] {
        sandbox.fault("GetIdToken", 1, fault);
        assert!(job.ask("").is_err());
    }
    let held = sandbox.hold("GetIdToken", 1, When::BeforeApply);
    let waiting = thread::spawn(move || job.ask(""));
    assert!(held.wait_reached(Duration::from_secs(20)));
    held.release();
    assert_eq!(
        waiting.join().expect("it ends").expect("a response").status,
        200
    );
}

#[test]
fn hanging_request_does_not_block_others() {
    let (sandbox, client, job) = job();
    sandbox.fault("GetIdToken", 1, Fault::Never);
    let mut stream =
        TcpStream::connect(sandbox.url().trim_start_matches("http://")).expect("a connection");
    let path = job.url.split_once("127.0.0.1").expect("loopback").1;
    let path = &path[path.find('/').expect("a path")..];
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .expect("set");
    assert!(stream.read(&mut [0; 1]).is_err(), "nothing comes");
    assert_eq!(
        client.sts("GetCallerIdentity").expect("a response").status,
        200
    );
    let entry = &sandbox.log()[0];
    assert_eq!(
        (entry.operation.as_str(), entry.status, entry.applied),
        ("GetIdToken", 0, false)
    );
    assert!(entry.ended.is_none());
}

#[test]
fn sts_faults_give_their_errors() {
    let (sandbox, client, job) = job();
    let token = job.token();
    let key = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";
    for (fault, status, code, text) in [
        (
            Fault::IdpUnreachable,
            400,
            "IDPCommunicationError",
            "that was asked to verify the incoming identity token could not be reached.",
        ),
        (Fault::NoVerificationKey, 400, "InvalidIdentityToken", key),
        (
            Fault::ExpiredToken,
            400,
            "ExpiredTokenException",
            "Token expired: ",
        ),
        (
            Fault::AccessDenied,
            403,
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ),
        (Fault::Throttle, 400, "Throttling", "Rate exceeded"),
    ] {
        sandbox.fault(STS, 1, fault);
        let reply = assume(&client, &token);
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
        assert!(reply.message().contains(text), "{}", reply.message());
    }
    sandbox.fault("AssumeRole", 1, Fault::AccessDenied);
    let reply = client
        .sts_with("AssumeRole", &[("RoleArn", ROLE)])
        .expect("a response");
    fails_with(
        &reply,
        403,
        "AccessDenied",
        &format!(
            "User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
        ),
    );
    assert_eq!(assume(&client, &token).status, 200);
}
