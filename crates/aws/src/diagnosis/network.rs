//! Explains network, proxy and TLS errors.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use rustls::pki_types::UnixTime;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::quote::plain_text;

use crate::fault::{CertificateFault, NetworkFault, ProxyFault, RejectedCertificate};

#[cfg(test)]
mod tests;

const RUN_AGAIN: &str = "run again: a write that arrived is found and kept; if it keeps failing, check the network and the proxy";

/// The next step if the operating system permits no more threads.
pub(super) const MORE_THREADS: &str = "raise the limit of processes and threads of the container or the user (`--pids-limit`, `pids.max`, `ulimit -u`), \
     or end other processes; nothing is wrong with the network";

pub(super) fn explain(fault: &NetworkFault, region: &str) -> Failure {
    let (what, next) = match fault {
        NetworkFault::UnusableProxy(why) => {
            return Failure::new(
                Class::Input,
                why.clone(),
                "set HTTPS_PROXY to an HTTP proxy (it takes precedence over ALL_PROXY), or list the hosts \
                 that need no proxy in NO_PROXY",
            );
        }
        NetworkFault::Dns { host } => {
            let is_regional = !region.is_empty() && host.contains(region);
            let region_hint = is_regional.then(|| format!("is `{region}` an existing region? "));
            (
                format!("cannot resolve {host}"),
                region_hint.unwrap_or_default()
                    + "does this machine have a working name server (DNS), or does it need a proxy (HTTPS_PROXY)?",
            )
        }
        NetworkFault::DnsTimeout { host } => (
            format!("the name servers did not resolve {host} in time"),
            "check the name servers of this machine (/etc/resolv.conf): an unreachable first one costs seconds in each lookup; \
             a longer `timeout` gives them more time"
                .to_owned(),
        ),
        NetworkFault::NoThread { host } => (
            format!("cannot start a thread to look up {host}"),
            MORE_THREADS.to_owned(),
        ),
        NetworkFault::Refused { host } => (
            format!("{host} refused the connection"),
            "check AWS_ENDPOINT_URL and its variants, and the proxy settings (HTTPS_PROXY)".to_owned(),
        ),
        NetworkFault::Timeout { host } => (
            format!("{host} did not accept a connection in time"),
            "does a firewall drop the packets? This machine may need a proxy (HTTPS_PROXY) or a VPC endpoint".to_owned(),
        ),
        NetworkFault::NoRoute { host } => (
            format!("there is no route to {host}"),
            "does this machine have a network? It may need a proxy (HTTPS_PROXY) or a VPC endpoint".to_owned(),
        ),
        NetworkFault::TlsTimeout { host } => (
            format!("{host} accepted the connection and did not complete the TLS handshake in time"),
            "check the port, AWS_ENDPOINT_URL and its variants, and any firewall, proxy or load balancer \
             in between".to_owned(),
        ),
        NetworkFault::Certificate(rejected) => explain_rejected_certificate(rejected),
        NetworkFault::Tls { host } => (
            format!("{host} does not support TLS, or only versions that are not secure"),
            "check the port, AWS_ENDPOINT_URL and its variants, and any proxy or load balancer in between".to_owned(),
        ),
        NetworkFault::Proxy { proxy, fault } => explain_proxy_fault(proxy, *fault),
        NetworkFault::UnknownScheme { host } => (
            format!("the address of {host} is neither https:// nor http://"),
            "correct the variable or the setting of the profile that names it, such as `endpoint_url`".to_owned(),
        ),
        NetworkFault::ConnectFailed { host } => (
            format!("the connection to {host} broke before it was established"),
            RUN_AGAIN.to_owned(),
        ),
        NetworkFault::ConnectionLost => ("the connection to AWS broke".to_owned(), RUN_AGAIN.to_owned()),
    };
    Failure::new(Class::Unavailable, what, next)
}

fn explain_proxy_fault(proxy: &str, fault: ProxyFault) -> (String, String) {
    const WHICH_PROXY: &str =
        "HTTPS_PROXY or ALL_PROXY names the proxy; NO_PROXY=.amazonaws.com bypasses it";
    let what = match fault {
        ProxyFault::Dns => format!("cannot resolve the proxy {proxy}"),
        ProxyFault::DnsTimeout => {
            format!("the name servers did not resolve the proxy {proxy} in time")
        }
        ProxyFault::Unreachable => format!("cannot connect to the proxy {proxy}"),
        ProxyFault::Silent => format!("the proxy {proxy} did not accept a connection in time"),
        ProxyFault::Tls => {
            format!("the proxy {proxy} does not speak TLS, although its URL says https")
        }
        ProxyFault::TlsTimeout => format!(
            "the proxy {proxy} accepted the connection and did not complete the TLS handshake in time, which its URL asks for (https)"
        ),
        ProxyFault::Timeout => format!("the proxy {proxy} did not connect to AWS in time"),
        ProxyFault::InvalidResponse => format!("the proxy {proxy} closed the connection"),
        ProxyFault::Scheme(scheme) => {
            return (
                format!("the proxy {proxy} requires {scheme} authentication, and only Basic is supported"),
                "use a proxy without authentication or with Basic, or a local forwarder that authenticates, such as cntlm; \
                 or have this host exempted"
                    .to_owned(),
            );
        }
        ProxyFault::Status(407) => {
            return (
                format!("the proxy {proxy} requires a user and a password, or rejected the ones it was given"),
                "put them into the URL, percent-encoded: `HTTPS_PROXY=http://user:password@proxy:3128`".to_owned(),
            );
        }
        ProxyFault::Status(403) => {
            return (
                format!("the proxy {proxy} forbids the connection"),
                "allow CONNECT to *.amazonaws.com:443 on the proxy (and with OIDC on GitHub to *.actions.githubusercontent.com:443)".to_owned(),
            );
        }
        ProxyFault::Status(status) => {
            format!("the proxy {proxy} answered CONNECT with HTTP {status}")
        }
    };
    (what, WHICH_PROXY.to_owned())
}

/// The headline includes the issuer, because people search for that line.
fn explain_rejected_certificate(rejected: &RejectedCertificate) -> (String, String) {
    const RENEW: &str = "have the certificates renewed with RSA keys of 2048 bits, or ECDSA, and SHA-256; behind a proxy that inspects TLS, its operator can";
    const REISSUE: &str = "have a valid certificate issued for the server; behind a proxy that inspects TLS, its operator can";
    let RejectedCertificate {
        host,
        fault,
        issuer,
        origin,
    } = rejected;
    let (what, next) = match fault {
        CertificateFault::UnknownIssuer => (
            format!("is not trusted: its issuer \"{issuer}\" is not in {origin}"),
            "if that is your company's proxy, save its CA certificate as a PEM file and name the file in AWS_CA_BUNDLE; otherwise another server answers for AWS",
        ),
        CertificateFault::OtherKey => (
            format!(
                "is not trusted: it was signed with another key than \"{issuer}\" has in {origin}"
            ),
            "if that is your company's proxy, its CA may have been renewed: save its current certificate \
             as a PEM file and name the file in AWS_CA_BUNDLE; otherwise another server answers for AWS",
        ),
        CertificateFault::ShortCaKey { bits } => (
            format!("is not trusted: a CA that issued it, \"{issuer}\", has an RSA key of {bits} bits, and 2048 are required"),
            RENEW,
        ),
        CertificateFault::ShortKey { bits } => (
            format!("is not trusted: it has an RSA key of {bits} bits, and 2048 are required"),
            RENEW,
        ),
        CertificateFault::Sha1 => (
            "is not trusted: it, or that of a CA that issued it, is signed with SHA-1, which is not safe".to_owned(),
            RENEW,
        ),
        CertificateFault::Algorithm => (
            "is not trusted: it has a key or a signature of an algorithm that is not supported".to_owned(),
            RENEW,
        ),
        CertificateFault::Expired(at) => {
            let at = at.map(|time| format!(" at {}", format_time(time)));
            (
                format!("expired{}", at.unwrap_or_default()),
                "have it renewed, and check this machine's clock",
            )
        }
        CertificateFault::NotYetValid(from) => {
            let from = from.map(|time| format!(" before {}", format_time(time)));
            (
                format!("is not valid{}", from.unwrap_or_else(|| " yet".to_owned())),
                "check this machine's clock",
            )
        }
        CertificateFault::NoNames => (
            "has no subjectAltName, and the name in its subject does not count".to_owned(),
            "have it issued with the host as a subjectAltName",
        ),
        CertificateFault::OtherNames(presented) => {
            // A shared certificate can have hundreds of names.
            let names: Vec<_> = presented
                .iter()
                .take(3)
                .map(|name| plain_name(name))
                .collect();
            (
                format!("is for other names: {}", names.join(", ")),
                "check AWS_ENDPOINT_URL and its variants; otherwise another server answers for AWS",
            )
        }
        CertificateFault::IsCa => (
            "is not trusted: it is a CA certificate (CA:TRUE), which a server must not use".to_owned(),
            "have the CA issue a certificate for the server",
        ),
        CertificateFault::IssuerIsNoCa => (
            "is not trusted: its issuer's certificate is not a CA certificate".to_owned(),
            REISSUE,
        ),
        CertificateFault::NameConstraint => (
            format!(
                "is not trusted: its CA, \"{issuer}\", is not allowed to issue certificates for this \
                 name"),
            REISSUE,
        ),
        CertificateFault::NotForServers => (
            "is not trusted: its extended key usage excludes servers".to_owned(),
            "behind a proxy that inspects TLS, have its CA issue certificates for servers",
        ),
        CertificateFault::NotItsKey => (
            "is not trusted: the server did not prove that it holds the private key".to_owned(),
            "check the server's certificate and key",
        ),
        // Revoked, malformed, or of an unknown kind.
        CertificateFault::Invalid => (
            "is not trusted: it is not a valid server certificate".to_owned(),
            REISSUE,
        ),
    };
    (format!("the certificate of {host} {what}"), next.to_owned())
}

/// The name in `DnsName("example.com")`, which is how rustls formats it.
fn plain_name(presented: &str) -> String {
    let name = presented
        .split_once('(')
        .map_or(presented, |(_, rest)| rest)
        .trim_end_matches(')');
    plain_text(name.trim_matches('"'))
}

/// The time in RFC 3339 format.
fn format_time(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| DateTime::from_secs(seconds).fmt(Format::DateTime).ok())
        .unwrap_or_default()
}
