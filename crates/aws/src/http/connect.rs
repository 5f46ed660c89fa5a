//! Connections: TCP to the server or to its proxy, a tunnel through the proxy, and TLS, all within one time limit. Errors
//! identify the step that failed. Must not send anything except CONNECT.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::header::{HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION};
use http::{HeaderMap, Request, StatusCode, Uri};
use hyper::client::conn::http1;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use super::connect_limit::ConnectLimit;
use super::connection_limit::ConnectionLimit;
use super::early::EarlyConnections;
use super::lookup::Lookups;
use super::stream::{Io, Stream};
use super::tls::Tls;
use crate::error::find_cause;
use crate::fault::{NetworkFault, ProxyFault};
use crate::proxies::{Proxies, host_name};

/// The connector of hyper-util's pool.
#[derive(Clone)]
pub(super) struct Connect {
    tcp: HttpConnector<Lookups>,
    lookups: Lookups,
    proxies: Proxies,
    tls: Arc<Tls>,
    limit: Arc<ConnectLimit>,
    early: EarlyConnections,
    open: ConnectionLimit,
}

impl Connect {
    pub(super) fn new(
        proxies: Proxies,
        lookups: Lookups,
        tls: Arc<Tls>,
        limit: Arc<ConnectLimit>,
        early: EarlyConnections,
    ) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(lookups.clone());
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Self {
            tcp,
            lookups,
            proxies,
            tls,
            limit,
            early,
            open: ConnectionLimit::default(),
        }
    }

    /// Starts opening a connection for the first request to this server.
    pub(super) fn open_early(&self, uri: &Uri) {
        let connecting = self.clone().connect(uri.clone());
        self.early.open(uri, connecting);
    }

    async fn connect(mut self, uri: Uri) -> Result<Stream, NetworkFault> {
        let permit = self.open.permit(&uri).await;
        let proxy = self.proxies.for_uri(&uri);
        let stage = Stage::default();
        let shared_limit = Arc::clone(&self.limit);
        let lookups = self.lookups.clone();
        let limit = shared_limit.get();
        // hyper-util divides the limit among a name's addresses, so that an unresponsive address leaves time for the others.
        self.tcp.set_connect_timeout(Some(limit));
        let connection = self.establish(&uri, proxy.as_ref(), &stage);
        let connected = tokio::time::timeout(limit, connection)
            .await
            .unwrap_or_else(|_| Err(stage.timed_out()));
        let connected = connected.map_err(|fault| match fault {
            NetworkFault::Timeout { host } if lookups.is_waiting_for(&host) => {
                NetworkFault::DnsTimeout { host }
            }
            NetworkFault::Proxy {
                proxy,
                fault: ProxyFault::Silent,
            } if lookups.is_waiting_for(&proxy) => NetworkFault::Proxy {
                proxy,
                fault: ProxyFault::DnsTimeout,
            },
            fault => fault,
        });
        if connected.as_ref().is_err_and(NetworkFault::is_timeout) {
            shared_limit.exceeded(limit);
        }
        connected.map(|(io, forwarded)| Stream::new(io, forwarded, permit))
    }

    /// A connection, and whether a proxy reads the requests and forwards them.
    async fn establish(
        &mut self,
        uri: &Uri,
        proxy: Option<&Intercept>,
        stage: &Stage,
    ) -> Result<(Io, bool), NetworkFault> {
        let host = || host_name(uri).to_owned();
        let is_secure = uri.scheme_str() == Some("https");
        if is_secure {
            self.tls.prepare();
        }
        let mut io = match proxy {
            None => {
                stage.enter(NetworkFault::Timeout { host: host() });
                self.connect_tcp(uri).await?
            }
            Some(proxy) => self.connect_to_proxy(proxy, stage).await?,
        };
        if is_secure {
            if let Some(proxy) = proxy {
                stage.enter(proxy_fault(proxy, ProxyFault::Timeout));
                io = tunnel(io, uri, proxy).await?;
            }
            stage.enter(NetworkFault::TlsTimeout { host: host() });
            io = Box::new(self.tls.handshake(host_name(uri), io).await?);
        }
        Ok((io, proxy.is_some() && !is_secure))
    }

    async fn connect_tcp(&mut self, uri: &Uri) -> Result<Io, NetworkFault> {
        match self.tcp.call(uri.clone()).await {
            Ok(stream) => Ok(Box::new(stream.into_inner())),
            Err(error) => Err(tcp_fault(host_name(uri), &error)),
        }
    }

    async fn connect_to_proxy(
        &mut self,
        proxy: &Intercept,
        stage: &Stage,
    ) -> Result<Io, NetworkFault> {
        stage.enter(proxy_fault(proxy, ProxyFault::Silent));
        let io = self
            .connect_tcp(proxy.uri())
            .await
            .map_err(|fault| match fault {
                NetworkFault::Dns { .. } => proxy_fault(proxy, ProxyFault::Dns),
                NetworkFault::Timeout { .. } => proxy_fault(proxy, ProxyFault::Silent),
                NetworkFault::NoThread { .. } => fault,
                _ => proxy_fault(proxy, ProxyFault::Unreachable),
            })?;
        if proxy.uri().scheme_str() != Some("https") {
            return Ok(io);
        }
        stage.enter(proxy_fault(proxy, ProxyFault::TlsTimeout));
        match self.tls.handshake(host_name(proxy.uri()), io).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(fault @ NetworkFault::Certificate(_)) => Err(fault),
            Err(_) => Err(proxy_fault(proxy, ProxyFault::Tls)),
        }
    }
}

/// The fault to report if the time limit is reached now.
#[derive(Default)]
struct Stage(Mutex<Option<NetworkFault>>);

impl Stage {
    fn enter(&self, fault: NetworkFault) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    fn timed_out(&self) -> NetworkFault {
        let fault = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.unwrap_or(NetworkFault::ConnectionLost)
    }
}

/// The fault of a proxy that responded with an unsuccessful status.
pub(super) fn rejection(status: StatusCode, headers: &HeaderMap) -> ProxyFault {
    if status != StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        return ProxyFault::Status(status.as_u16());
    }
    let offers = |scheme: &str| {
        let challenges = headers.get_all(PROXY_AUTHENTICATE).iter();
        let mut schemes = challenges.filter_map(|value| value.to_str().ok()?.split(' ').next());
        schemes.any(|offered| offered.trim_end_matches(',').eq_ignore_ascii_case(scheme))
    };
    let others = ["NTLM", "Negotiate", "Digest", "Bearer"];
    match others.into_iter().find(|scheme| offers(scheme)) {
        Some(scheme) if !offers("Basic") => ProxyFault::Scheme(scheme),
        _ => ProxyFault::Status(status.as_u16()),
    }
}

pub(super) fn proxy_fault(proxy: &Intercept, fault: ProxyFault) -> NetworkFault {
    NetworkFault::Proxy {
        proxy: host_name(proxy.uri()).to_owned(),
        fault,
    }
}

/// Requests a connection to the server from the proxy.
async fn tunnel(io: Io, to: &Uri, proxy: &Intercept) -> Result<Io, NetworkFault> {
    let invalid = || proxy_fault(proxy, ProxyFault::InvalidResponse);
    let target = format!(
        "{}:{}",
        to.host().unwrap_or_default(),
        to.port_u16().unwrap_or(443)
    );
    let mut request = Request::connect(&target).header(HOST, &target);
    if let Some(authorization) = proxy.basic_auth() {
        request = request.header(PROXY_AUTHORIZATION, authorization);
    }
    let request = request.body(String::new()).map_err(|_| invalid())?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(io))
        .await
        .map_err(|_| invalid())?;
    // The task ends with the tunnel.
    tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(request).await.map_err(|_| invalid())?;
    if !response.status().is_success() {
        let fault = rejection(response.status(), response.headers());
        return Err(proxy_fault(proxy, fault));
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(|_| invalid())?;
    Ok(Box::new(TokioIo::new(upgraded)))
}

fn tcp_fault(host: &str, error: &(dyn StdError + 'static)) -> NetworkFault {
    let host = host.to_owned();
    if let Some(fault) = find_cause::<NetworkFault>(error) {
        return fault.clone();
    }
    match find_cause::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => NetworkFault::Refused { host },
        Some(io::ErrorKind::TimedOut) => NetworkFault::Timeout { host },
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            NetworkFault::NoRoute { host }
        }
        _ => NetworkFault::ConnectFailed { host },
    }
}

impl Service<Uri> for Connect {
    type Response = Stream;
    type Error = NetworkFault;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, NetworkFault>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            match this.early.take(&uri).await {
                Some(opened) => opened,
                None => this.connect(uri).await,
            }
        })
    }
}
