//! Peers that do not respond or never stop responding, and IPv6.

use insta::assert_snapshot;
use sandbox::front::{BlackHole, Tls};
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

/// Peers that accept a connection and never complete the response: the run ends with an error that
/// says so.
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
        // One attempt, so that the cause is reported and not the end of the run.
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
    nothing: error: AWS did not answer DescribeSecret in time
    no handshake: error: there was no connection to 127.0.0.1 in time
    no answer: error: AWS did not answer DescribeSecret in time
    half an answer: error: AWS did not answer DescribeSecret in time
    proxy: error: the run did not end within `timeout`, which is 2 s
    "#);
    assert!(hole.connections() > 0);
}

/// The network fails after a confirmed write: the IDs are output nevertheless.
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

/// The size of a response is limited.
#[test]
fn oversized_response_is_rejected() {
    let sandbox = Sandbox::start();
    for operation in ["DescribeSecret", "GetSecretValue"] {
        for nth in 1..=10 {
            sandbox.fault(operation, nth, Fault::Oversized(17 * 1024 * 1024));
        }
    }
    let outcome = Cli::new(&sandbox, "made-up-value")
        .env("AWS_MAX_ATTEMPTS", "1")
        .run();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
    assert_eq!(call_count(&sandbox, "CreateSecret"), 0);
}
