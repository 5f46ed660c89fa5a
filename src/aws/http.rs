//! The HTTP client: TLS by aws-lc-rs, the system's roots, proxies from the environment. The SDK's
//! own builder would lose the proxies as soon as anything else is set.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// One client for every service that this process talks to.
pub(super) fn client() -> SharedHttpClient {
    SharedHttpClient::new(Client::default())
}

type Timeouts = (Option<Duration>, Option<Duration>);

/// Keeps one connector for each pair of time-outs: the metadata service is asked with other ones
/// than Secrets Manager, and a connector made anew for every call would never reuse a connection.
#[derive(Debug, Default)]
struct Client {
    connectors: Mutex<HashMap<Timeouts, SharedHttpConnector>>,
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        self.connectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(timeouts)
            .or_insert_with(|| {
                SharedHttpConnector::new(ByScheme {
                    settings: settings.clone(),
                    components: components.clone(),
                    clear: OnceLock::new(),
                    tls: OnceLock::new(),
                })
            })
            .clone()
    }
}

/// Loads the system's roots, hundreds of files, only when the first `https` request comes: the
/// metadata services and endpoints on loopback speak plain HTTP.
#[derive(Debug)]
struct ByScheme {
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
    clear: OnceLock<Connector>,
    tls: OnceLock<Connector>,
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = if request.uri().starts_with("http://") {
            self.clear.get_or_init(|| {
                let mut builder = Connector::builder()
                    .proxy_config(ProxyConfig::from_env())
                    .connector_settings(self.settings.clone());
                builder.set_sleep_impl(self.components.sleep_impl());
                builder.build_http()
            })
        } else {
            self.tls.get_or_init(|| {
                let mut builder = Connector::builder()
                    .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                    .proxy_config(ProxyConfig::from_env())
                    .connector_settings(self.settings.clone());
                builder.set_sleep_impl(self.components.sleep_impl());
                builder.build()
            })
        };
        connector.call(request)
    }
}
