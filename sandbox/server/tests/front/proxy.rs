//! The proxy: tunnels, plain requests, credentials and rejections.

use std::{
    io::{Read, Write},
    net::TcpListener,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sandbox::{
    Sandbox,
    client::Client,
    front::{Authority, Certificate, Proxy, ProxyRequest, Tls},
};
use serde_json::json;

use crate::{AWS, arrived, ask, connect, describe, secure};

fn passage(method: &str, target: &str, authorized: bool, status: u16) -> ProxyRequest {
    ProxyRequest {
        method: method.to_owned(),
        target: target.to_owned(),
        authorized,
        status,
    }
}

/// Requests a tunnel to AWS and returns the head of the response.
fn tunnel(stream: &mut (impl Read + Write), more: &str) -> String {
    let request = format!("CONNECT {AWS}:443 HTTP/1.1\r\nhost: {AWS}:443\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    stream.flush().expect("sent");
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("more") == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("text")
}

fn basic(user: &str, password: &str) -> String {
    let pair = STANDARD.encode(format!("{user}:{password}"));
    format!("Proxy-Authorization: Basic {pair}\r\n")
}

#[test]
fn proxy_challenges_with_its_scheme() {
    for (proxy, challenge) in [
        (Proxy::builder().scheme("NTLM").start(), "NTLM"),
        (
            Proxy::builder().credentials("a", "b").start(),
            "Basic realm=",
        ),
    ] {
        let head = tunnel(&mut connect(proxy.address()), "");
        assert!(head.starts_with("HTTP/1.1 407 "), "{head}");
        assert!(
            head.contains(&format!("proxy-authenticate: {challenge}")),
            "{head}"
        );
    }
}

#[test]
fn tunnel_follows_its_route() {
    let sandbox = Sandbox::start();
    let tls = Tls::start(&sandbox.url(), AWS, Certificate::Good);
    let target = format!("{AWS}:443");
    let proxy = Proxy::builder().route(&target, tls.address()).start();
    let mut stream = connect(proxy.address());
    assert!(tunnel(&mut stream, "").starts_with("HTTP/1.1 200 "));
    let mut secured = secure(stream, AWS, &tls.ca_pem());
    assert!(arrived(&describe(&mut secured, AWS).expect("a response")));
    assert_eq!(proxy.log(), [passage("CONNECT", &target, true, 200)]);
    assert_eq!(proxy.url_with_credentials(), proxy.url());
}

#[test]
fn plain_request_loses_proxy_headers() {
    let sandbox = Sandbox::start();
    let proxy = Proxy::builder().credentials("ci", "p@ss").start();
    let url = format!("{}/", sandbox.url());
    let request =
        Client::new(&sandbox.url()).request("DescribeSecret", &json!({"SecretId": "none"}));
    let request = String::from_utf8(request).expect("text");
    let absolute = request.replacen("POST /", &format!("POST {url}"), 1);
    let authorized = absolute.replacen("\r\n", &format!("\r\n{}", basic("ci", "p@ss")), 1);
    let answer = ask(&mut connect(proxy.address()), authorized.as_bytes()).expect("a response");
    assert!(arrived(&answer), "{answer}");
    let answer = ask(&mut connect(proxy.address()), absolute.as_bytes()).expect("a response");
    assert!(answer.starts_with("HTTP/1.1 407 "), "{answer}");
    assert_eq!(sandbox.log().len(), 1);
    let expected = [
        passage("POST", &url, true, 200),
        passage("POST", &url, false, 407),
    ];
    assert_eq!(proxy.log(), expected);
}

#[test]
fn plain_request_is_rewritten_for_server() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let to = server.local_addr().expect("an address");
    let proxy = Proxy::builder()
        .credentials("ci", "p@ss")
        .route("example.com:80", to)
        .start();
    let mut stream = connect(proxy.address());
    let request = format!(
        "PUT http://example.com/a?b HTTP/1.1\r\nHost: example.com\r\n{}Connection: keep-alive\r\nContent-Length: 4\r\n\r\nbody",
        basic("ci", "p@ss")
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let (mut got, _) = server.accept().expect("a connection");
    let expected = "PUT /a?b HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\nconnection: close\r\n\r\nbody";
    let mut passed = vec![0; expected.len()];
    got.read_exact(&mut passed).expect("the request");
    assert_eq!(String::from_utf8_lossy(&passed), expected);
}

#[test]
fn wrong_credentials_get_407() {
    let sandbox = Sandbox::start();
    let target = format!("{AWS}:443");
    let to = sandbox
        .url()
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let proxy = Proxy::builder().credentials("ci", "p@ss").start();
    proxy.add_route(&target, to);
    for (more, status) in [
        (String::new(), "407"),
        (basic("ci", "wrong"), "407"),
        (basic("ci", "p@ss"), "200"),
    ] {
        let head = tunnel(&mut connect(proxy.address()), &more);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        let challenged = head.contains("proxy-authenticate: Basic");
        assert_eq!(challenged, status == "407");
    }
    let authorized: Vec<_> = proxy
        .log()
        .iter()
        .map(|passage| passage.authorized)
        .collect();
    assert_eq!(authorized, [false, false, true]);
    let url = proxy.url_with_credentials();
    assert_eq!(url, format!("http://ci:p%40ss@{}", proxy.address()));
}

#[test]
fn proxy_rejects_with_its_status() {
    for status in [403, 502] {
        let proxy = Proxy::builder().refuse(status).start();
        let head = tunnel(&mut connect(proxy.address()), "");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        let target = format!("{AWS}:443");
        assert_eq!(proxy.log(), [passage("CONNECT", &target, true, status)]);
    }
    let open = Proxy::builder().start();
    // Without a route nothing leaves the machine; a malformed request is rejected.
    let head = tunnel(&mut connect(open.address()), "");
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
    let sandbox = Sandbox::start();
    let anywhere = sandbox.url().replace("127.0.0.1", "0.0.0.0");
    let get = format!("GET {anywhere}/_sandbox/log HTTP/1.1\r\n\r\n");
    let answer = ask(&mut connect(open.address()), get.as_bytes()).expect("a response");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    let answer = ask(&mut connect(open.address()), b"GET / HTTP/1.1\r\n\r\n").expect("a response");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[test]
fn loopback_needs_no_route() {
    let sandbox = Sandbox::builder().ipv6(true).start().expect("it starts");
    let proxy = Proxy::builder().ipv6(true).start();
    assert!(proxy.url().starts_with("http://[::1]:"));
    let get = format!(
        "GET {}/_sandbox/log HTTP/1.1\r\nhost: x\r\n\r\n",
        sandbox.url()
    );
    let answer = ask(&mut connect(proxy.address()), get.as_bytes()).expect("a response");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn proxy_serves_over_tls() {
    let sandbox = Sandbox::start();
    let authority = Authority::new();
    let tls = Tls::builder(&[AWS])
        .authority(&authority)
        .start(&sandbox.url());
    let proxy = Proxy::builder()
        .tls(&authority)
        .route(&format!("{AWS}:443"), tls.address())
        .start();
    assert!(proxy.url().starts_with("https://127.0.0.1:"));
    let mut outer = secure(connect(proxy.address()), "localhost", &authority.pem());
    assert!(tunnel(&mut outer, "").starts_with("HTTP/1.1 200 "));
    let mut inner = secure(outer, AWS, &authority.pem());
    assert!(arrived(&describe(&mut inner, AWS).expect("a response")));
    // Without TLS, the proxy does not respond.
    let answer = ask(
        &mut connect(proxy.address()),
        b"CONNECT x:1 HTTP/1.1\r\n\r\n",
    );
    assert!(!answer.unwrap_or_default().contains("HTTP/1.1"));
}
