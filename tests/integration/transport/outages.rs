//! Peers that do not respond or never stop responding, and IPv6.

use insta::assert_snapshot;
use sandbox::front::{BlackHole, Tls, Unaccepted};
use sandbox::{Fault, Sandbox};

use super::{cli_to_aws, cli_with_endpoint, with_ca};
use crate::common::{Cli, NAME, call_count, current_value};

#[test]
fn ipv6_endpoint_is_reachable() {
    let sandbox = Sandbox::start();
    let tls = Tls::builder(&["::1"]).ipv6(true).start(&sandbox.url());
    let endpoint = format!("https://[::1]:{}", tls.address().port());
    with_ca(
        cli_with_endpoint(&sandbox, &endpoint),
        "AWS_CA_BUNDLE",
        &tls.ca_pem(),
    )
    .run()
    .expect(0, "created");
}

/// Peers that accept a connection but never complete the response: the run ends with an error that reports this.
#[test]
fn silent_peers_end_in_timeout() {
    let sandbox = Sandbox::start();
    let hole = BlackHole::tcp();
    let half = BlackHole::half();
    let tls = BlackHole::tls("localhost");
    let cases = [
        ("nothing", hole.url(), None),
        (
            "no handshake",
            hole.url().replace("http://", "https://"),
            None,
        ),
        ("no answer", tls.url(), Some(tls.ca_pem())),
        ("half an answer", half.url(), None),
    ];
    let mut all = String::new();
    for (context, endpoint, ca) in cases {
        // One attempt, so that the cause is reported instead of the end of the run.
        let mut cli = cli_with_endpoint(&sandbox, &endpoint)
            .input("timeout", "2s")
            .input("compare", "never")
            .env("AWS_MAX_ATTEMPTS", "1");
        if let Some(ca) = ca {
            cli = with_ca(cli, "AWS_CA_BUNDLE", &ca);
        }
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(7), "{context}: {}", outcome.stderr);
        all.push_str(&format!(
            "{context}: {}\n",
            outcome.stderr.lines().next().unwrap()
        ));
    }
    // The same applies to a proxy.
    let outcome = cli_to_aws(&sandbox)
        .env("HTTPS_PROXY", &hole.url())
        .input("timeout", "2s")
        .run();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
    all.push_str(&format!(
        "proxy: {}\n",
        outcome.stderr.lines().next().unwrap()
    ));
    assert_snapshot!(all, @r#"
    nothing: error: AWS did not respond to DescribeSecret in time
    no handshake: error: 127.0.0.1 accepted the connection and did not complete the TLS handshake in time
    no answer: error: AWS did not respond to DescribeSecret in time
    half an answer: error: AWS did not respond to DescribeSecret in time
    proxy: error: the run did not end within UPSERT_SECRET_TIMEOUT, which is 2 s
    "#);
    assert!(hole.connections() > 0);
}

/// A firewall drops the packets to AWS, or to the proxy.
#[test]
#[cfg(target_os = "linux")]
fn dropped_packets_suggest_firewall() {
    let sandbox = Sandbox::start();
    let unaccepted = Unaccepted::start();
    let dropping = format!("https://{}", unaccepted.address());
    let direct = cli_with_endpoint(&sandbox, &dropping);
    let proxied = cli_to_aws(&sandbox).env("HTTPS_PROXY", &dropping.replace("https", "http"));
    let mut all = String::new();
    for cli in [direct, proxied] {
        let outcome = cli
            .input("timeout", "4s")
            .input("compare", "never")
            .env("AWS_MAX_ATTEMPTS", "1")
            .run();
        assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
        let lines: Vec<_> = outcome.stderr.lines().take(2).collect();
        all.push_str(&lines.join("\n"));
        all.push('\n');
    }
    assert_snapshot!(all, @r#"
    error: 127.0.0.1 did not accept a connection in time
      next: does a firewall drop the packets? This machine may need a proxy (HTTPS_PROXY) or a VPC endpoint
    error: the proxy 127.0.0.1 did not accept a connection in time
      next: HTTPS_PROXY or ALL_PROXY names the proxy; NO_PROXY=.amazonaws.com bypasses it
    "#);
}

/// The network fails after a confirmed write: the IDs are still output.
#[test]
fn outage_after_write_keeps_outputs() {
    let sandbox = Sandbox::start();
    Cli::new(&sandbox, "made-up-old").run().expect(0, "created");
    for nth in 1..=5 {
        sandbox.fault("TagResource", nth, Fault::Never);
    }
    let outcome = Cli::new(&sandbox, "made-up-new")
        .input("tags", "stage=prod")
        .input("timeout", "3s")
        .run();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up-new"));
    let id = sandbox.with(|world| world.secret(NAME).unwrap().current().unwrap().id.clone());
    assert_eq!(outcome.output("secret_version_id"), id);
    assert_eq!(outcome.output("result"), "updated");
    assert!(call_count(&sandbox, "TagResource") > 0);
}

/// The size limit of a response exceeds the size of the longest value, with six bytes of JSON per byte.
#[test]
fn oversized_response_is_rejected() {
    let longest = "\u{1}".repeat(65_535) + "x";
    for (size, code) in [(1024 * 1024, 0), (1024 * 1024 + 1, 7)] {
        let sandbox = Sandbox::start();
        let cli = || {
            let cli = Cli::new(&sandbox, "made-up").unset("UPSERT_SECRET_VALUE");
            std::fs::write(cli.path("value"), &longest).unwrap();
            let path = cli.path("value").display().to_string();
            cli.input("value-file", &path).env("AWS_MAX_ATTEMPTS", "1")
        };
        cli().run().expect(0, "created");
        for nth in 1..=20 {
            sandbox.fault("GetSecretValue", nth, Fault::Oversized(size));
        }
        let outcome = cli().run();
        assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
        assert_eq!(call_count(&sandbox, "PutSecretValue"), 0);
    }
}

/// In an error with megabytes of text, the code is still used. (Above 16 MiB, including escapes, a response counts as broken.)
#[test]
fn oversized_error_keeps_its_code() {
    let sandbox = Sandbox::start();
    let error = |message: &str| Fault::Error {
        status: 400,
        code: "AccessDeniedException".to_owned(),
        message: message.repeat(12 * 1024 * 1024 / message.len()),
    };
    for message in ["made-up-value", "a", "not authorized \" \\ é "] {
        sandbox.fault("CreateSecret", 1, error(message));
        let outcome = Cli::new(&sandbox, "made-up-value").run();
        assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
        assert!(outcome.all_output().len() < 20_000);
        assert!(!outcome.all_output().contains("made-up-value"));
    }
}

/// A container that permits no more threads, for example because of a process limit: the limit is reported, not a bug.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn missing_thread_is_reported_as_limit() {
    let sandbox = Sandbox::start();
    let endpoint = sandbox.url().replace("127.0.0.1", "localhost");
    let role = "arn:aws:iam::111122223333:role/ci";
    let lookup = cli_with_endpoint(&sandbox, &endpoint);
    let token_file = Cli::new(&sandbox, "made-up-value")
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY")
        .env("AWS_ROLE_ARN", role);
    let file = token_file.path("token").display().to_string();
    std::fs::write(&file, "made.up.token").unwrap();
    let token_file = token_file.env("AWS_WEB_IDENTITY_TOKEN_FILE", &file);
    let mut all = String::new();
    let value_file = cli_with_endpoint(&sandbox, &endpoint).unset("UPSERT_SECRET_VALUE");
    let file = value_file.path("value").display().to_string();
    std::fs::write(&file, "made-up-value").unwrap();
    let value_file = value_file.input("value-file", &file);
    for cli in [lookup, token_file, value_file] {
        // No thread can have a stack of that size.
        let outcome = cli
            .env("RUST_MIN_STACK", "4611686018427387904")
            .env("AWS_MAX_ATTEMPTS", "1")
            .run();
        assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
        all.push_str(outcome.stderr.lines().next().unwrap());
        all.push('\n');
    }
    assert_snapshot!(all, @r#"
    error: cannot start a thread to look up localhost
    error: cannot start a thread to read the token file
    error: cannot start a thread to look up localhost
    "#);
    assert!(sandbox.log().is_empty());
}
