//! TLS: a good certificate is taken for each of its hosts, and each bad one refused for its own reason.

use std::net::IpAddr;

use sandbox::{
    Fault, Sandbox,
    front::{Authority, Certificate, Handshake, Tls},
};

use crate::{AWS, LONG, arrived, connect, describe, secure};

#[test]
fn a_good_certificate_is_taken_for_each_host() {
    let sandbox = Sandbox::start();
    let hosts = [AWS, "localhost", "127.0.0.1", "::1"];
    let tls = Tls::builder(&hosts).start(&sandbox.url());
    for host in hosts {
        let mut stream = secure(connect(tls.address()), host, &tls.ca_pem());
        let answer = describe(&mut stream, host).expect("an answer");
        assert!(arrived(&answer), "{host}: {answer}");
    }
    assert_eq!(sandbox.log().len(), 4);
    let handshakes = tls.handshakes();
    // Clients name hosts, never addresses.
    let names: Vec<_> = handshakes
        .iter()
        .map(|h| h.server_name.as_deref())
        .collect();
    assert_eq!(names, [Some(AWS), Some("localhost"), None, None]);
    assert!(handshakes.iter().all(|handshake| handshake.finished));
    assert_eq!(tls.url(), format!("https://{AWS}:{}", tls.address().port()));
}

#[test]
fn each_bad_certificate_is_refused_for_its_own_reason() {
    let sandbox = Sandbox::start();
    for (kind, reason) in [
        (Certificate::Expired, "certificate expired"),
        (Certificate::WrongHost, "not valid for name"),
        (Certificate::UnknownAuthority, "UnknownIssuer"),
        (Certificate::SelfSigned, "UnknownIssuer"),
    ] {
        let tls = Tls::start(&sandbox.url(), AWS, kind);
        let mut stream = secure(connect(tls.address()), AWS, &tls.ca_pem());
        let error = describe(&mut stream, AWS).expect_err("refused");
        assert!(error.to_string().contains(reason), "{kind:?}: {error}");
        drop(stream);
        assert!(tls.wait_for_handshakes(1, LONG));
        let server_name = Some(AWS.to_owned());
        let refused = Handshake {
            server_name,
            finished: false,
        };
        assert_eq!(tls.handshakes(), [refused]);
    }
    assert!(sandbox.log().is_empty());
}

#[test]
fn another_authority_does_not_do_and_a_shared_one_does() {
    let sandbox = Sandbox::start();
    let shared = Authority::new();
    let start = || {
        Tls::builder(&[AWS])
            .authority(&shared)
            .start(&sandbox.url())
    };
    for tls in [start(), start()] {
        let mut stream = secure(connect(tls.address()), AWS, &shared.pem());
        assert!(arrived(&describe(&mut stream, AWS).expect("an answer")));
        assert_eq!(tls.authority().pem(), shared.pem());
        let other = Authority::new().pem();
        let mut stream = secure(connect(tls.address()), AWS, &other);
        assert!(describe(&mut stream, AWS).is_err());
    }
}

#[test]
fn certificates_have_names_to_recognise_them_by() {
    let authority = Authority::new();
    let der = authority.pem();
    assert!(der.starts_with("-----BEGIN CERTIFICATE-----\n"));
    assert!(der.lines().all(|line| line.len() <= 64));
    let sandbox = Sandbox::start();
    let tls = Tls::start(&sandbox.url(), AWS, Certificate::Good);
    let mut stream = secure(connect(tls.address()), AWS, &tls.ca_pem());
    describe(&mut stream, AWS).expect("an answer");
    let leaf = stream.conn.peer_certificates().expect("one")[0].to_vec();
    for name in ["Sandbox Test CA", "Example Corp", AWS] {
        let found = leaf.windows(name.len()).any(|part| part == name.as_bytes());
        assert!(found, "{name}");
    }
}

#[test]
fn what_breaks_behind_the_front_breaks_before_it() {
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
    assert!(describe(&mut stream, AWS).is_err(), "nobody is behind it");
}

#[test]
fn both_ends_can_be_ipv6() {
    let sandbox = Sandbox::builder().ipv6(true).start().expect("it starts");
    assert!(
        sandbox.url().starts_with("http://[::1]:"),
        "{}",
        sandbox.url()
    );
    let plain = sandbox::client::Client::new(&sandbox.url());
    assert_eq!(
        plain.sts("GetCallerIdentity").expect("an answer").status,
        200
    );
    let tls = Tls::builder(&["::1"]).ipv6(true).start(&sandbox.url());
    assert!(tls.url().starts_with("https://[::1]:"), "{}", tls.url());
    let mut stream = secure(connect(tls.address()), "::1", &tls.ca_pem());
    assert!(arrived(&describe(&mut stream, "[::1]").expect("an answer")));
}

#[test]
fn nothing_listens_beyond_loopback() {
    let anywhere: IpAddr = "0.0.0.0".parse().expect("an address");
    assert!(Sandbox::builder().bind(anywhere).start().is_err());
    let other: IpAddr = "127.0.0.2".parse().expect("an address");
    // Linux has all of 127.0.0.0/8; others need not.
    if let Ok(sandbox) = Sandbox::builder().bind(other).start() {
        assert!(sandbox.url().starts_with("http://127.0.0.2:"));
    }
}

#[test]
fn a_front_stops_when_it_is_dropped() {
    let sandbox = Sandbox::start();
    let tls = Tls::start(&sandbox.url(), AWS, Certificate::Good);
    let open = connect(tls.address());
    let ca = tls.ca_pem();
    drop(tls);
    let mut secured = secure(open, AWS, &ca);
    assert!(describe(&mut secured, AWS).is_err());
}
