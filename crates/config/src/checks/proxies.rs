//! Checks the proxy variables, so that a misspelled proxy is not treated as "no proxy". Must not quote a URL in a message,
//! because it may contain a password.

use http::Uri;
use upsert_secret_core::connection::{ProxySettings, ProxyUrl};
use upsert_secret_core::url::has_valid_port;
use upsert_secret_core::value::SecretBytes;

use crate::environment::Environment;

/// The variables for the proxies of https, http and all other requests. Their URLs may contain a password.
const VARIABLES: [[&str; 2]; 3] = [
    ["HTTPS_PROXY", "https_proxy"],
    ["HTTP_PROXY", "http_proxy"],
    ["ALL_PROXY", "all_proxy"],
];

/// The proxy variables, uppercase before lowercase. An unusable proxy is not a problem yet, because only a request determines
/// whether it would use the proxy.
pub(super) fn check(environment: &Environment) -> ProxySettings {
    let [https, http, all] = VARIABLES.map(|names| {
        let given = names
            .into_iter()
            .filter_map(|name| Some((name, environment.text(name)?.trim())))
            .find(|(_, url)| !url.is_empty());
        match given {
            None => ProxyUrl::None,
            Some((_, url)) if is_proxy(url) => ProxyUrl::Valid(url.to_owned()),
            Some((name, url)) if url.to_ascii_lowercase().starts_with("socks") => {
                ProxyUrl::Unusable(format!("{name} names a SOCKS proxy, which upsert-secret does not support"))
            }
            Some((name, _)) => ProxyUrl::Unusable(format!(
                "{name} must be the URL of an HTTP proxy, such as `http://proxy.example.com:3128`; a user and a password in it must be percent-encoded"
            )),
        }
    });
    let no = ["NO_PROXY", "no_proxy"]
        .into_iter()
        .find_map(|name| environment.text(name));
    ProxySettings {
        https,
        http,
        all,
        no: normalize_exceptions(no.unwrap_or_default()),
    }
}

/// The passwords in proxy URLs, percent-encoded and decoded, to be redacted before anything is printed.
pub(crate) fn passwords(environment: &Environment) -> Vec<SecretBytes> {
    VARIABLES
        .into_iter()
        .flatten()
        .filter_map(|name| environment.text(name)?.rsplit_once('@'))
        .filter_map(|(before, _)| {
            let user_info = before.rsplit_once("//").map_or(before, |(_, rest)| rest);
            user_info.split_once(':').map(|(_, password)| password)
        })
        .flat_map(|password| {
            let decoded = percent_encoding::percent_decode_str(password).collect();
            [password.as_bytes().to_vec(), decoded].map(SecretBytes::new)
        })
        .collect()
}

/// `NO_PROXY` in the format of the HTTP client: comma-separated names and addresses. Other tools also accept `*.name`,
/// `[address]`, `name:port` and spaces.
fn normalize_exceptions(list: &str) -> String {
    let entries = list
        .split(|c: char| c == ',' || c == ';' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let name = entry.strip_prefix("*.").unwrap_or(entry);
            let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
            if let Some(address) = name.strip_prefix('[') {
                return address.split(']').next().unwrap_or_default();
            }
            match name.split_once(':') {
                Some((host, port)) if is_port(port) => host,
                // An address with more than one colon is IPv6.
                _ => name,
            }
        });
    entries.collect::<Vec<_>>().join(",")
}

fn is_proxy(url: &str) -> bool {
    // If a password contains an unencoded `#`, `?` or `@`, the URL parser would take the part before it as the proxy's name.
    if url.contains(['#', '?']) || url.matches('@').count() > 1 {
        return false;
    }
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    matches!(uri.scheme_str(), None | Some("http" | "https"))
        && uri
            .authority()
            .is_some_and(|authority| !authority.host().is_empty() && has_valid_port(authority))
        && matches!(uri.path(), "" | "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(pairs: &[(&str, &str)]) -> ProxySettings {
        check(&Environment::from_pairs(
            pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())),
        ))
    }

    #[test]
    fn upper_case_variables_win_and_empty_is_unset() {
        for (pairs, wanted) in [
            (&[("https_proxy", "http://a:1")][..], "http://a:1"),
            (
                &[("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://b:1")],
                "http://a:1",
            ),
            (
                &[("HTTPS_PROXY", " "), ("https_proxy", "http://b:1")],
                "http://b:1",
            ),
        ] {
            let found = checked(pairs).https;
            assert!(matches!(found, ProxyUrl::Valid(url) if url == wanted));
        }
    }

    #[test]
    fn no_proxy_is_normalized() {
        for (list, wanted) in [
            ("*.amazonaws.com", "amazonaws.com"),
            ("a .amazonaws.com:443", "a,.amazonaws.com"),
            ("a;[fd00::1]", "a,fd00::1"),
            ("fd00::1", "fd00::1"),
        ] {
            assert_eq!(checked(&[("NO_PROXY", list)]).no, wanted, "{list}");
        }
    }

    #[test]
    fn misspelled_proxy_is_rejected_unquoted() {
        for url in [
            "::::",
            "http://",
            "socks5://made:up@proxy:1080",
            "gopher://made:up@proxy:70",
            "http://made up@proxy",
            "/proxy",
            "http://proxy:1/path",
            "http://proxy:99999",
            "http://proxy:abc",
            "http://ci:made#up@proxy:1",
            "http://ci:made?up@proxy:1",
            "http://ci:made@up@proxy:1",
        ] {
            let ProxyUrl::Unusable(why) = checked(&[("HTTPS_PROXY", url)]).https else {
                panic!("{url} is accepted");
            };
            assert!(why.starts_with("HTTPS_PROXY "), "{why}");
            assert_eq!(why.contains("SOCKS"), url.starts_with("socks"), "{why}");
            assert!(!why.contains("made"), "{why}");
        }
    }
}
