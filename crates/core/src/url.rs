//! URLs from inputs: endpoints, proxies, token issuers. Parses them. Must not resolve names or connect.

use std::net::Ipv4Addr;

use http::Uri;
use http::uri::Authority;

/// Whether requests to a custom endpoint are protected in transit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Encrypted, or on the loopback interface.
    Protected,
    /// Unencrypted over a network.
    Unencrypted,
}

/// Parses an endpoint URL; `None` for another scheme, no host, credentials or a query.
pub fn endpoint(url: &str) -> Option<Endpoint> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority()?;
    let valid = !authority.host().is_empty() && has_valid_port(authority);
    if authority.as_str().contains('@') || uri.query().is_some() || !valid {
        return None;
    }
    protection(&uri)
}

/// Whether requests to a URI are protected; `None` for any scheme except `https` and `http`.
pub fn protection(uri: &Uri) -> Option<Endpoint> {
    match uri.scheme_str() {
        Some("https") => Some(Endpoint::Protected),
        Some("http") if is_loopback(uri) => Some(Endpoint::Protected),
        Some("http") => Some(Endpoint::Unencrypted),
        _ => None,
    }
}

/// Whether the port is valid or absent.
pub fn has_valid_port(authority: &Authority) -> bool {
    match authority.port_u16() {
        Some(port) => port > 0,
        // `Authority` treats an invalid port as absent, but keeps it in its text.
        None => authority.as_str().rsplit('@').next() == Some(authority.host()),
    }
}

/// Whether a URL points to the loopback interface.
fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    matches!(host, "localhost" | "[::1]")
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_is_protected_by_tls_or_loopback() {
        for (url, wanted) in [
            ("https://a.example", Some(Endpoint::Protected)),
            ("https://a.example:8443/path", Some(Endpoint::Protected)),
            ("http://localhost:4566", Some(Endpoint::Protected)),
            ("http://127.1.2.3", Some(Endpoint::Protected)),
            ("http://[::1]:80", Some(Endpoint::Protected)),
            ("http://a.example", Some(Endpoint::Unencrypted)),
            ("http://localhost.example", Some(Endpoint::Unencrypted)),
            ("ftp://a.example", None),
            ("gopher://localhost:4566", None),
            ("a.example", None),
            ("https://", None),
            ("https://user@a.example", None),
            ("https://a.example?q", None),
            ("https://a.example:0", None),
            ("https://a.example:99999", None),
            ("https://a.example:", None),
        ] {
            assert_eq!(endpoint(url), wanted, "{url}");
        }
    }

    #[test]
    fn port_is_valid_after_credentials() {
        for (authority, wanted) in [("u:1@h:2", true), ("u:1@h", true), ("u:1@h:99999", false)] {
            let authority: Authority = authority.parse().unwrap();
            assert_eq!(has_valid_port(&authority), wanted, "{authority}");
        }
    }
}
