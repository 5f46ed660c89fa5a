//! The HTTP client of all requests: HTTP/1.1 on hyper, with the configured roots and proxies, and a limit on the size of
//! responses. Unlike the SDK's own client, it says why there is no connection. It must not put a request into an error.

mod connect;
mod issuer;
mod tls;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use http::StatusCode;
use http::header::PROXY_AUTHORIZATION;
use http_body_util::Limited;
use hyper_util::client::legacy;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use upsert_secret_core::connection::ProxySettings;

use crate::error::find_cause;
use crate::fault::{NetworkFault, ProxyFault};
use crate::proxies::Proxies;
use crate::roots::Roots;
use connect::{Connect, proxy_fault};
use tls::Tls;

/// The largest response. A batch of twenty secrets of 64 KB has 1.3 MB, before base64 and JSON.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// The timeouts of connecting and of waiting for a response.
type Timeouts = (Option<Duration>, Option<Duration>);

/// The client, shared by all services. It has one pool of connections for each pair of timeouts, because the SDK requests a
/// connector for every call, and with other timeouts for the metadata services than for Secrets Manager.
#[derive(Clone)]
pub(crate) struct Http {
    proxies: Proxies,
    tls: Arc<Tls>,
    connectors: Arc<Mutex<HashMap<Timeouts, Connector>>>,
}

impl Http {
    /// A client that trusts these roots, or the system's.
    pub(crate) fn new(roots: Option<Roots>, proxies: &ProxySettings) -> Self {
        Self {
            proxies: Proxies::new(proxies),
            tls: Arc::new(Tls::new(roots)),
            connectors: Arc::default(),
        }
    }

    /// The client in the SDK's type.
    pub(crate) fn sdk_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// Sends one request that is not the SDK's.
    pub(crate) async fn request(
        &self,
        request: HttpRequest,
        timeout: Duration,
    ) -> Result<HttpResponse, ConnectorError> {
        let connector = self.connector((Some(timeout), Some(timeout)));
        connector.send(request).await
    }

    fn connector(&self, timeouts: Timeouts) -> Connector {
        let (connect, read) = timeouts;
        self.connectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(timeouts)
            .or_insert_with(|| Connector {
                proxies: self.proxies.clone(),
                pool: legacy::Client::builder(TokioExecutor::new())
                    .pool_timer(TokioTimer::new())
                    .build(Connect::new(
                        self.proxies.clone(),
                        Arc::clone(&self.tls),
                        connect,
                    )),
                read,
            })
            .clone()
    }
}

// Not derived, because the proxies have passwords.
impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

impl HttpClient for Http {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        SharedHttpConnector::new(self.connector(timeouts))
    }
}

#[derive(Clone)]
struct Connector {
    proxies: Proxies,
    pool: legacy::Client<Connect, SdkBody>,
    read: Option<Duration>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.send(request).await })
    }
}

impl Connector {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let mut request = request
            .try_into_http1x()
            .map_err(|error| ConnectorError::user(error.into()))?;
        // A proxy reads requests that are not encrypted. Others pass through a tunnel, which has authorized already.
        let forward_proxy = match request.uri().scheme_str() {
            Some("http") => self.proxies.for_uri(request.uri()),
            _ => None,
        };
        if let Some(authorization) = forward_proxy.as_ref().and_then(Intercept::basic_auth) {
            request
                .headers_mut()
                .insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        let response = self.pool.request(request);
        let response = match self.read {
            Some(limit) => timeout(limit, response)
                .await
                .map_err(|late| ConnectorError::timeout(late.into()))?,
            None => response.await,
        };
        let response = response.map_err(classify)?;
        if let Some(proxy) = forward_proxy
            && response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        {
            let status = ProxyFault::Status(response.status().as_u16());
            let fault = proxy_fault(&proxy, status);
            return Err(ConnectorError::other(fault.into(), None));
        }
        let response =
            response.map(|body| SdkBody::from_body_1_x(Limited::new(body, MAX_RESPONSE_BYTES)));
        HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
    }
}

/// Tells the SDK which errors to retry. A retry does not help against a rejected certificate or password.
fn classify(error: legacy::Error) -> ConnectorError {
    match find_cause(&error) {
        Some(
            NetworkFault::Timeout { .. }
            | NetworkFault::Proxy {
                fault: ProxyFault::Timeout,
                ..
            },
        ) => return ConnectorError::timeout(error.into()),
        Some(fault) if NetworkFault::is_permanent(fault) => {
            return ConnectorError::other(error.into(), None);
        }
        Some(_) => return ConnectorError::io(error.into()),
        None => {}
    }
    let hyper_error = find_cause::<hyper::Error>(&error);
    let cut_short = hyper_error.is_some_and(hyper::Error::is_incomplete_message);
    let ended = hyper_error.is_some_and(|error| error.is_closed() || error.is_canceled());
    let broken = find_cause::<io::Error>(&error).is_some();
    if cut_short {
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    } else if ended || broken || error.is_connect() {
        ConnectorError::io(error.into())
    } else {
        ConnectorError::other(error.into(), None)
    }
}
