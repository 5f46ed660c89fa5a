//! Explanations of network, proxy and TLS errors.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;
use upsert_secret_core::failure::{Class, Failure};

use crate::fault::{NetworkFault, ProxyFault, RejectedCertificate};

const RUN_AGAIN: &str = "run again: a write that arrived is found and kept; if it goes on, look at the network and the proxy";

pub(super) fn explain(fault: &NetworkFault, region: &str) -> Failure {
    let (what, next) = match fault {
        NetworkFault::Dns { host } => {
            let is_regional = !region.is_empty() && host.contains(region);
            let region_hint = is_regional.then(|| format!("is `{region}` a region that exists? "));
            (
                format!("{host} has no address"),
                region_hint.unwrap_or_default()
                    + "Does this machine resolve names, or does it need a proxy (HTTPS_PROXY)?",
            )
        }
        NetworkFault::Refused { host } => (
            format!("{host} refused the connection"),
            "check AWS_ENDPOINT_URL and its kind, and the proxy settings (HTTPS_PROXY)".to_owned(),
        ),
        NetworkFault::Timeout { host } => (
            format!("there was no connection to {host} in time"),
            "does a firewall drop it? This machine may need a proxy (HTTPS_PROXY), or a VPC endpoint".to_owned(),
        ),
        NetworkFault::Certificate(rejected) => explain_rejected_certificate(rejected),
        NetworkFault::Tls { host } => (
            format!("{host} does not speak TLS, or no version of it that is safe"),
            "check the port, AWS_ENDPOINT_URL and its kind, and what stands between: a proxy, a load balancer".to_owned(),
        ),
        NetworkFault::Proxy { proxy, fault } => explain_proxy_fault(proxy, *fault),
        NetworkFault::ConnectFailed { host } => (
            format!("the connection to {host} broke while it was made"),
            RUN_AGAIN.to_owned(),
        ),
        NetworkFault::ConnectionLost => ("the connection to AWS broke".to_owned(), RUN_AGAIN.to_owned()),
    };
    Failure::new(Class::Unavailable, what, next)
}

fn explain_proxy_fault(proxy: &str, fault: ProxyFault) -> (String, String) {
    const WHICH_PROXY: &str = "the proxy is the one that HTTPS_PROXY (or ALL_PROXY) names; NO_PROXY=.amazonaws.com goes around it";
    let what = match fault {
        ProxyFault::Dns => format!("the proxy {proxy} has no address"),
        ProxyFault::Unreachable => format!("the proxy {proxy} could not be connected to"),
        ProxyFault::Tls => format!("the proxy {proxy} speaks no TLS, although its URL says https"),
        ProxyFault::Timeout => format!("the proxy {proxy} made no connection in time"),
        ProxyFault::InvalidResponse => format!("the proxy {proxy} hung up"),
        ProxyFault::Status(407) => {
            return (
                format!("the proxy {proxy} wants a user and a password, or does not take the ones it was given"),
                "put them into the URL, percent-encoded: `HTTPS_PROXY=http://user:password@proxy:3128`".to_owned(),
            );
        }
        ProxyFault::Status(403) => {
            return (
                format!("the proxy {proxy} does not allow the connection"),
                "have it allow CONNECT to *.amazonaws.com:443 (and with OIDC on GitHub to *.actions.githubusercontent.com:443)".to_owned(),
            );
        }
        ProxyFault::Status(status) => {
            format!("the proxy {proxy} answered CONNECT with HTTP {status}")
        }
    };
    (what, WHICH_PROXY.to_owned())
}

/// The issuer is in the headline, because people search for that line.
fn explain_rejected_certificate(rejected: &RejectedCertificate) -> (String, String) {
    let RejectedCertificate {
        host,
        error,
        issuer,
        origin,
    } = rejected;
    let (what, next) = match error {
        CertificateError::UnknownIssuer => (
            format!(
                "the certificate of {host} is not trusted: its issuer \"{issuer}\" is not in {origin}"
            ),
            "if that is your company's proxy, save its CA certificate as a PEM file and name the file in AWS_CA_BUNDLE; otherwise somebody else answers for AWS",
        ),
        // A root with the issuer's name is trusted, but its key did not sign the certificate.
        CertificateError::BadSignature => (
            format!(
                "the certificate of {host} is not trusted: it was signed with another key than \"{issuer}\" has in {origin}"
            ),
            "if that is your company's proxy, its CA may have been renewed: save its present certificate as a PEM file and name the file in AWS_CA_BUNDLE; otherwise somebody else answers for AWS",
        ),
        CertificateError::Expired => (
            format!("the certificate of {host} expired"),
            "have it renewed, and check this machine's clock",
        ),
        CertificateError::ExpiredContext { not_after, .. } => (
            format!(
                "the certificate of {host} expired at {}",
                format_time(*not_after)
            ),
            "have it renewed, and check this machine's clock",
        ),
        CertificateError::NotValidYetContext { not_before, .. } => (
            format!(
                "the certificate of {host} is not valid yet, but from {}",
                format_time(*not_before)
            ),
            "check this machine's clock",
        ),
        CertificateError::NotValidForNameContext { presented, .. } => {
            // A shared certificate can have hundreds.
            let names: Vec<_> = presented
                .iter()
                .take(3)
                .map(|name| plain_name(name))
                .collect();
            let separator = if names.is_empty() { "" } else { ": " };
            (
                format!(
                    "the certificate of {host} is for other names{separator}{}",
                    names.join(", ")
                ),
                "check AWS_ENDPOINT_URL and its kind; otherwise somebody else answers for AWS",
            )
        }
        // Revoked, malformed, or not issued for servers.
        _ => (
            format!("the certificate of {host} is not trusted: it is no valid server certificate"),
            "behind a proxy that inspects TLS, have its CA issue certificates for servers; otherwise somebody else answers for AWS",
        ),
    };
    (what, next.to_owned())
}

/// The name in `DnsName("example.com")`, which is how rustls formats it.
fn plain_name(presented: &str) -> String {
    presented
        .split_once('(')
        .map_or(presented, |(_, rest)| rest)
        .trim_end_matches(')')
        .trim_matches('"')
        .replace(char::is_control, " ")
}

/// The time as in RFC 3339.
fn format_time(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| DateTime::from_secs(seconds).fmt(Format::DateTime).ok())
        .unwrap_or_default()
}
