//! The proxy variables, checked, so that a misspelled proxy is not treated as "no proxy". No message quotes a URL,
//! because it may hold a password.

use http::Uri;
use upsert_secret_core::connection::ProxySettings;
use upsert_secret_core::url::has_valid_port;
use upsert_secret_core::value::SecretBytes;

use crate::diagnostics::Diagnostics;
use crate::environment::Environment;

/// The variables of the proxies for https, http and all other requests. Their URLs may hold a password.
const VARIABLES: [[&str; 2]; 3] = [
    ["HTTPS_PROXY", "https_proxy"],
    ["HTTP_PROXY", "http_proxy"],
    ["ALL_PROXY", "all_proxy"],
];

/// The proxy variables, in upper case before lower case.
pub(super) fn check(environment: &Environment, diagnostics: &mut Diagnostics) -> ProxySettings {
    let [https, http, all] = VARIABLES.map(|names| {
        let (name, url) = names
            .into_iter()
            .filter_map(|name| Some((name, environment.text(name)?.trim())))
            .find(|(_, url)| !url.is_empty())
            .unwrap_or_default();
        if !url.is_empty() && !is_proxy(url) {
            diagnostics.add_problem(format!(
                "{name} must be the URL of an HTTP proxy, such as `http://proxy.example.com:3128`; a user and a password in it must be percent-encoded"
            ));
        }
        url.to_owned()
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

/// The passwords in the URLs of proxies, percent-encoded and decoded, to be hidden before anything is printed.
pub fn passwords(environment: &Environment) -> Vec<SecretBytes> {
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

/// `NO_PROXY` in the form that the HTTP client knows: names and addresses with commas between them. Other tools also
/// accept `*.name`, `[address]`, `name:port` and spaces.
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
                // More than one colon is an IPv6 address.
                _ => name,
            }
        });
    entries.collect::<Vec<_>>().join(",")
}

fn is_proxy(url: &str) -> bool {
    // The URL parser would take the part before an unencoded `#`, `?` or `@` of a password for the proxy's name.
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
    use crate::diagnostics::Spelling;

    /// The settings, and all problems.
    fn checked(pairs: &[(&str, &str)]) -> (ProxySettings, String) {
        let environment =
            Environment::from_pairs(pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())));
        let mut diagnostics = Diagnostics::new(Spelling::Variable);
        let settings = check(&environment, &mut diagnostics);
        let problems = diagnostics.check_problems().err();
        (
            settings,
            problems.map_or_else(String::new, |failure| failure.what),
        )
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
            let (settings, problems) = checked(pairs);
            assert_eq!(problems, "");
            assert_eq!(settings.https, wanted);
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
            assert_eq!(checked(&[("NO_PROXY", list)]).0.no, wanted, "{list}");
        }
    }

    #[test]
    fn misspelled_proxy_is_rejected_unquoted() {
        for url in [
            "::::",
            "http://",
            "socks5://made:up@proxy:1080",
            "http://made up@proxy",
            "/proxy",
            "http://proxy:1/path",
            "http://proxy:99999",
            "http://proxy:abc",
            "http://ci:made#up@proxy:1",
            "http://ci:made?up@proxy:1",
            "http://ci:made@up@proxy:1",
        ] {
            let (_, problems) = checked(&[("HTTPS_PROXY", url)]);
            assert_eq!(problems.lines().count(), 1, "{url}");
            assert!(!problems.contains("made"), "{problems}");
        }
    }
}
