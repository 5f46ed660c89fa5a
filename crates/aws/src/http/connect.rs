//! Connections: TCP to the server or to its proxy, a tunnel through the proxy, TLS, all within one timeout. An error says
//! which of them failed. Nothing is sent but CONNECT.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{Request, Uri};
use hyper::client::conn::http1;
use hyper::rt::ReadBufCursor;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use super::tls::{Io, Tls};
use crate::error::{causes, find_cause};
use crate::fault::{NetworkFault, ProxyFault};
use crate::proxies::{Proxies, host_name};

/// The timeout if the SDK sets none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The connector of hyper-util's pool.
#[derive(Clone)]
pub(super) struct Connect {
    tcp: HttpConnector,
    proxies: Proxies,
    tls: Arc<Tls>,
    timeout: Duration,
}

impl Connect {
    pub(super) fn new(proxies: Proxies, tls: Arc<Tls>, timeout: Option<Duration>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let timeout = timeout.unwrap_or(DEFAULT_TIMEOUT);
        // hyper-util divides it among a name's addresses, so that one that does not respond leaves time for the others.
        tcp.set_connect_timeout(Some(timeout));
        Self {
            tcp,
            proxies,
            tls,
            timeout,
        }
    }

    async fn connect(mut self, uri: Uri) -> Result<Stream, NetworkFault> {
        let host = host_name(&uri);
        let proxy = self.proxies.for_uri(&uri);
        let timed_out = || match &proxy {
            None => NetworkFault::Timeout {
                host: host.to_owned(),
            },
            Some(proxy) => proxy_fault(proxy, ProxyFault::Timeout),
        };
        let is_secure = uri.scheme_str() == Some("https");
        let timeout = self.timeout;
        tokio::time::timeout(timeout, async {
            let mut io = match &proxy {
                None => self.connect_tcp(&uri).await?,
                Some(proxy) => self.connect_to_proxy(proxy).await?,
            };
            if is_secure {
                if let Some(proxy) = &proxy {
                    io = tunnel(io, &uri, proxy).await?;
                }
                io = Box::new(self.tls.handshake(host, io).await?);
            }
            Ok(Stream {
                io: TokioIo::new(io),
                // hyper then sends the whole URL in the request line.
                forwarded: proxy.is_some() && !is_secure,
            })
        })
        .await
        .unwrap_or_else(|_| Err(timed_out()))
    }

    async fn connect_tcp(&mut self, uri: &Uri) -> Result<Io, NetworkFault> {
        match self.tcp.call(uri.clone()).await {
            Ok(stream) => Ok(Box::new(stream.into_inner())),
            Err(error) => Err(tcp_fault(host_name(uri), &error)),
        }
    }

    async fn connect_to_proxy(&mut self, proxy: &Intercept) -> Result<Io, NetworkFault> {
        let io = self.connect_tcp(proxy.uri()).await.map_err(|fault| {
            let fault = match fault {
                NetworkFault::Dns { .. } => ProxyFault::Dns,
                _ => ProxyFault::Unreachable,
            };
            proxy_fault(proxy, fault)
        })?;
        if proxy.uri().scheme_str() != Some("https") {
            return Ok(io);
        }
        match self.tls.handshake(host_name(proxy.uri()), io).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(fault @ NetworkFault::Certificate(_)) => Err(fault),
            Err(_) => Err(proxy_fault(proxy, ProxyFault::Tls)),
        }
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
        let status = ProxyFault::Status(response.status().as_u16());
        return Err(proxy_fault(proxy, status));
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(|_| invalid())?;
    Ok(Box::new(TokioIo::new(upgraded)))
}

fn tcp_fault(host: &str, error: &(dyn StdError + 'static)) -> NetworkFault {
    let host = host.to_owned();
    // hyper-util has no public type for it.
    if causes(error).any(|error| error.to_string() == "dns error") {
        return NetworkFault::Dns { host };
    }
    match find_cause::<io::Error>(error) {
        Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            NetworkFault::Refused { host }
        }
        _ => NetworkFault::ConnectFailed { host },
    }
}

/// A connection that is ready for HTTP requests.
pub(super) struct Stream {
    io: TokioIo<Io>,
    /// Whether a proxy reads the requests and forwards them.
    forwarded: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.forwarded)
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
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
        Box::pin(self.clone().connect(uri))
    }
}
