//! Owns the HTTP proxy: CONNECT tunnels and plain requests in absolute form, to routes and to loopback alone.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy_bidirectional},
    net::TcpStream,
};

use super::{
    authority::{Authority, Certificate},
    listener::BackgroundListener,
    message::{Destination, forwarded_head, read_head, send_error},
    tls::Handshakes,
};

/// What a proxy was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyRequest {
    /// `CONNECT` for a tunnel.
    pub method: String,
    /// `HOST:PORT` of a tunnel, the URL of a plain request.
    pub target: String,
    /// Whether the right credentials came along; `true` where none are wanted.
    pub authorized: bool,
    /// What the proxy itself answered: 200 for what it let pass.
    pub status: u16,
}

/// An HTTP proxy.
pub struct Proxy {
    listener: BackgroundListener,
    state: Arc<ProxyState>,
    authority: Option<Authority>,
}

struct ProxyState {
    routes: Mutex<BTreeMap<String, SocketAddr>>,
    credentials: Option<(String, String)>,
    rejection: Option<u16>,
    log: Mutex<Vec<ProxyRequest>>,
}

/// How to start a [`Proxy`].
#[derive(Default)]
pub struct ProxyBuilder {
    routes: BTreeMap<String, SocketAddr>,
    credentials: Option<(String, String)>,
    rejection: Option<u16>,
    authority: Option<Authority>,
    ipv6: bool,
}

impl ProxyBuilder {
    /// Leads `HOST:PORT` to an address of loopback. What has no route is reached if it is loopback, and
    /// answered 502 otherwise: nothing leaves the machine.
    #[must_use]
    pub fn route(mut self, target: &str, to: SocketAddr) -> Self {
        self.routes.insert(target.to_owned(), to);
        self
    }

    /// Asks for these credentials, with 407.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.credentials = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Answers everything with this status (403, 502) and a page.
    #[must_use]
    pub fn refuse(mut self, status: u16) -> Self {
        self.rejection = Some(status);
        self
    }

    /// Is itself reached by TLS, with a good certificate of this authority for localhost, 127.0.0.1 and ::1.
    #[must_use]
    pub fn tls(mut self, authority: &Authority) -> Self {
        self.authority = Some(authority.clone());
        self
    }

    /// Listens on `[::1]` instead of 127.0.0.1.
    #[must_use]
    pub fn ipv6(mut self, ipv6: bool) -> Self {
        self.ipv6 = ipv6;
        self
    }

    /// Starts the proxy.
    ///
    /// # Panics
    /// When it cannot, or a route leads away from loopback.
    #[must_use]
    pub fn start(self) -> Proxy {
        let away = self.routes.values().find(|to| !to.ip().is_loopback());
        assert!(away.is_none(), "routes lead to loopback");
        let state = Arc::new(ProxyState {
            routes: Mutex::new(self.routes),
            credentials: self.credentials,
            rejection: self.rejection,
            log: Mutex::default(),
        });
        let hosts = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let authority = self.authority.as_ref();
        let config = authority.map(|authority| authority.server(&hosts, Certificate::Good));
        let served = Arc::clone(&state);
        let listener = BackgroundListener::start(self.ipv6, move |mut stream| {
            let (state, config) = (Arc::clone(&served), config.clone());
            async move {
                match config {
                    None => state.serve(&mut stream).await,
                    Some(config) => {
                        if let Some(mut stream) = Handshakes::default().accept(stream, config).await
                        {
                            state.serve(&mut stream).await;
                        }
                    }
                }
            }
        });
        Proxy {
            listener,
            state,
            authority: self.authority,
        }
    }
}

impl Proxy {
    /// Settings; without any it lets everything on loopback pass.
    #[must_use]
    pub fn builder() -> ProxyBuilder {
        ProxyBuilder::default()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// `http://ADDRESS:PORT`, or `https://...` with TLS.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_with("")
    }

    /// The same with `USER:PASSWORD@`, percent-encoded.
    #[must_use]
    pub fn url_with_credentials(&self) -> String {
        match &self.state.credentials {
            Some((user, password)) => {
                self.url_with(&format!("{}:{}@", encode(user), encode(password)))
            }
            None => self.url(),
        }
    }

    fn url_with(&self, user: &str) -> String {
        let scheme = if self.authority.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{user}{}", self.address())
    }

    /// One more route, as [`ProxyBuilder::route`].
    ///
    /// # Panics
    /// When it leads away from loopback.
    pub fn add_route(&self, target: &str, to: SocketAddr) {
        assert!(to.ip().is_loopback(), "routes lead to loopback");
        let mut routes = lock(&self.state.routes);
        routes.insert(target.to_owned(), to);
    }

    /// What it was asked so far.
    #[must_use]
    pub fn log(&self) -> Vec<ProxyRequest> {
        lock(&self.state.log).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn encode(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(byte).collect()
}

impl ProxyState {
    /// One request a connection: a tunnel, or a plain one that is told to close.
    async fn serve(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
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
        // Whatever breaks from here on is the client's to notice.
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
            _ => send_error(stream, status).await,
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
        // Only a matter of speed.
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
