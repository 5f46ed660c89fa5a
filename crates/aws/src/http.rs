//! The HTTP client for all requests: HTTP/1.1 on hyper, with the configured roots and proxies, and a size limit for responses.
//! Unlike the SDK's own client, it reports why there is no connection. Must not include a request in an error.

mod certificate;
mod connect;
mod connect_limit;
mod connection_limit;
mod der;
mod early;
mod issuer;
mod lookup;
mod shorten;
mod stream;
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
use http_body_util::{BodyExt as _, Limited};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use upsert_secret_core::connection::ProxySettings;
use upsert_secret_core::url::protection;

use crate::call_gate::CallGate;
use crate::clock::{ClockCheck, Correction};
use crate::error::find_cause;
use crate::fault::{NetworkFault, Responder};
use crate::known_secrets::register_sent;
use crate::proxies::{Proxies, host_name};
use crate::roots::Roots;
use connect::{Connect, proxy_fault, rejection};
pub(crate) use connect_limit::ConnectLimit;
use early::EarlyConnections;
pub(crate) use lookup::Lookups;
use shorten::Shortener;
use tls::Tls;

/// The maximum size of a response. JSON needs six bytes for some characters: 384 KB for the longest value.
const MAX_RESPONSE_BYTES: usize = 1024 * 1024;
/// The maximum size of a response with 20 values, and of an error before its strings are shortened.
const MAX_RECEIVED_BYTES: usize = 16 * MAX_RESPONSE_BYTES;

/// The time limits for connecting and for a response. Without the first, the run's own limit applies.
type Timeouts = (Option<Duration>, Option<Duration>);

/// The client, shared by all services. It has one connection pool per pair of time limits, because the SDK requests a connector
/// for every call, with different time limits for the metadata services and for Secrets Manager.
#[derive(Clone)]
pub(crate) struct Http {
    proxies: Proxies,
    lookups: Lookups,
    tls: Arc<Tls>,
    limit: Arc<ConnectLimit>,
    clock: Arc<ClockCheck>,
    gate: Arc<CallGate>,
    early: EarlyConnections,
    connectors: Arc<Mutex<HashMap<Timeouts, Connector>>>,
}

impl Http {
    /// A client that trusts these roots, or the system's.
    pub(crate) fn new(
        roots: Option<Roots>,
        proxies: &ProxySettings,
        limit: ConnectLimit,
        gate: &Arc<CallGate>,
    ) -> Self {
        Self {
            proxies: Proxies::new(proxies),
            lookups: Lookups::default(),
            tls: Arc::new(Tls::new(roots)),
            limit: Arc::new(limit),
            clock: Arc::default(),
            gate: Arc::clone(gate),
            early: EarlyConnections::default(),
            connectors: Arc::default(),
        }
    }

    /// The DNS lookups of all connections.
    pub(crate) fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    /// The correction for this machine's clock, as far as it is known.
    pub(crate) fn clock_correction(&self) -> Correction {
        self.clock.correction()
    }

    /// Checks that a request to `uri` uses no proxy, or a usable one.
    pub(crate) fn check_proxy(&self, uri: &http::Uri) -> Result<(), NetworkFault> {
        self.proxies.check(uri)
    }

    /// The client in the SDK's type.
    pub(crate) fn sdk_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// Sends a single request outside the SDK. The time limit applies to the response, excluding its body.
    pub(crate) async fn request(
        &self,
        request: HttpRequest,
        timeout: Duration,
    ) -> Result<HttpResponse, ConnectorError> {
        let connector = self.connector((None, Some(timeout)));
        connector.send(request).await
    }

    /// Starts opening `count` connections for the first requests to this server.
    pub(crate) fn open_early(&self, uri: &http::Uri, count: usize) {
        let connect = self.connect(Arc::clone(&self.limit));
        (0..count).for_each(|_| connect.open_early(uri));
    }

    fn connect(&self, limit: Arc<ConnectLimit>) -> Connect {
        Connect::new(
            self.proxies.clone(),
            self.lookups.clone(),
            Arc::clone(&self.tls),
            limit,
            self.early.clone(),
        )
    }

    fn connector(&self, timeouts: Timeouts) -> Connector {
        let (connect, read) = timeouts;
        self.connectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(timeouts)
            .or_insert_with(|| {
                let limit = match connect {
                    Some(limit) => Arc::new(ConnectLimit::fixed(limit)),
                    None => Arc::clone(&self.limit),
                };
                let connector = self.connect(limit);
                Connector {
                    proxies: self.proxies.clone(),
                    pool: legacy::Client::builder(TokioExecutor::new())
                        .pool_timer(TokioTimer::new())
                        .build(connector),
                    clock: Arc::clone(&self.clock),
                    gate: Arc::clone(&self.gate),
                    read,
                }
            })
            .clone()
    }
}

// Not derived, because the proxies contain passwords.
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
    clock: Arc<ClockCheck>,
    gate: Arc<CallGate>,
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
        let host = host_name(request.uri()).to_owned();
        // Applies to addresses from any source: a variable, a profile, or a response.
        if protection(request.uri()).is_none() {
            let fault = NetworkFault::UnknownScheme { host };
            return Err(ConnectorError::other(fault.into(), None));
        }
        register_sent(&request, &self.gate);
        self.proxies
            .check(request.uri())
            .map_err(|fault| ConnectorError::other(fault.into(), None))?;
        let target = request.headers().get("x-amz-target");
        let is_batch =
            target.is_some_and(|name| name.as_bytes().ends_with(b".BatchGetSecretValue"));
        let responder = Responder(host);
        // A proxy reads unencrypted requests. Others pass through a tunnel, which is already authorized.
        let forward_proxy = match request.uri().scheme_str() {
            Some("http") => self.proxies.for_uri(request.uri()),
            _ => None,
        };
        if let Some(authorization) = forward_proxy.as_ref().and_then(Intercept::basic_auth) {
            request
                .headers_mut()
                .insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        let mut connection = capture_connection(&mut request);
        let response = self.pool.request(request);
        let late = async {
            // Connections have a separate time limit.
            drop(connection.wait_for_connection_metadata().await);
            match self.read {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        let response = tokio::select! {
            biased;
            response = response => response,
            () = late => return Err(ConnectorError::timeout("no response in time".into())),
        };
        let response = response.map_err(classify)?;
        if let Some(proxy) = forward_proxy
            && response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        {
            let fault = rejection(response.status(), response.headers());
            let fault = proxy_fault(&proxy, fault);
            return Err(ConnectorError::other(fault.into(), None));
        }
        let is_success = response.status().is_success();
        let response = response.map(|body| {
            let received = Limited::new(body, MAX_RECEIVED_BYTES);
            match (is_success, is_batch) {
                (true, true) => SdkBody::from_body_1_x(received),
                (true, false) => SdkBody::from_body_1_x(Limited::new(received, MAX_RESPONSE_BYTES)),
                (false, _) => {
                    let mut shortener = Shortener::default();
                    let shortened = received
                        .map_frame(move |frame| frame.map_data(|data| shortener.shorten(&data)));
                    SdkBody::from_body_1_x(Limited::new(shortened, MAX_RESPONSE_BYTES))
                }
            }
        });
        let mut response = HttpResponse::try_from(response)
            .map_err(|error| ConnectorError::other(error.into(), None))?;
        response.add_extension(responder);
        self.clock.learn(&response);
        Ok(response)
    }
}

/// Tells the SDK which errors to retry. A retry does not help if a certificate or password was rejected.
fn classify(error: legacy::Error) -> ConnectorError {
    match find_cause(&error) {
        Some(fault) if NetworkFault::is_timeout(fault) => {
            return ConnectorError::timeout(error.into());
        }
        Some(fault) if fault.is_permanent() => {
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
