//! TLS: clients trust a good certificate for each of its hosts, and reject each bad one for its own reason.

use std::net::IpAddr;

use sandbox::{
    Fault, Sandbox,
    front::{Authority, Certificate, Handshake, Tls},
};

use crate::{AWS, LONG, arrived, connect, describe, secure};

#[test]
fn good_certificate_is_trusted_for_all_hosts() {
    let sandbox = Sandbox::start();
    let hosts = [AWS, "localhost", "127.0.0.1", "::1"];
    let tls = Tls::builder(&hosts).start(&sandbox.url());
    for host in hosts {
        let mut stream = secure(connect(tls.address()), host, &tls.ca_pem());
        let answer = describe(&mut stream, host).expect("a response");
        assert!(arrived(&answer), "{host}: {answer}");
    }
    assert_eq!(sandbox.log().len(), 4);
    let handshakes = tls.handshakes();
    // Clients send SNI for host names, never for addresses.
    let names: Vec<_> = handshakes
        .iter()
        .map(|h| h.server_name.as_deref())
        .collect();
    assert_eq!(names, [Some(AWS), Some("localhost"), None, None]);
    assert!(handshakes.iter().all(|handshake| handshake.finished));
    assert_eq!(tls.url(), format!("https://{AWS}:{}", tls.address().port()));
}

#[test]
fn bad_certificates_fail_for_their_reason() {
    let sandbox = Sandbox::start();
    for (kind, reason) in [
        (Certificate::Expired, "certificate expired"),
        (Certificate::WrongHost, "not valid for name"),
        (Certificate::UnknownAuthority, "UnknownIssuer"),
        (Certificate::SelfSigned, "UnknownIssuer"),
        (Certificate::NoNames, "not valid for name"),
        (Certificate::Authority, "CaUsedAsEndEntity"),
        (Certificate::ShortKey, "BadSignature"),
    ] {
        let tls = Tls::start(&sandbox.url(), AWS, kind);
        let mut stream = secure(connect(tls.address()), AWS, &tls.ca_pem());
        let error = describe(&mut stream, AWS).expect_err("rejected");
        assert!(error.to_string().contains(reason), "{kind:?}: {error}");
        drop(stream);
        assert!(tls.wait_for_handshakes(1, LONG));
        let server_name = Some(AWS.to_owned());
        let rejected = Handshake {
            server_name,
            finished: false,
        };
        assert_eq!(tls.handshakes(), [rejected]);
    }
    assert!(sandbox.log().is_empty());
}

#[test]
fn weak_authorities_are_rejected() {
    let sandbox = Sandbox::start();
    for (authority, reason) in [
        (Authority::with_short_key(), "BadSignature"),
        (Authority::with_sha1(), "UnsupportedSignatureAlgorithm"),
    ] {
        let tls = Tls::builder(&[AWS])
            .authority(&authority)
            .start(&sandbox.url());
        let mut stream = secure(connect(tls.address()), AWS, &authority.pem());
        let error = describe(&mut stream, AWS).expect_err("rejected");
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert!(sandbox.log().is_empty());
}

#[test]
fn only_the_issuing_authority_is_trusted() {
    let sandbox = Sandbox::start();
    let shared = Authority::new();
    let start = || {
        Tls::builder(&[AWS])
            .authority(&shared)
            .start(&sandbox.url())
    };
    for tls in [start(), start()] {
        let mut stream = secure(connect(tls.address()), AWS, &shared.pem());
        assert!(arrived(&describe(&mut stream, AWS).expect("a response")));
        assert_eq!(tls.authority().pem(), shared.pem());
        let other = Authority::new().pem();
        let mut stream = secure(connect(tls.address()), AWS, &other);
        assert!(describe(&mut stream, AWS).is_err());
    }
}

#[test]
fn certificates_have_recognizable_names() {
    let authority = Authority::new();
    let der = authority.pem();
    assert!(der.starts_with("-----BEGIN CERTIFICATE-----\n"));
    assert!(der.lines().all(|line| line.len() <= 64));
    let sandbox = Sandbox::start();
    let tls = Tls::start(&sandbox.url(), AWS, Certificate::Good);
    let mut stream = secure(connect(tls.address()), AWS, &tls.ca_pem());
    describe(&mut stream, AWS).expect("a response");
    let leaf = stream.conn.peer_certificates().expect("one")[0].to_vec();
    for name in ["Sandbox Test CA", "Example Corp", AWS] {
        let found = leaf.windows(name.len()).any(|part| part == name.as_bytes());
        assert!(found, "{name}");
    }
}

#[test]
fn upstream_reset_reaches_client() {
    let sandbox = Sandbox::start();
    let tls = Tls::start(&sandbox.url(), AWS, Certificate::Good);
    for fault in [Fault::ResetBefore, Fault::LostAfter] {
        sandbox.fault("DescribeSecret", 1, fault);
        let mut stream = secure(connect(tls.address()), AWS, &tls.ca_pem());
        let answer = describe(&mut stream, AWS).unwrap_or_default();
        assert_eq!(answer, "");
    }
    drop(sandbox);
    let mut stream = secure(connect(tls.address()), AWS, &tls.ca_pem());
    assert!(describe(&mut stream, AWS).is_err(), "the upstream is gone");
}

#[test]
fn ipv6_works_on_both_ends() {
    let sandbox = Sandbox::builder().ipv6(true).start().expect("it starts");
    assert!(
        sandbox.url().starts_with("http://[::1]:"),
        "{}",
        sandbox.url()
    );
    let plain = sandbox::client::Client::new(&sandbox.url());
    assert_eq!(
        plain.sts("GetCallerIdentity").expect("a response").status,
        200
    );
    let tls = Tls::builder(&["::1"]).ipv6(true).start(&sandbox.url());
    assert!(tls.url().starts_with("https://[::1]:"), "{}", tls.url());
    let mut stream = secure(connect(tls.address()), "::1", &tls.ca_pem());
    assert!(arrived(
        &describe(&mut stream, "[::1]").expect("a response")
    ));
}

#[test]
fn nothing_listens_beyond_loopback() {
    let anywhere: IpAddr = "0.0.0.0".parse().expect("an address");
    assert!(Sandbox::builder().bind(anywhere).start().is_err());
    let other: IpAddr = "127.0.0.2".parse().expect("an address");
    // Linux binds to all of 127.0.0.0/8; other systems may not.
    if let Ok(sandbox) = Sandbox::builder().bind(other).start() {
        assert!(sandbox.url().starts_with("http://127.0.0.2:"));
    }
}

#[test]
fn dropped_front_stops_listening() {
    let sandbox = Sandbox::start();
    let tls = Tls::start(&sandbox.url(), AWS, Certificate::Good);
    let open = connect(tls.address());
    let ca = tls.ca_pem();
    drop(tls);
    let mut secured = secure(open, AWS, &ca);
    assert!(describe(&mut secured, AWS).is_err());
}
