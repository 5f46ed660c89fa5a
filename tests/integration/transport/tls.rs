//! Certificates, trust anchors and CA bundles.

use std::fs;

use insta::assert_snapshot;
use sandbox::Sandbox;
use sandbox::front::{Authority, Certificate, Tls};

use super::{at, trusting};
use crate::common::{PATIENCE, Tool, current, text};

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
fn trust_store_follows_precedence() {
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
fn invalid_ca_bundle_is_rejected() {
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
