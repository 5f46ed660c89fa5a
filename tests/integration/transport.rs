//! Connections: real TLS servers, proxies and silent networks on loopback, and what the program says
//! of each of them.

use std::fs;

use insta::assert_snapshot;
use sandbox::front::{Authority, BlackHole, Certificate, Proxy, Tls};
use sandbox::{Fault, Sandbox};

use crate::common::{NAME, PATIENCE, Tool, calls, current, text};

const AWS: &str = "secretsmanager.eu-west-1.amazonaws.com";

/// The program with this endpoint, whatever it is.
fn at(sandbox: &Sandbox, endpoint: &str) -> Tool {
    Tool::new(sandbox, "made-up-value").env("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint)
}

/// The program on its way to AWS itself; only a proxy can lead it to the sandbox.
fn to_aws(sandbox: &Sandbox) -> Tool {
    Tool::new(sandbox, "made-up-value")
        .unset("AWS_ENDPOINT_URL_SECRETS_MANAGER")
        .unset("AWS_ENDPOINT_URL_STS")
}

/// Has the program trust this, by the variable.
fn trusting(tool: Tool, variable: &str, pem: &str) -> Tool {
    let file = tool.path(&format!("{variable}.pem"));
    fs::write(&file, pem).unwrap();
    tool.env(variable, &file.display().to_string())
}

#[test]
fn certificates() {
    let authority = Authority::new();
    let cases = [
        ("127.0.0.1", Certificate::Good),
        ("localhost", Certificate::Good),
        ("localhost", Certificate::Expired),
        ("localhost", Certificate::WrongHost),
        ("localhost", Certificate::UnknownAuthority),
        ("localhost", Certificate::SelfSigned),
    ];
    let mut all = String::new();
    for (host, certificate) in cases {
        let sandbox = Sandbox::start();
        let tls = Tls::builder(&[host])
            .certificate(certificate)
            .authority(&authority)
            .start(&sandbox.url());
        let tool = trusting(at(&sandbox, &tls.url()), "AWS_CA_BUNDLE", &authority.pem());
        // One request at a time, so that attempts can be counted.
        let done = tool.input("compare", "never").run();
        if certificate == Certificate::Good {
            done.expect(0, "created");
            assert_eq!(current(&sandbox).as_deref(), Some("made-up-value"));
            continue;
        }
        assert_eq!(done.code, Some(7), "{certificate:?}: {}", done.stderr);
        // Not tried again: time mends no certificate.
        assert!(tls.wait_for_handshakes(1, PATIENCE));
        assert_eq!(tls.handshakes().len(), 1, "{certificate:?}");
        assert!(sandbox.log().is_empty());
        let text = text(&done);
        let lines: Vec<_> = text.lines().take(2).collect();
        all.push_str(&format!("{}\n", lines.join("\n")));
    }
    assert_snapshot!(all, @r#"
    error: the certificate of localhost expired at 2021-01-01T00:00:00Z
      next: have it renewed, and check this machine's clock
    error: the certificate of localhost is for other names: wrong.example.com
      next: check AWS_ENDPOINT_URL and its kind; otherwise somebody else answers for AWS
    error: the certificate of localhost is not trusted: its issuer "CN=Unknown Test CA, O=Example Corp" is not in AWS_CA_BUNDLE
      next: if that is your company's proxy, save its CA certificate as a PEM file and name the file in AWS_CA_BUNDLE; otherwise somebody else answers for AWS
    error: the certificate of localhost is not trusted: its issuer "CN=localhost, O=Example Corp" is not in AWS_CA_BUNDLE
      next: if that is your company's proxy, save its CA certificate as a PEM file and name the file in AWS_CA_BUNDLE; otherwise somebody else answers for AWS
    "#);
}

#[test]
fn whom_it_trusts() {
    let sandbox = Sandbox::start();
    let tls = Tls::start(&sandbox.url(), "localhost", Certificate::Good);
    let (right, wrong) = (tls.ca_pem(), Authority::new().pem());
    let tool = || at(&sandbox, &tls.url());
    let folder = |tool: Tool, pem: &str| {
        let folder = tool.path("certificates");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("made-up.pem"), pem).unwrap();
        fs::write(folder.join("README"), "not a certificate").unwrap();
        let path = folder.display().to_string();
        tool.env("SSL_CERT_DIR", &path)
    };
    let cases = [
        ("bundle", trusting(tool(), "AWS_CA_BUNDLE", &right), None),
        ("file", trusting(tool(), "SSL_CERT_FILE", &right), None),
        ("folder", folder(tool(), &right), None),
        (
            "both",
            folder(trusting(tool(), "SSL_CERT_FILE", &wrong), &right),
            None,
        ),
        (
            "bundle before file",
            trusting(
                trusting(tool(), "AWS_CA_BUNDLE", &right),
                "SSL_CERT_FILE",
                &wrong,
            ),
            None,
        ),
        (
            "bundle and nothing else",
            trusting(
                trusting(tool(), "AWS_CA_BUNDLE", &wrong),
                "SSL_CERT_FILE",
                &right,
            ),
            Some("AWS_CA_BUNDLE"),
        ),
        (
            "among others",
            trusting(
                tool(),
                "AWS_CA_BUNDLE",
                &format!("# ours\n{wrong}\n\n{right}"),
            ),
            None,
        ),
        (
            "the system",
            tool().env("AWS_CA_BUNDLE", ""),
            Some("the system's list"),
        ),
    ];
    for (what, tool, refused_by) in cases {
        let done = tool.run();
        match refused_by {
            None => assert_eq!(done.code, Some(0), "{what}: {}", done.stderr),
            Some(list) => {
                assert_eq!(done.code, Some(7), "{what}: {}", done.stderr);
                // A machine without any has Mozilla's, which does not hold this one either.
                let named = done.stderr.contains(&format!(" in {list}"))
                    || done.stderr.contains(" in Mozilla's list");
                assert!(named, "{what}: {}", done.stderr);
            }
        }
    }
}

#[test]
fn a_bundle_that_is_none() {
    let sandbox = Sandbox::start();
    let good = Authority::new().pem();
    let tool = || at(&sandbox, "https://localhost:1");
    let key = good.replace("CERTIFICATE", "PRIVATE KEY");
    let broken = good.replacen("MII", "M!I", 1);
    let garbage = "-----BEGIN CERTIFICATE-----\nbWFkZSB1cA==\n-----END CERTIFICATE-----\n";
    let missing = tool();
    let path = missing.path("missing.pem").display().to_string();
    let directory = tool();
    let here = directory.path("").display().to_string();
    let cases = [
        trusting(tool(), "AWS_CA_BUNDLE", ""),
        trusting(tool(), "AWS_CA_BUNDLE", "made up"),
        trusting(tool(), "AWS_CA_BUNDLE", &key),
        trusting(tool(), "AWS_CA_BUNDLE", &broken),
        trusting(tool(), "AWS_CA_BUNDLE", &format!("{good}{garbage}")),
        trusting(
            tool(),
            "SSL_CERT_FILE",
            &format!("{good}{}", &good[..good.len() / 2]),
        ),
        tool().env("AWS_CA_BUNDLE", &key),
        tool().env("SSL_CERT_DIR", &key),
        missing.env("AWS_CA_BUNDLE", &path),
        directory.env("AWS_CA_BUNDLE", &here),
        tool().env("SSL_CERT_DIR", &path),
        tool().env("SSL_CERT_FILE", ""),
    ];
    let mut all = String::new();
    for tool in cases {
        let done = tool.run();
        assert_eq!(done.code, Some(2), "{}", done.stderr);
        assert!(!done.stderr.contains("PRIVATE"), "{}", done.stderr);
        let first = done.stderr.lines().next().unwrap();
        let folder = tool.path("").display().to_string();
        all.push_str(&format!(
            "{}\n",
            first.replace(&folder, "…/").replace(&path, "…/missing.pem")
        ));
    }
    assert_snapshot!(all, @r#"
    error: AWS_CA_BUNDLE: …/AWS_CA_BUNDLE.pem holds no certificate; it must have lines `-----BEGIN CERTIFICATE-----`
    error: AWS_CA_BUNDLE: …/AWS_CA_BUNDLE.pem holds no certificate; it must have lines `-----BEGIN CERTIFICATE-----`
    error: AWS_CA_BUNDLE: …/AWS_CA_BUNDLE.pem holds no certificate; it must have lines `-----BEGIN CERTIFICATE-----`
    error: AWS_CA_BUNDLE: …/AWS_CA_BUNDLE.pem is no PEM file: certificate 1 is broken off or is not base64
    error: AWS_CA_BUNDLE: …/AWS_CA_BUNDLE.pem holds something in place of certificate 2
    error: SSL_CERT_FILE: …/SSL_CERT_FILE.pem is no PEM file: certificate 2 is broken off or is not base64
    error: AWS_CA_BUNDLE holds no path; it must name a PEM file, not hold what is in one
    error: SSL_CERT_DIR holds no path
    error: AWS_CA_BUNDLE: …/missing.pem cannot be read: there is no such file
    error: AWS_CA_BUNDLE: …/ is no file
    error: SSL_CERT_DIR: no certificate was found in …/missing.pem
    error: SSL_CERT_FILE is set but empty; unset it
    "#);
}

/// AWS's own host name, a private CA and a proxy in between: the whole of a company's network.
#[test]
fn through_a_proxy() {
    let sandbox = Sandbox::start();
    let tls = Tls::start(&sandbox.url(), AWS, Certificate::Good);
    let ca = tls.ca_pem();
    let target = format!("{AWS}:443");
    let tool = || trusting(to_aws(&sandbox), "AWS_CA_BUNDLE", &ca);

    let open = Proxy::builder().route(&target, tls.address()).start();
    tool()
        .env("HTTPS_PROXY", &open.url())
        .run()
        .expect(0, "created");
    tool()
        .env("https_proxy", &open.url())
        .run()
        .expect(0, "unchanged");
    tool()
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
    tool()
        .env("HTTPS_PROXY", &closed.url_with_credentials())
        .run()
        .expect(0, "unchanged");

    let over_tls = Proxy::builder()
        .route(&target, tls.address())
        .tls(tls.authority())
        .start();
    tool()
        .env("HTTPS_PROXY", &over_tls.url())
        .run()
        .expect(0, "unchanged");
    assert!(!over_tls.log().is_empty());

    let over_ipv6 = Proxy::builder()
        .route(&target, tls.address())
        .ipv6(true)
        .start();
    tool()
        .env("HTTPS_PROXY", &over_ipv6.url())
        .run()
        .expect(0, "unchanged");
}

#[test]
fn what_a_proxy_can_do_instead() {
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
    let wrong = closed.url().replace("http://", "http://ci:made-up-wrong@");
    // Tried again is only what may pass.
    let cases = [
        ("no password", closed.url(), 1),
        ("wrong password", wrong, 1),
        ("forbidden", forbidding.url(), 1),
        ("failing", failing.url(), 2),
        ("not TLS", plain.url().replace("http://", "https://"), 0),
        ("unknown CA", private.url(), 0),
        ("nobody there", "http://127.0.0.1:1".to_owned(), 0),
        ("no address", "http://made-up.invalid:3128".to_owned(), 0),
    ];
    let asked = || {
        let proxies = [&closed, &forbidding, &failing, &plain, &private];
        proxies.map(|proxy| proxy.log().len()).iter().sum::<usize>()
    };
    let mut all = String::new();
    for (what, url, times) in cases {
        let before = asked();
        let tool = trusting(to_aws(&sandbox), "AWS_CA_BUNDLE", &tls.ca_pem());
        let done = tool
            .env("HTTPS_PROXY", &url)
            .env("AWS_MAX_ATTEMPTS", "2")
            .input("compare", "never")
            .run();
        assert_eq!(done.code, Some(7), "{what}: {}", done.stderr);
        assert!(!done.everything().contains("made-up-wrong"), "{what}");
        assert_eq!(asked() - before, times, "{what}");
        all.push_str(&format!(
            "{what}: {}\n",
            done.stderr.lines().next().unwrap()
        ));
    }
    assert_snapshot!(all, @r#"
    no password: error: the proxy 127.0.0.1 wants a user and a password, or does not take the ones it was given
    wrong password: error: the proxy 127.0.0.1 wants a user and a password, or does not take the ones it was given
    forbidden: error: the proxy 127.0.0.1 does not allow the connection
    failing: error: the proxy 127.0.0.1 answered CONNECT with HTTP 502
    not TLS: error: the proxy 127.0.0.1 made no connection in time
    unknown CA: error: the certificate of 127.0.0.1 is not trusted: it was signed with another key than "CN=Sandbox Test CA, O=Example Corp" has in AWS_CA_BUNDLE
    nobody there: error: the proxy 127.0.0.1 could not be connected to
    no address: error: the proxy made-up.invalid has no address
    "#);
    assert!(sandbox.log().is_empty());
}

#[test]
fn what_goes_around_a_proxy() {
    let sandbox = Sandbox::start();
    let proxy = Proxy::builder().refuse(403).start();
    // Loopback always; names only where NO_PROXY says so.
    Tool::new(&sandbox, "made-up-value")
        .env("HTTP_PROXY", &proxy.url())
        .env("ALL_PROXY", &proxy.url())
        .run()
        .expect(0, "created");
    assert_eq!(proxy.log(), []);
    let done = to_aws(&sandbox)
        .env("HTTPS_PROXY", &proxy.url())
        .env("NO_PROXY", "10.0.0.0/8, .amazonaws.com")
        .env("AWS_MAX_ATTEMPTS", "1")
        .run();
    assert_eq!(done.code, Some(7));
    assert_eq!(proxy.log(), []);
}

/// Plain HTTP through a proxy: the proxy reads the request, and must get its password, and AWS must
/// not.
#[test]
fn plain_http_through_a_proxy() {
    let sandbox = Sandbox::start();
    let address = sandbox.url().trim_start_matches("http://").parse().unwrap();
    let proxy = Proxy::builder()
        .route("aws.example:80", address)
        .credentials("ci", "made-up")
        .start();
    at(&sandbox, "http://aws.example")
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

/// Which host each region's request goes to, as the proxy is asked for it.
#[test]
fn partitions_and_kinds_of_endpoints() {
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
        let mut tool = to_aws(&sandbox)
            .env("AWS_REGION", region)
            .env("HTTPS_PROXY", &proxy.url());
        for (name, value) in flags {
            tool = tool.env(name, value);
        }
        assert_eq!(tool.run().code, Some(7));
        assert_eq!(
            proxy.log()[0].target,
            format!("{host}:443"),
            "{region} {flags:?}"
        );
    }
}

#[test]
fn ipv6() {
    let sandbox = Sandbox::start();
    let tls = Tls::builder(&["::1"]).ipv6(true).start(&sandbox.url());
    let endpoint = format!("https://[::1]:{}", tls.address().port());
    trusting(at(&sandbox, &endpoint), "AWS_CA_BUNDLE", &tls.ca_pem())
        .run()
        .expect(0, "created");
}

/// Networks that swallow everything: each run ends, says so, and leaves nothing waiting.
#[test]
fn silence() {
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
    for (what, endpoint, ca) in cases {
        // One attempt, so that it is the reason that is told, and not the end of the run.
        let mut tool = at(&sandbox, &endpoint)
            .input("timeout", "2s")
            .input("compare", "never")
            .env("AWS_MAX_ATTEMPTS", "1");
        if let Some(ca) = ca {
            tool = trusting(tool, "AWS_CA_BUNDLE", &ca);
        }
        let done = tool.run();
        assert_eq!(done.code, Some(7), "{what}: {}", done.stderr);
        all.push_str(&format!(
            "{what}: {}\n",
            done.stderr.lines().next().unwrap()
        ));
    }
    // A proxy that swallows everything is one, too.
    let done = to_aws(&sandbox)
        .env("HTTPS_PROXY", &hole.url())
        .input("timeout", "2s")
        .run();
    assert_eq!(done.code, Some(7), "{}", done.stderr);
    all.push_str(&format!("proxy: {}\n", done.stderr.lines().next().unwrap()));
    assert_snapshot!(all, @r#"
    nothing: error: AWS did not answer DescribeSecret in time
    no handshake: error: there was no connection to 127.0.0.1 in time
    no answer: error: AWS did not answer DescribeSecret in time
    half an answer: error: AWS did not answer DescribeSecret in time
    proxy: error: the run did not end within `timeout`, which is 2 s
    "#);
    assert!(hole.connections() > 0);
}

/// The network dies after a write that was confirmed: the ids are there all the same.
#[test]
fn silence_after_a_confirmed_write() {
    let sandbox = Sandbox::start();
    Tool::new(&sandbox, "made-up-old")
        .run()
        .expect(0, "created");
    for nth in 1..=5 {
        sandbox.fault("TagResource", nth, Fault::Never);
    }
    let done = Tool::new(&sandbox, "made-up-new")
        .input("tags", "stage=prod")
        .input("timeout", "3s")
        .run();
    assert_eq!(done.code, Some(7), "{}", done.stderr);
    assert_eq!(current(&sandbox).as_deref(), Some("made-up-new"));
    let id = sandbox.with(|world| world.secret(NAME).unwrap().current().unwrap().id.clone());
    assert_eq!(done.output("secret_version_id"), id);
    assert_eq!(done.output("result"), "updated");
    assert!(calls(&sandbox, "TagResource") > 0);
}

/// A server that answers for ever is one that never ends.
#[test]
fn an_answer_without_end() {
    let sandbox = Sandbox::start();
    for operation in ["DescribeSecret", "GetSecretValue"] {
        for nth in 1..=10 {
            sandbox.fault(operation, nth, Fault::Oversized(17 * 1024 * 1024));
        }
    }
    let done = Tool::new(&sandbox, "made-up-value")
        .env("AWS_MAX_ATTEMPTS", "1")
        .run();
    assert_eq!(done.code, Some(7), "{}", done.stderr);
    assert_eq!(calls(&sandbox, "CreateSecret"), 0);
}
