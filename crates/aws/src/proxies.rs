//! The proxy for each request. URLs are checked by the config crate. Their credentials must not leave this module but in
//! the header that is made from them.

use std::net::IpAddr;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use upsert_secret_core::connection::ProxySettings;

/// Addresses of the metadata services of ECS, EKS and EC2. They serve the credentials of the machine that connects, so
/// through a proxy they would serve the proxy's.
const METADATA: [&str; 5] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::254",
    "fd00:ec2::23",
];

/// The configured proxies.
#[derive(Clone)]
pub(crate) struct Proxies(Arc<Matcher>);

impl Proxies {
    pub(crate) fn new(settings: &ProxySettings) -> Self {
        Self(Arc::new(
            Matcher::builder()
                .https(settings.https.as_str())
                .http(settings.http.as_str())
                .all(settings.all.as_str())
                .no(settings.no.as_str())
                .build(),
        ))
    }

    /// The proxy for a request to `uri`. Loopback and metadata services never have one, whatever the variables say.
    pub(crate) fn for_uri(&self, uri: &Uri) -> Option<Intercept> {
        if is_direct(host_name(uri)) {
            return None;
        }
        self.0.intercept(uri)
    }
}

/// The host, without the brackets of an IPv6 address.
pub(crate) fn host_name(uri: &Uri) -> &str {
    uri.host()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']')
}

fn is_direct(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || METADATA.contains(&host)
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(https: &str, all: &str, no: &str) -> ProxySettings {
        ProxySettings {
            https: https.to_owned(),
            all: all.to_owned(),
            no: no.to_owned(),
            ..ProxySettings::default()
        }
    }

    #[test]
    fn requests_use_matching_proxy() {
        const AWS: &str = "https://secretsmanager.eu-west-1.amazonaws.com/";
        const PROXY: &str = "http://proxy:1";
        #[rustfmt::skip]
        let cases = [
            (settings("", "", ""), AWS, None),
            (settings("http://proxy:3128", "", ""), AWS, Some("http://proxy:3128/")),
            (settings("proxy:3128", "", ""), AWS, Some("http://proxy:3128/")),
            (settings("https://proxy", "", ""), AWS, Some("https://proxy/")),
            (settings("http://made:up@proxy:1/", "", ""), AWS, Some("http://proxy:1/")),
            (settings("", PROXY, ""), AWS, Some("http://proxy:1/")),
            (ProxySettings { http: PROXY.to_owned(), ..ProxySettings::default() }, AWS, None),
            (ProxySettings { http: PROXY.to_owned(), ..ProxySettings::default() }, "http://other:8080/", Some("http://proxy:1/")),
            (settings(PROXY, "", "amazonaws.com"), AWS, None),
            (settings(PROXY, "", ".amazonaws.com,other"), AWS, None),
            (settings(PROXY, "", "*"), AWS, None),
            (settings(PROXY, "", "fd00::1"), "https://[fd00::1]:443/", None),
            (settings(PROXY, "", "naws.com"), AWS, Some("http://proxy:1/")),
            (settings(PROXY, "", "10.0.0.0/8"), "https://10.1.2.3/", None),
            (settings("", PROXY, ""), "http://169.254.169.254/latest/api/token", None),
            (settings("", PROXY, ""), "http://[fd00:ec2::254]/latest/api/token", None),
            (settings("", PROXY, ""), "http://169.254.170.23/v1/credentials", None),
            (settings("", PROXY, ""), "https://127.0.0.1:8443/", None),
            (settings("", PROXY, ""), "https://[::1]:8443/", None),
            (settings("", PROXY, ""), "http://LocalHost:8443/", None),
        ];
        for (number, (settings, uri, wanted)) in cases.into_iter().enumerate() {
            let found = Proxies::new(&settings).for_uri(&uri.parse().unwrap());
            let found = found.map(|proxy| proxy.uri().to_string());
            assert_eq!(found.as_deref(), wanted, "case {number}: {uri}");
        }
    }

    #[test]
    fn credentials_move_from_url_to_header() {
        let settings = settings("http://user:p%40ss@proxy:3128", "", "");
        let proxy = Proxies::new(&settings).for_uri(&"https://localhost.example/".parse().unwrap());
        let proxy = proxy.unwrap();
        assert_eq!(proxy.uri(), "http://proxy:3128/");
        // user:p@ss
        assert_eq!(proxy.basic_auth().unwrap(), "Basic dXNlcjpwQHNz");
    }
}
