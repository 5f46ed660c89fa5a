//! The proxies that the environment names, checked: a proxy that is misspelt must not mean "no
//! proxy". Credentials in their URLs stay in here and in the header that is made of them.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

use super::settings::has_sound_port;
use crate::inputs::Environment;
use crate::value::SecretBytes;

/// Variables that may name a proxy, and with it a password.
const VARIABLES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Metadata services that container and instance credentials come from: ECS, EKS, EC2. They answer
/// only to the machine itself, so a proxy could at best hand out its own credentials.
const METADATA: [&str; 5] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::254",
    "fd00:ec2::23",
];

/// Which requests go through which proxy.
#[derive(Clone)]
pub struct Proxies(Arc<Matcher>);

// By hand: what is inside knows passwords.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxies")
    }
}

/// A proxy for one request.
#[derive(Clone)]
pub struct Proxy {
    /// Its address, without credentials; `http` or `https`.
    pub uri: Uri,
    /// The `Proxy-Authorization` that its URL asks for.
    pub authorization: Option<HeaderValue>,
}

impl Proxies {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::new(Matcher::builder().build()))
    }

    /// Reads the variables, in upper case before lower case.
    pub(super) fn check(environment: &Environment, problems: &mut Vec<String>) -> Self {
        let mut named = |upper: &'static str, lower: &'static str| {
            let (name, url) = [upper, lower]
                .into_iter()
                .filter_map(|name| Some((name, environment.text(name)?.trim())))
                .find(|(_, url)| !url.is_empty())?;
            if is_proxy(url) {
                Some(url.to_owned())
            } else {
                // Not quoted: it may hold a password.
                problems.push(format!(
                    "{name} must be the URL of an HTTP proxy, such as `http://proxy.example.com:3128`; a user and a password in it must be percent-encoded"
                ));
                None
            }
        };
        let https = named("HTTPS_PROXY", "https_proxy");
        let http = named("HTTP_PROXY", "http_proxy");
        let all = named("ALL_PROXY", "all_proxy");
        let no = ["NO_PROXY", "no_proxy"]
            .into_iter()
            .find_map(|name| environment.text(name))
            .unwrap_or_default();
        Self(Arc::new(
            Matcher::builder()
                .https(https.unwrap_or_default())
                .http(http.unwrap_or_default())
                .all(all.unwrap_or_default())
                .no(exceptions(no))
                .build(),
        ))
    }

    /// The proxy for a request to `uri`. The machine's own services are asked directly, whatever
    /// `NO_PROXY` says.
    #[must_use]
    pub fn of(&self, uri: &Uri) -> Option<Proxy> {
        if is_local(uri.host()?) {
            return None;
        }
        let found = self.0.intercept(uri)?;
        Some(Proxy {
            uri: found.uri().clone(),
            authorization: found.basic_auth().cloned(),
        })
    }
}

/// The passwords in the proxies' URLs, as written and as meant, to be hidden before anything is
/// printed.
#[must_use]
pub fn passwords(environment: &Environment) -> Vec<SecretBytes> {
    VARIABLES
        .into_iter()
        .filter_map(|name| environment.text(name)?.rsplit_once('@'))
        .filter_map(|(before, _)| {
            let user_info = before.rsplit_once("//").map_or(before, |(_, rest)| rest);
            user_info.split_once(':').map(|(_, password)| password)
        })
        .flat_map(|password| {
            let meant = percent_encoding::percent_decode_str(password).collect();
            [password.as_bytes().to_vec(), meant].map(SecretBytes::new)
        })
        .collect()
}

/// `NO_PROXY` in the one form that the matcher knows: names and addresses with commas between them.
/// Other tools also take `*.name`, `[address]`, `name:port` and blanks.
fn exceptions(list: &str) -> String {
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
    // A password with one of these, not encoded, would turn its beginning into the proxy's name.
    if url.contains(['#', '?']) || url.matches('@').count() > 1 {
        return false;
    }
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    matches!(uri.scheme_str(), None | Some("http" | "https"))
        && uri
            .authority()
            .is_some_and(|authority| !authority.host().is_empty() && has_sound_port(authority))
        && matches!(uri.path(), "" | "/")
}

fn is_local(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || METADATA.contains(&host)
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables = &'static [(&'static str, &'static str)];

    fn of(pairs: &[(&str, &str)]) -> (Proxies, Vec<String>) {
        let mut problems = Vec::new();
        let environment =
            Environment::from_pairs(pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())));
        (Proxies::check(&environment, &mut problems), problems)
    }

    #[test]
    fn who_goes_through_which_proxy() {
        const AWS: &str = "https://secretsmanager.eu-west-1.amazonaws.com/";
        #[rustfmt::skip]
        let cases: &[(Variables, &str, Option<&str>)] = &[
            (&[], AWS, None),
            (&[("HTTPS_PROXY", "http://proxy:3128")], AWS, Some("http://proxy:3128/")),
            (&[("https_proxy", "http://proxy:3128")], AWS, Some("http://proxy:3128/")),
            (&[("https_proxy", "proxy:3128")], AWS, Some("http://proxy:3128/")),
            (&[("HTTPS_PROXY", "https://proxy")], AWS, Some("https://proxy/")),
            (&[("HTTPS_PROXY", "http://made:up@proxy:1/")], AWS, Some("http://proxy:1/")),
            (&[("HTTPS_PROXY", ""), ("https_proxy", "http://proxy:1")], AWS, Some("http://proxy:1/")),
            (&[("ALL_PROXY", "http://proxy:1")], AWS, Some("http://proxy:1/")),
            (&[("HTTP_PROXY", "http://proxy:1")], AWS, None),
            (&[("HTTPS_PROXY", "http://proxy:1"), ("NO_PROXY", "amazonaws.com")], AWS, None),
            (&[("HTTPS_PROXY", "http://proxy:1"), ("no_proxy", ".amazonaws.com,other")], AWS, None),
            (&[("HTTPS_PROXY", "http://proxy:1"), ("NO_PROXY", "*")], AWS, None),
            (&[("HTTPS_PROXY", "http://proxy:1"), ("NO_PROXY", "*.amazonaws.com")], AWS, None),
            (&[("HTTPS_PROXY", "http://proxy:1"), ("NO_PROXY", "a .amazonaws.com:443")], AWS, None),
            (&[("HTTPS_PROXY", "http://proxy:1"), ("NO_PROXY", "a;[fd00::1]")], "https://[fd00::1]/", None),
            (&[("HTTPS_PROXY", "http://proxy:1"), ("NO_PROXY", "fd00::1")], "https://[fd00::1]:443/", None),
            (&[("HTTPS_PROXY", " "), ("https_proxy", "http://proxy:1")], AWS, Some("http://proxy:1/")),
            (&[("HTTPS_PROXY", "http://proxy:1"), ("NO_PROXY", "naws.com")], AWS, Some("http://proxy:1/")),
            (&[("HTTPS_PROXY", "http://proxy:1"), ("NO_PROXY", "10.0.0.0/8")], "https://10.1.2.3/", None),
            (&[("HTTP_PROXY", "http://proxy:1")], "http://other:8080/", Some("http://proxy:1/")),
            (&[("ALL_PROXY", "http://proxy:1")], "http://169.254.169.254/latest/api/token", None),
            (&[("ALL_PROXY", "http://proxy:1")], "http://[fd00:ec2::254]/latest/api/token", None),
            (&[("ALL_PROXY", "http://proxy:1")], "http://169.254.170.23/v1/credentials", None),
            (&[("ALL_PROXY", "http://proxy:1")], "https://127.0.0.1:8443/", None),
            (&[("ALL_PROXY", "http://proxy:1")], "https://[::1]:8443/", None),
            (&[("ALL_PROXY", "http://proxy:1")], "http://LocalHost:8443/", None),
        ];
        for (pairs, uri, wanted) in cases {
            let (proxies, problems) = of(pairs);
            assert_eq!(problems, [""; 0], "{pairs:?}");
            let found = proxies.of(&uri.parse().unwrap());
            assert_eq!(
                found.map(|proxy| proxy.uri.to_string()).as_deref(),
                *wanted,
                "{pairs:?} {uri}"
            );
        }
    }

    #[test]
    fn a_proxy_that_is_misspelt_is_not_no_proxy() {
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
            let (_, problems) = of(&[("HTTPS_PROXY", url)]);
            assert_eq!(problems.len(), 1, "{url}");
            assert!(!problems[0].contains("made"), "{problems:?}");
        }
    }
}
