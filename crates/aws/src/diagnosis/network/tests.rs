use std::time::Duration;

use super::*;

fn what(fault: &NetworkFault) -> String {
    explain(fault, "eu-west-1").what
}

#[test]
fn rejected_certificate_has_its_reason() {
    use CertificateFault::*;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(1_700_000_000));
    let names = |names: &[&str]| OtherNames(names.iter().map(|&name| name.to_owned()).collect());
    let cases = [
        (
            UnknownIssuer,
            "is not trusted: its issuer \"CN=Example Root CA\" is not in SSL_CERT_FILE",
        ),
        (
            OtherKey,
            "is not trusted: it was signed with another key than \"CN=Example Root CA\" has in SSL_CERT_FILE",
        ),
        (
            ShortCaKey { bits: 1024 },
            "is not trusted: a CA that issued it, \"CN=Example Root CA\", has an RSA key of 1024 bits, and 2048 are required",
        ),
        (
            ShortKey { bits: 1024 },
            "is not trusted: it has an RSA key of 1024 bits, and 2048 are required",
        ),
        (
            Sha1,
            "is not trusted: it, or that of a CA that issued it, is signed with SHA-1, which is not safe",
        ),
        (Expired(None), "expired"),
        (Expired(Some(time)), "expired at 2023-11-14T22:13:20Z"),
        (NotYetValid(None), "is not valid yet"),
        (
            NotYetValid(Some(time)),
            "is not valid before 2023-11-14T22:13:20Z",
        ),
        (
            NoNames,
            "has no subjectAltName, and the name in its subject does not count",
        ),
        (
            names(&[r#"DnsName("a.example")"#, "IpAddress(::1)", "c\nd", "e"]),
            "is for other names: a.example, ::1, c d",
        ),
        (
            IsCa,
            "is not trusted: it is a CA certificate (CA:TRUE), which a server must not use",
        ),
        (
            Invalid,
            "is not trusted: it is not a valid server certificate",
        ),
    ];
    for (fault, expected) in cases {
        let rejected = NetworkFault::Certificate(Box::new(RejectedCertificate {
            host: "localhost".to_owned(),
            fault,
            issuer: "CN=Example Root CA".to_owned(),
            origin: "SSL_CERT_FILE",
        }));
        assert_eq!(
            what(&rejected),
            format!("the certificate of localhost {expected}")
        );
    }
}

#[test]
fn each_network_fault_has_its_own_headline() {
    use NetworkFault::*;
    let host = || "aws.example".to_owned();
    let proxy = |fault| Proxy {
        proxy: host(),
        fault,
    };
    let faults = [
        Dns { host: host() },
        DnsTimeout { host: host() },
        NoThread { host: host() },
        Refused { host: host() },
        Timeout { host: host() },
        NoRoute { host: host() },
        TlsTimeout { host: host() },
        Tls { host: host() },
        ConnectFailed { host: host() },
        ConnectionLost,
        proxy(ProxyFault::Dns),
        proxy(ProxyFault::DnsTimeout),
        proxy(ProxyFault::Unreachable),
        proxy(ProxyFault::Silent),
        proxy(ProxyFault::Timeout),
        proxy(ProxyFault::Tls),
        proxy(ProxyFault::TlsTimeout),
        proxy(ProxyFault::Status(407)),
        proxy(ProxyFault::Status(403)),
        proxy(ProxyFault::Status(502)),
        proxy(ProxyFault::Scheme("NTLM")),
        proxy(ProxyFault::InvalidResponse),
    ];
    let headlines: std::collections::BTreeSet<_> = faults.iter().map(what).collect();
    assert_eq!(headlines.len(), faults.len());
}
