//! How a proxy handles a connection: authentication, routing and forwarding. Must not connect beyond loopback.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy_bidirectional},
    net::TcpStream,
};

use super::message::{Destination, forwarded_head, read_head, send_error};

/// A request to a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyRequest {
    /// `CONNECT` for a tunnel.
    pub method: String,
    /// `HOST:PORT` of a tunnel, the URL of a plain request.
    pub target: String,
    /// Whether the request carried the right credentials; `true` if none are required.
    pub authorized: bool,
    /// The status of the proxy itself: 200 for a request that it forwarded.
    pub status: u16,
}

pub(super) struct ProxyState {
    pub(super) routes: Mutex<BTreeMap<String, SocketAddr>>,
    pub(super) credentials: Option<(String, String)>,
    pub(super) rejection: Option<u16>,
    /// The challenge of a 407.
    pub(super) scheme: &'static str,
    pub(super) delay: Duration,
    pub(super) log: Mutex<Vec<ProxyRequest>>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ProxyState {
    /// Serves one request: a tunnel, or a plain request, after which the connection closes.
    pub(super) async fn serve(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
        let Some((head, rest)) = read_head(stream).await else {
            return;
        };
        let mut lines = head.split("\r\n");
        let mut start = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (
            start.next().unwrap_or_default(),
            start.next().unwrap_or_default(),
        );
        let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
        let authorized = self.authorized(&headers);
        let destination = Destination::parse(method, target);
        let (status, upstream) = match (authorized, self.rejection, &destination) {
            (false, ..) => (407, None),
            (_, Some(status), _) => (status, None),
            (_, _, None) => (400, None),
            (_, _, Some(destination)) => match self.connect(&destination.authority).await {
                None => (502, None),
                upstream => (200, upstream),
            },
        };
        lock(&self.log).push(ProxyRequest {
            method: method.to_owned(),
            target: target.to_owned(),
            authorized,
            status,
        });
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        // From here on, a failure is visible to the client.
        let _ = match (destination, upstream) {
            (Some(Destination { path: None, .. }), Some(upstream)) => {
                tunnel(stream, upstream, &rest).await
            }
            (
                Some(Destination {
                    path: Some(path), ..
                }),
                Some(mut upstream),
            ) => {
                let head = forwarded_head(method, &path, &headers);
                let sent = [head.as_bytes(), &rest].concat();
                match upstream.write_all(&sent).await {
                    Ok(()) => copy_bidirectional(stream, &mut upstream).await.map(drop),
                    broken => broken,
                }
            }
            _ => send_error(stream, status, self.scheme).await,
        };
    }

    fn authorized(&self, headers: &[(&str, &str)]) -> bool {
        let Some((user, password)) = &self.credentials else {
            return true;
        };
        let right = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("proxy-authorization") && value.trim() == right
        })
    }

    async fn connect(&self, authority: &str) -> Option<TcpStream> {
        let upstream = TcpStream::connect(self.route(authority)?).await.ok()?;
        // Without it, small writes wait for acknowledgments; a failure only costs time.
        let _ = upstream.set_nodelay(true);
        Some(upstream)
    }

    fn route(&self, authority: &str) -> Option<SocketAddr> {
        if let Some(to) = lock(&self.routes).get(authority) {
            return Some(*to);
        }
        let (host, port) = authority.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = if host == "localhost" {
            "127.0.0.1"
        } else {
            host
        };
        let ip: IpAddr = host.parse().ok()?;
        ip.is_loopback().then_some((ip, port.parse().ok()?).into())
    }
}

async fn tunnel(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    mut upstream: TcpStream,
    first: &[u8],
) -> io::Result<()> {
    stream
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    stream.flush().await?;
    upstream.write_all(first).await?;
    copy_bidirectional(stream, &mut upstream).await.map(drop)
}
