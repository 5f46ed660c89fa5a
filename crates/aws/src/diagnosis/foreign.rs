//! Explains responses that came neither from AWS nor from GitHub, but from a proxy, a firewall, a portal or another server.
//! Names the requested host and the status of the response. Must never quote the body.

use upsert_secret_core::failure::{Class, Failure};

const INTERMEDIARIES: &str = "is there a proxy (HTTPS_PROXY), a firewall, or a login portal between this \
                              machine and";

/// Explains a response to a request for AWS.
pub(super) fn explain_not_aws(operation: &str, host: &str, status: u16) -> Failure {
    let what = match status {
        500..=599 => format!("{host} could not serve {operation}: HTTP {status}, and not from AWS"),
        _ => format!("the response from {host} to {operation} is not from AWS (HTTP {status})"),
    };
    let endpoint = "or does AWS_ENDPOINT_URL or a variant of it name the wrong server?";
    let next = match status {
        200..=299 | 500..=599 => {
            format!(
                "{INTERMEDIARIES} AWS, {endpoint}\nRunning again is safe: a write that was applied is found and kept"
            )
        }
        _ => format!("{INTERMEDIARIES} AWS, {endpoint}"),
    };
    Failure::new(Class::Unavailable, what, next)
        .because("the response has neither an AWS request ID nor an error code")
}

/// Explains a response to the request for an OIDC token.
pub(super) fn explain_not_github(host: &str, status: u16) -> Failure {
    Failure::new(
        Class::Unavailable,
        format!("the response from {host} to the request for an OIDC token is not from GitHub (HTTP {status})"),
        format!("{INTERMEDIARIES} GitHub? If not, run again; githubstatus.com shows outages"),
    )
    .because("the response holds neither a token nor an error message from GitHub")
}
