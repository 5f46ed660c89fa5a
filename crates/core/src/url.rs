//! Addresses that users give: endpoints, proxies, token issuers. Parses text; it resolves no name and connects nowhere.

use std::net::Ipv4Addr;

use http::Uri;
use http::uri::Authority;

/// How an endpoint of the user's own protects what is sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Encrypted, or on this machine.
    Protected,
    /// Unencrypted over a network.
    Unencrypted,
}

/// Parses the URL of an endpoint; `None` where it is not one: another scheme, credentials or a query in it, no host.
#[must_use]
pub fn endpoint(url: &str) -> Option<Endpoint> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority()?;
    let valid = !authority.host().is_empty() && has_valid_port(authority);
    if authority.as_str().contains('@') || uri.query().is_some() || !valid {
        return None;
    }
    match uri.scheme_str() {
        Some("https") => Some(Endpoint::Protected),
        Some("http") if is_loopback(&uri) => Some(Endpoint::Protected),
        Some("http") => Some(Endpoint::Unencrypted),
        _ => None,
    }
}

/// Whether the port, if there is one, is valid: the URL's own type takes `:99999` for "no port".
#[must_use]
pub fn has_valid_port(authority: &Authority) -> bool {
    let whole = authority.as_str();
    let host_and_port = whole.rsplit_once('@').map_or(whole, |(_, rest)| rest);
    host_and_port
        .strip_prefix(authority.host())
        .is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix(':')
                    .is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
        })
}

/// Whether a URL stays on this machine.
#[must_use]
pub fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    matches!(host, "localhost" | "[::1]")
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}
