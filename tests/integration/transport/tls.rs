//! Certificates, trust anchors and CA bundles.

use std::fs;

use insta::assert_snapshot;
use sandbox::Sandbox;
use sandbox::front::{Authority, Certificate, Tls};

use super::{cli_with_endpoint, with_ca};
use crate::common::{Cli, WAIT_LIMIT, current_value, normalized_stderr};

#[test]
fn invalid_certificates_are_explained() {
    let authority = Authority::new();
    let cases = [
        ("127.0.0.1", Certificate::Good),
        ("localhost", Certificate::Good),
        ("localhost", Certificate::Expired),
        ("localhost", Certificate::WrongHost),
        ("localhost", Certificate::UnknownAuthority),
        ("localhost", Certificate::SelfSigned),
        ("localhost", Certificate::NoNames),
        ("localhost", Certificate::Authority),
        ("localhost", Certificate::ShortKey),
    ];
    let mut all = String::new();
    for (host, certificate) in cases {
        let sandbox = Sandbox::start();
        let tls = Tls::builder(&[host])
            .certificate(certificate)
            .authority(&authority)
            .start(&sandbox.url());
        let cli = with_ca(
            cli_with_endpoint(&sandbox, &tls.url()),
            "AWS_CA_BUNDLE",
            &authority.pem(),
        );
        // One request at a time, so that attempts can be counted.
        let outcome = cli.input("compare", "never").run();
        if certificate == Certificate::Good {
            outcome.expect(0, "created");
            assert_eq!(current_value(&sandbox).as_deref(), Some("made-up-value"));
            continue;
        }
        assert_eq!(outcome.code, Some(7), "{certificate:?}: {}", outcome.stderr);
        // Certificate errors are not retried.
        assert!(tls.wait_for_handshakes(1, WAIT_LIMIT));
        assert_eq!(tls.handshakes().len(), 1, "{certificate:?}");
        assert!(sandbox.log().is_empty());
        let text = normalized_stderr(&outcome);
        let lines: Vec<_> = text.lines().take(2).collect();
        all.push_str(&format!("{}\n", lines.join("\n")));
    }
    assert_snapshot!(all, @r#"
    error: the certificate of localhost expired at 2021-01-01T00:00:00Z
      next: have it renewed, and check this machine's clock
    error: the certificate of localhost is for other names: wrong.example.com
      next: check AWS_ENDPOINT_URL and its variants; otherwise another server answers for AWS
    error: the certificate of localhost is not trusted: its issuer "CN=Unknown Test CA, O=Example Corp" is not in AWS_CA_BUNDLE
      next: if that is your company's proxy, save its CA certificate as a PEM file and name the file in AWS_CA_BUNDLE; otherwise another server answers for AWS
    error: the certificate of localhost is not trusted: its issuer "CN=localhost, O=Example Corp" is not in AWS_CA_BUNDLE
      next: if that is your company's proxy, save its CA certificate as a PEM file and name the file in AWS_CA_BUNDLE; otherwise another server answers for AWS
    error: the certificate of localhost has no subjectAltName, and the name in its subject does not count
      next: have it issued with the host as a subjectAltName
    error: the certificate of localhost is not trusted: it is a CA certificate (CA:TRUE), which a server must not use
      next: have the CA issue a certificate for the server
    error: the certificate of localhost is not trusted: it has an RSA key of 1024 bits, and 2048 are required
      next: have the certificates renewed with RSA keys of 2048 bits, or ECDSA, and SHA-256; behind a proxy that inspects TLS, its operator can
    "#);
}

/// The issuer is trusted by name and key, but its signatures are not.
#[test]
fn weak_authorities_are_explained() {
    let mut all = String::new();
    for authority in [Authority::with_short_key(), Authority::with_sha1()] {
        let sandbox = Sandbox::start();
        let tls = Tls::builder(&["localhost"])
            .authority(&authority)
            .start(&sandbox.url());
        let cli = cli_with_endpoint(&sandbox, &tls.url());
        let outcome = with_ca(cli, "AWS_CA_BUNDLE", &authority.pem()).run();
        assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
        assert!(sandbox.log().is_empty());
        all.push_str(outcome.stderr.lines().next().unwrap());
        all.push('\n');
    }
    assert_snapshot!(all, @r#"
    error: the certificate of localhost is not trusted: a CA that issued it, "CN=Sandbox Test CA, O=Example Corp", has an RSA key of 1024 bits, and 2048 are required
    error: the certificate of localhost is not trusted: it, or that of a CA that issued it, is signed with SHA-1, which is not safe
    "#);
}

#[test]
fn trust_store_follows_precedence() {
    let sandbox = Sandbox::start();
    let tls = Tls::start(&sandbox.url(), "localhost", Certificate::Good);
    let (right, wrong) = (tls.ca_pem(), Authority::new().pem());
    let cli = || cli_with_endpoint(&sandbox, &tls.url());
    let folder = |cli: Cli, pem: &str| {
        let folder = cli.path("certificates");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("made-up.pem"), pem).unwrap();
        fs::write(folder.join("README"), "not a certificate").unwrap();
        let path = folder.display().to_string();
        cli.env("SSL_CERT_DIR", &path)
    };
    let cases = [
        ("bundle", with_ca(cli(), "AWS_CA_BUNDLE", &right), None),
        ("file", with_ca(cli(), "SSL_CERT_FILE", &right), None),
        ("folder", folder(cli(), &right), None),
        (
            "both",
            folder(with_ca(cli(), "SSL_CERT_FILE", &wrong), &right),
            None,
        ),
        (
            "bundle before file",
            with_ca(
                with_ca(cli(), "AWS_CA_BUNDLE", &right),
                "SSL_CERT_FILE",
                &wrong,
            ),
            None,
        ),
        (
            "bundle and nothing else",
            with_ca(
                with_ca(cli(), "AWS_CA_BUNDLE", &wrong),
                "SSL_CERT_FILE",
                &right,
            ),
            Some("AWS_CA_BUNDLE"),
        ),
        (
            "among others",
            with_ca(
                cli(),
                "AWS_CA_BUNDLE",
                &format!("# ours\n{wrong}\n\n{right}"),
            ),
            None,
        ),
        (
            "the system",
            cli().env("AWS_CA_BUNDLE", ""),
            Some("the system's list"),
        ),
    ];
    for (context, cli, refused_by) in cases {
        let outcome = cli.run();
        match refused_by {
            None => assert_eq!(outcome.code, Some(0), "{context}: {}", outcome.stderr),
            Some(list) => {
                assert_eq!(outcome.code, Some(7), "{context}: {}", outcome.stderr);
                // Without system roots, Mozilla's are used; these do not include this CA either.
                let named = outcome.stderr.contains(&format!(" in {list}"))
                    || outcome.stderr.contains(" in Mozilla's list");
                assert!(named, "{context}: {}", outcome.stderr);
            }
        }
    }
}

#[test]
fn invalid_ca_bundle_is_rejected() {
    let sandbox = Sandbox::start();
    let good = Authority::new().pem();
    let cli = || cli_with_endpoint(&sandbox, "https://localhost:1");
    let key = good.replace("CERTIFICATE", "PRIVATE KEY");
    let broken = good.replacen("MII", "M!I", 1);
    let garbage = "-----BEGIN CERTIFICATE-----\nbWFkZSB1cA==\n-----END CERTIFICATE-----\n";
    let missing = cli();
    let path = missing.path("missing.pem").display().to_string();
    let directory = cli();
    let here = directory.path("").display().to_string();
    let cases = [
        with_ca(cli(), "AWS_CA_BUNDLE", ""),
        with_ca(cli(), "AWS_CA_BUNDLE", "made up"),
        with_ca(cli(), "AWS_CA_BUNDLE", &key),
        with_ca(cli(), "AWS_CA_BUNDLE", &broken),
        with_ca(cli(), "AWS_CA_BUNDLE", &format!("{good}{garbage}")),
        with_ca(
            cli(),
            "SSL_CERT_FILE",
            &format!("{good}{}", &good[..good.len() / 2]),
        ),
        cli().env("AWS_CA_BUNDLE", &key),
        cli().env("SSL_CERT_DIR", &key),
        missing.env("AWS_CA_BUNDLE", &path),
        directory.env("AWS_CA_BUNDLE", &here),
        cli().env("SSL_CERT_DIR", &path),
    ];
    let mut all = String::new();
    for cli in cases {
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("PRIVATE"), "{}", outcome.stderr);
        let first = outcome.stderr.lines().next().unwrap();
        let folder = cli.path("").display().to_string();
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
    "#);
}
