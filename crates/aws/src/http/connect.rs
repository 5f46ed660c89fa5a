//! One connection: TCP to the server or to its proxy, a tunnel through the proxy, TLS; within one
//! time-out, with an error that says which of them failed. Sends nothing but CONNECT.

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
use hyper_util::rt::TokioIo;
use tower_service::Service;

use super::tls::{Io, LazyTls};
use crate::error::chain;
use crate::fault::{NetworkFault, ProxyFault};
use crate::proxies::{Proxies, Proxy};

/// Where no time-out was asked for.
const DEFAULT_LIMIT: Duration = Duration::from_secs(10);

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connect {
    tcp: HttpConnector,
    proxies: Proxies,
    tls: Arc<LazyTls>,
    limit: Duration,
}

impl Connect {
    pub(super) fn new(proxies: Proxies, tls: Arc<LazyTls>, limit: Option<Duration>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        // Shared out among a name's addresses, so that a dead one does not take it all.
        tcp.set_connect_timeout(Some(limit));
        Self {
            tcp,
            proxies,
            tls,
            limit,
        }
    }

    async fn connect(mut self, uri: Uri) -> Result<Stream, NetworkFault> {
        let host = host(&uri);
        let proxy = self.proxies.of(&uri);
        let limit = self.limit;
        let slow = match &proxy {
            None => NetworkFault::Slow { host: host.clone() },
            Some(proxy) => NetworkFault::Proxy {
                proxy: self::host(&proxy.uri),
                why: ProxyFault::Slow,
            },
        };
        tokio::time::timeout(limit, async move {
            let secure = uri.scheme_str() == Some("https");
            let proxied = proxy.is_some();
            let mut io = match proxy {
                None => self.reach(&uri).await?,
                Some(proxy) => {
                    let io = self.reach_proxy(&proxy).await?;
                    if secure {
                        tunnel(io, &uri, &proxy).await?
                    } else {
                        io
                    }
                }
            };
            if secure {
                io = Box::new(self.tls.get().wrap(&host, io).await?);
            }
            Ok(Stream {
                io: TokioIo::new(io),
                // Only then must a request name the whole URL.
                forwarded: proxied && !secure,
            })
        })
        .await
        .unwrap_or(Err(slow))
    }

    async fn reach(&mut self, uri: &Uri) -> Result<Io, NetworkFault> {
        match self.tcp.call(uri.clone()).await {
            Ok(stream) => Ok(Box::new(stream.into_inner())),
            Err(error) => Err(unreachable(host(uri), &error)),
        }
    }

    async fn reach_proxy(&mut self, proxy: &Proxy) -> Result<Io, NetworkFault> {
        let name = host(&proxy.uri);
        let of_proxy = |why| NetworkFault::Proxy {
            proxy: name.clone(),
            why,
        };
        let io = self.reach(&proxy.uri).await.map_err(|fault| {
            of_proxy(match fault {
                NetworkFault::Dns { .. } => ProxyFault::Dns,
                _ => ProxyFault::Unreachable,
            })
        })?;
        if proxy.uri.scheme_str() != Some("https") {
            return Ok(io);
        }
        match self.tls.get().wrap(&name, io).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(fault @ NetworkFault::Untrusted(_)) => Err(fault),
            Err(_) => Err(of_proxy(ProxyFault::Tls)),
        }
    }
}

/// Asks the proxy for a connection to the server.
async fn tunnel(io: Io, to: &Uri, proxy: &Proxy) -> Result<Io, NetworkFault> {
    let fault = |why| NetworkFault::Proxy {
        proxy: host(&proxy.uri),
        why,
    };
    let broken = |_| fault(ProxyFault::Broken);
    let target = format!(
        "{}:{}",
        to.host().unwrap_or_default(),
        to.port_u16().unwrap_or(443)
    );
    let mut request = Request::connect(&target).header(HOST, &target);
    if let Some(authorization) = &proxy.authorization {
        request = request.header(PROXY_AUTHORIZATION, authorization);
    }
    let request = request
        .body(String::new())
        .map_err(|_| fault(ProxyFault::Broken))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(broken)?;
    // Ends when the tunnel does.
    tokio::spawn(connection.with_upgrades());
    let answer = sender.send_request(request).await.map_err(broken)?;
    if !answer.status().is_success() {
        return Err(fault(ProxyFault::Status(answer.status().as_u16())));
    }
    let upgraded = hyper::upgrade::on(answer).await.map_err(broken)?;
    Ok(Box::new(TokioIo::new(upgraded)))
}

fn host(uri: &Uri) -> String {
    uri.host()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned()
}

fn unreachable(host: String, error: &(dyn StdError + 'static)) -> NetworkFault {
    // The resolver's message is the only difference that hyper-util's types leave.
    if chain(error).any(|error| error.to_string() == "dns error") {
        return NetworkFault::Dns { host };
    }
    let kind = chain(error)
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .next();
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => NetworkFault::Refused { host },
        _ => NetworkFault::Broken { host },
    }
}

/// A connection that is ready for requests.
pub(super) struct Stream {
    io: TokioIo<Io>,
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
