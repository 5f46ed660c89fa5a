//! The HTTP client of every request: HTTP/1.1 on hyper, TLS by aws-lc-rs, trust and proxies as configured, a limit on every
//! answer. It says why there is no connection, which the SDK's own client cannot; and it never puts a request into an
//! error.

mod connect;
mod issuer;
mod tls;
mod verifier;

use std::collections::HashMap;
use std::error::Error as StdError;
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
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use upsert_secret_core::connection::ProxySettings;

use crate::error::chain;
use crate::fault::{NetworkFault, ProxyFault};
use crate::proxies::Proxies;
use crate::roots::Trust;
use connect::Connect;
use tls::LazyTls;

/// The largest answer that is read. A secret has 64 KB, twenty of them in one answer 1.3 MB, and
/// base64 and JSON make more of it.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// One client for every service that this process talks to.
#[derive(Clone, Debug)]
pub(crate) struct Http(Arc<Client>);

impl Http {
    pub(crate) fn new(trust: Trust, proxies: &ProxySettings) -> Self {
        Self(Arc::new(Client {
            proxies: Proxies::new(proxies),
            tls: Arc::new(LazyTls::new(trust)),
            connectors: Mutex::default(),
        }))
    }

    /// For the SDK.
    pub(crate) fn shared(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// Sends one request that is not the SDK's. The caller reads the body, within limits of its own.
    pub(crate) async fn request(
        &self,
        request: HttpRequest,
        limit: Duration,
    ) -> Result<HttpResponse, ConnectorError> {
        self.0
            .connector((Some(limit), Some(limit)))
            .call(request)
            .await
    }
}

type Timeouts = (Option<Duration>, Option<Duration>);

/// Keeps one pool of connections for each pair of time-outs: the metadata service is asked with
/// other ones than Secrets Manager, and a pool made anew for every call would be none.
struct Client {
    proxies: Proxies,
    tls: Arc<LazyTls>,
    connectors: Mutex<HashMap<Timeouts, SharedHttpConnector>>,
}

// By hand: what is inside knows the proxy's password.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl HttpClient for Http {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0
            .connector((settings.connect_timeout(), settings.read_timeout()))
    }
}

impl Client {
    fn connector(&self, timeouts: Timeouts) -> SharedHttpConnector {
        self.connectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(timeouts)
            .or_insert_with(|| SharedHttpConnector::new(self.new_connector(timeouts)))
            .clone()
    }

    fn new_connector(&self, (connect, read): Timeouts) -> Connector {
        let connect = Connect::new(self.proxies.clone(), Arc::clone(&self.tls), connect);
        Connector {
            proxies: self.proxies.clone(),
            pool: legacy::Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .build(connect),
            read,
        }
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
        // Through a tunnel the proxy never sees the request; without TLS it is the one who reads it.
        let reader = match request.uri().scheme_str() {
            Some("http") => self.proxies.of(request.uri()),
            _ => None,
        };
        if let Some(authorization) = reader
            .as_ref()
            .and_then(|proxy| proxy.authorization.clone())
        {
            request
                .headers_mut()
                .insert(PROXY_AUTHORIZATION, authorization);
        }
        let answer = self.pool.request(request);
        let answer = match self.read {
            Some(limit) => timeout(limit, answer)
                .await
                .map_err(|late| ConnectorError::timeout(late.into()))?,
            None => answer.await,
        };
        let answer = answer.map_err(classify)?;
        if let Some(proxy) = reader
            && answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        {
            let fault = NetworkFault::Proxy {
                proxy: proxy.uri.host().unwrap_or_default().to_owned(),
                why: ProxyFault::Status(answer.status().as_u16()),
            };
            return Err(ConnectorError::other(fault.into(), None));
        }
        let answer =
            answer.map(|body| SdkBody::from_body_1_x(Limited::new(body, MAX_ANSWER_BYTES)));
        HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
    }
}

/// Sorts an error into what the SDK tries again and what it does not: time mends no certificate and
/// no password.
fn classify(error: legacy::Error) -> ConnectorError {
    let fault = chain(&error).find_map(|error| error.downcast_ref::<NetworkFault>());
    match fault {
        Some(
            NetworkFault::Slow { .. }
            | NetworkFault::Proxy {
                why: ProxyFault::Slow,
                ..
            },
        ) => return ConnectorError::timeout(error.into()),
        Some(fault) if fault.is_lasting() => return ConnectorError::other(error.into(), None),
        Some(_) => return ConnectorError::io(error.into()),
        None => {}
    }
    let of_hyper = chain(&error).find_map(|error| error.downcast_ref::<hyper::Error>());
    let cut_short = of_hyper.is_some_and(hyper::Error::is_incomplete_message);
    let ended = of_hyper.is_some_and(|error| error.is_closed() || error.is_canceled());
    let broken = chain(&error).any(|error| (error as &dyn StdError).is::<io::Error>());
    if cut_short {
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    } else if ended || broken || error.is_connect() {
        ConnectorError::io(error.into())
    } else {
        ConnectorError::other(error.into(), None)
    }
}
