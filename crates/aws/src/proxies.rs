//! Selects the proxy for each request. The config crate checks the URLs. Credentials in them must not leave this module, except
//! in the header that is built from them.

use std::net::IpAddr;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use upsert_secret_core::connection::{ProxySettings, ProxyUrl};

use crate::fault::NetworkFault;

/// Addresses of the metadata services of ECS, EKS and EC2. They return the credentials of the machine that connects, so through
/// a proxy they would return the proxy's credentials.
const METADATA: [&str; 5] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::254",
    "fd00:ec2::23",
];

/// The placeholder for an unusable proxy, so that the matcher still finds the requests that would go through it.
const UNUSABLE: &str = "socks5://unusable";

/// The configured proxies.
#[derive(Clone)]
pub(crate) struct Proxies {
    matcher: Arc<Matcher>,
    settings: Arc<ProxySettings>,
}

impl Proxies {
    pub(crate) fn new(settings: &ProxySettings) -> Self {
        let url = |proxy: &ProxyUrl| match proxy {
            ProxyUrl::None => String::new(),
            ProxyUrl::Valid(url) => url.clone(),
            ProxyUrl::Unusable(_) => UNUSABLE.to_owned(),
        };
        let matcher = Matcher::builder()
            .https(url(&settings.https))
            .http(url(&settings.http))
            .all(url(&settings.all))
            .no(settings.no.as_str())
            .build();
        Self {
            matcher: Arc::new(matcher),
            settings: Arc::new(settings.clone()),
        }
    }

    /// The proxy for a request to `uri`. Loopback addresses and metadata services never use one, regardless of the variables.
    pub(crate) fn for_uri(&self, uri: &Uri) -> Option<Intercept> {
        if is_direct(host_name(uri)) {
            return None;
        }
        self.matcher.intercept(uri)
    }

    /// Checks that a request to `uri` uses no proxy, or a usable one.
    ///
    /// # Errors
    /// The variable and its problem.
    pub(crate) fn check(&self, uri: &Uri) -> Result<(), NetworkFault> {
        let proxy = self.for_uri(uri);
        if proxy.is_none_or(|proxy| proxy.uri().host() != Uri::from_static(UNUSABLE).host()) {
            return Ok(());
        }
        let ProxySettings {
            https, http, all, ..
        } = &*self.settings;
        let own = if uri.scheme_str() == Some("https") {
            https
        } else {
            http
        };
        match (own, all) {
            (ProxyUrl::Unusable(why), _) | (ProxyUrl::None, ProxyUrl::Unusable(why)) => {
                Err(NetworkFault::UnusableProxy(why.clone()))
            }
            _ => Ok(()),
        }
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

    /// A text in URL syntax is a valid proxy URL; any other text is the reason it is unusable.
    fn proxy(text: &str) -> ProxyUrl {
        match text {
            "" => ProxyUrl::None,
            _ if text.contains(' ') => ProxyUrl::Unusable(text.to_owned()),
            _ => ProxyUrl::Valid(text.to_owned()),
        }
    }

    fn settings(https: &str, all: &str, no: &str) -> ProxySettings {
        ProxySettings {
            https: proxy(https),
            all: proxy(all),
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
            (ProxySettings { http: proxy(PROXY), ..ProxySettings::default() }, AWS, None),
            (ProxySettings { http: proxy(PROXY), ..ProxySettings::default() }, "http://other:8080/", Some("http://proxy:1/")),
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
    fn unusable_proxy_fails_only_requests_through_it() {
        const AWS: &str = "https://secretsmanager.eu-west-1.amazonaws.com/";
        const HTTP: &str = "http://other:8080/";
        const PROXY: &str = "http://proxy:1";
        let https = "HTTPS_PROXY is wrong";
        let all = "ALL_PROXY is wrong";
        let http = ProxySettings {
            http: proxy("HTTP_PROXY is wrong"),
            ..ProxySettings::default()
        };
        for (number, (settings, uri, problem)) in [
            (settings(https, "", ""), AWS, Some(https)),
            (settings(https, PROXY, ""), AWS, Some(https)),
            (settings(https, all, ""), AWS, Some(https)),
            (settings(https, "", ""), HTTP, None),
            (settings("", all, ""), AWS, Some(all)),
            (settings("", all, ""), HTTP, Some(all)),
            (settings(PROXY, all, ""), AWS, None),
            (settings(PROXY, all, ""), HTTP, Some(all)),
            (settings("", all, "amazonaws.com"), AWS, None),
            (
                settings("", all, ""),
                "http://169.254.169.254/latest/api/token",
                None,
            ),
            (settings("", all, ""), "https://127.0.0.1:8443/", None),
            (http.clone(), AWS, None),
            (http, HTTP, Some("HTTP_PROXY is wrong")),
        ]
        .into_iter()
        .enumerate()
        {
            let checked = Proxies::new(&settings).check(&uri.parse().unwrap());
            let expected = problem.map(|why| NetworkFault::UnusableProxy(why.to_owned()));
            assert_eq!(checked.err(), expected, "case {number}: {uri}");
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
