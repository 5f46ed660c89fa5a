//! HTTP proxies, `NO_PROXY`, and the host names that requests are sent to.

use std::time::Duration;

use insta::assert_snapshot;
use sandbox::Sandbox;
use sandbox::front::{Authority, Certificate, Proxy, Tls};

use super::{cli_to_aws, cli_with_endpoint, with_ca};
use crate::common::Cli;

const AWS: &str = "secretsmanager.eu-west-1.amazonaws.com";

/// A corporate network: AWS's real host name, a private CA and a proxy.
#[test]
fn https_proxy_tunnels_to_aws() {
    let sandbox = Sandbox::start();
    let tls = Tls::start(&sandbox.url(), AWS, Certificate::Good);
    let ca = tls.ca_pem();
    let target = format!("{AWS}:443");
    let cli = || with_ca(cli_to_aws(&sandbox), "AWS_CA_BUNDLE", &ca);

    let open = Proxy::builder().route(&target, tls.address()).start();
    cli()
        .env("HTTPS_PROXY", &open.url())
        .run()
        .expect(0, "created");
    cli()
        .env("https_proxy", &open.url())
        .run()
        .expect(0, "unchanged");
    cli()
        .env("ALL_PROXY", &open.url())
        .run()
        .expect(0, "unchanged");
    assert!(
        open.log()
            .iter()
            .all(|seen| seen.method == "CONNECT" && seen.target == target)
    );

    let closed = Proxy::builder()
        .route(&target, tls.address())
        .credentials("ci", "made-up p@ss:word")
        .start();
    cli()
        .env("HTTPS_PROXY", &closed.url_with_credentials())
        .run()
        .expect(0, "unchanged");

    let over_tls = Proxy::builder()
        .route(&target, tls.address())
        .tls(tls.authority())
        .start();
    cli()
        .env("HTTPS_PROXY", &over_tls.url())
        .run()
        .expect(0, "unchanged");
    assert!(!over_tls.log().is_empty());

    let over_ipv6 = Proxy::builder()
        .route(&target, tls.address())
        .ipv6(true)
        .start();
    cli()
        .env("HTTPS_PROXY", &over_ipv6.url())
        .run()
        .expect(0, "unchanged");
}

#[test]
fn proxy_errors_are_explained() {
    let sandbox = Sandbox::start();
    let tls = Tls::start(&sandbox.url(), AWS, Certificate::Good);
    let target = format!("{AWS}:443");
    let closed = Proxy::builder()
        .route(&target, tls.address())
        .credentials("ci", "made-up-right")
        .start();
    let forbidding = Proxy::builder().refuse(403).start();
    let failing = Proxy::builder().refuse(502).start();
    let plain = Proxy::builder().route(&target, tls.address()).start();
    let private = Proxy::builder().tls(&Authority::new()).start();
    let ntlm = Proxy::builder().scheme("NTLM").start();
    let wrong = closed.url().replace("http://", "http://ci:made-up-wrong@");
    // (proxy, URL, CONNECT requests); only transient errors are retried.
    let cases = [
        ("no password", closed.url(), 1),
        ("wrong password", wrong, 1),
        ("NTLM", ntlm.url(), 1),
        ("forbidden", forbidding.url(), 1),
        ("failing", failing.url(), 2),
        ("not TLS", plain.url().replace("http://", "https://"), 0),
        ("unknown CA", private.url(), 0),
        ("nobody there", "http://127.0.0.1:1".to_owned(), 0),
        ("no address", "http://made-up.invalid:3128".to_owned(), 0),
    ];
    let connect_count = || {
        let proxies = [&closed, &forbidding, &failing, &plain, &private, &ntlm];
        proxies.map(|proxy| proxy.log().len()).iter().sum::<usize>()
    };
    let mut all = String::new();
    for (context, url, times) in cases {
        let before = connect_count();
        let cli = with_ca(cli_to_aws(&sandbox), "AWS_CA_BUNDLE", &tls.ca_pem());
        let outcome = cli
            .env("HTTPS_PROXY", &url)
            .env("AWS_MAX_ATTEMPTS", "2")
            .input("compare", "never")
            .run();
        assert_eq!(outcome.code, Some(7), "{context}: {}", outcome.stderr);
        assert!(!outcome.all_output().contains("made-up-wrong"), "{context}");
        assert_eq!(connect_count() - before, times, "{context}");
        all.push_str(&format!(
            "{context}: {}\n",
            outcome.stderr.lines().next().unwrap()
        ));
    }
    assert_snapshot!(all, @r#"
    no password: error: the proxy 127.0.0.1 requires a user and a password, or rejected the ones it was given
    wrong password: error: the proxy 127.0.0.1 requires a user and a password, or rejected the ones it was given
    NTLM: error: the proxy 127.0.0.1 requires NTLM authentication, and only Basic is supported
    forbidden: error: the proxy 127.0.0.1 forbids the connection
    failing: error: the proxy 127.0.0.1 answered CONNECT with HTTP 502
    not TLS: error: the proxy 127.0.0.1 accepted the connection and did not complete the TLS handshake in time, which its URL asks for (https)
    unknown CA: error: the certificate of 127.0.0.1 is not trusted: it was signed with another key than "CN=Sandbox Test CA, O=Example Corp" has in AWS_CA_BUNDLE
    nobody there: error: cannot connect to the proxy 127.0.0.1
    no address: error: cannot resolve the proxy made-up.invalid
    "#);
    assert!(sandbox.log().is_empty());
}

/// A proxy that needs more time per connection than the first attempt allows.
#[test]
fn slow_proxy_gets_more_time() {
    let sandbox = Sandbox::start();
    let tls = Tls::start(&sandbox.url(), AWS, Certificate::Good);
    let proxy = Proxy::builder()
        .route(&format!("{AWS}:443"), tls.address())
        .delay(Duration::from_millis(2_600))
        .start();
    // The first attempt has 2.25 s for a connection, the next ones up to 4 s.
    with_ca(cli_to_aws(&sandbox), "AWS_CA_BUNDLE", &tls.ca_pem())
        .env("HTTPS_PROXY", &proxy.url())
        .input("timeout", "12s")
        .input("compare", "never")
        .run()
        .expect(0, "created");
    assert!(proxy.log().len() > 1);
}

#[test]
fn no_proxy_hosts_bypass_the_proxy() {
    let sandbox = Sandbox::start();
    let proxy = Proxy::builder().refuse(403).start();
    // Loopback addresses always bypass the proxy, names only if NO_PROXY lists them.
    Cli::new(&sandbox, "made-up-value")
        .env("HTTP_PROXY", &proxy.url())
        .env("ALL_PROXY", &proxy.url())
        .run()
        .expect(0, "created");
    assert_eq!(proxy.log(), []);
    let outcome = cli_to_aws(&sandbox)
        .env("HTTPS_PROXY", &proxy.url())
        .env("NO_PROXY", "10.0.0.0/8, .amazonaws.com")
        .env("AWS_MAX_ATTEMPTS", "1")
        .run();
    assert_eq!(outcome.code, Some(7));
    assert_eq!(proxy.log(), []);
}

/// With plain HTTP the proxy reads the request: it must receive its password, and AWS must not.
#[test]
fn http_proxy_receives_its_credentials() {
    let sandbox = Sandbox::start();
    let address = sandbox.url().trim_start_matches("http://").parse().unwrap();
    let proxy = Proxy::builder()
        .route("aws.example:80", address)
        .credentials("ci", "made-up")
        .start();
    cli_with_endpoint(&sandbox, "http://aws.example")
        .env("HTTP_PROXY", &proxy.url_with_credentials())
        .run()
        .expect(0, "created");
    assert!(
        proxy
            .log()
            .iter()
            .all(|seen| seen.method == "POST" && seen.authorized)
    );
}

/// The host that the proxy is asked to connect to.
#[test]
fn endpoint_host_follows_region_and_flags() {
    const FIPS: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "true");
    const DUAL: (&str, &str) = ("AWS_USE_DUALSTACK_ENDPOINT", "TRUE");
    type Flags = &'static [(&'static str, &'static str)];
    let cases: [(&str, Flags, &str); 8] = [
        ("eu-west-1", &[], "secretsmanager.eu-west-1.amazonaws.com"),
        (
            "us-east-1",
            &[FIPS],
            "secretsmanager-fips.us-east-1.amazonaws.com",
        ),
        (
            "us-gov-west-1",
            &[],
            "secretsmanager.us-gov-west-1.amazonaws.com",
        ),
        (
            "us-gov-west-1",
            &[FIPS],
            "secretsmanager-fips.us-gov-west-1.amazonaws.com",
        ),
        (
            "cn-north-1",
            &[],
            "secretsmanager.cn-north-1.amazonaws.com.cn",
        ),
        (
            "eusc-de-east-1",
            &[],
            "secretsmanager.eusc-de-east-1.amazonaws.eu",
        ),
        (
            "eu-west-1",
            &[DUAL],
            "secretsmanager.eu-west-1.amazonaws.com",
        ),
        (
            "us-east-1",
            &[("AWS_USE_FIPS_ENDPOINT", "false")],
            "secretsmanager.us-east-1.amazonaws.com",
        ),
    ];
    let sandbox = Sandbox::start();
    for (region, flags, host) in cases {
        let proxy = Proxy::builder().refuse(403).start();
        let mut cli = cli_to_aws(&sandbox)
            .env("AWS_REGION", region)
            .env("HTTPS_PROXY", &proxy.url());
        for (name, value) in flags {
            cli = cli.env(name, value);
        }
        assert_eq!(cli.run().code, Some(7));
        assert_eq!(
            proxy.log()[0].target,
            format!("{host}:443"),
            "{region} {flags:?}"
        );
    }
}
