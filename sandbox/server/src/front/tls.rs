//! Owns the TLS front: it decrypts and carries what it gets to the sandbox. It must not look into it.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{io::copy_bidirectional, net::TcpStream};
use tokio_rustls::{
    LazyConfigAcceptor,
    rustls::{ServerConfig, server::Acceptor},
    server::TlsStream,
};

use super::{
    authority::{Authority, Certificate},
    listener::BackgroundListener,
};

/// One TLS handshake, as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The host the client asked for (SNI); clients send none for an address.
    pub server_name: Option<String>,
    /// Whether it came to an end: the client took the certificate.
    pub finished: bool,
}

#[derive(Clone, Default)]
pub(super) struct Handshakes(Arc<Mutex<Vec<Handshake>>>);

impl Handshakes {
    pub(super) fn all(&self) -> Vec<Handshake> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }

    fn add(&self, handshake: Handshake) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(handshake);
    }

    /// Shakes hands; `None` if it did not come to an end.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
        config: Arc<ServerConfig>,
    ) -> Option<TlsStream<TcpStream>> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await;
        let start = start.ok()?;
        let server_name = start.client_hello().server_name().map(str::to_owned);
        let stream = start.into_stream(config).await.ok();
        self.add(Handshake {
            server_name,
            finished: stream.is_some(),
        });
        stream
    }
}

/// A TLS server in front of a sandbox, or of anything else on loopback.
pub struct Tls {
    listener: BackgroundListener,
    hosts: Vec<String>,
    authority: Authority,
    handshakes: Handshakes,
}

/// How to start a [`Tls`].
pub struct TlsBuilder {
    hosts: Vec<String>,
    certificate: Certificate,
    authority: Authority,
    ipv6: bool,
}

impl TlsBuilder {
    /// What to show; a good certificate if nothing is said.
    #[must_use]
    pub fn certificate(mut self, certificate: Certificate) -> Self {
        self.certificate = certificate;
        self
    }

    /// The authority that signs the certificate; a new one by default.
    #[must_use]
    pub fn authority(mut self, authority: &Authority) -> Self {
        self.authority = authority.clone();
        self
    }

    /// Listens on `[::1]` instead of 127.0.0.1.
    #[must_use]
    pub fn ipv6(mut self, ipv6: bool) -> Self {
        self.ipv6 = ipv6;
        self
    }

    /// Starts the front; `upstream` is the URL of a sandbox.
    ///
    /// # Panics
    /// When it cannot, or `upstream` is not `http://ADDRESS:PORT`.
    #[must_use]
    pub fn start(self, upstream: &str) -> Tls {
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/');
        let upstream: SocketAddr = upstream.parse().expect("http://ADDRESS:PORT");
        let config = self.authority.server(&self.hosts, self.certificate);
        let handshakes = Handshakes::default();
        let seen = handshakes.clone();
        let listener = BackgroundListener::start(self.ipv6, move |stream| {
            let (seen, config) = (seen.clone(), Arc::clone(&config));
            async move {
                if let Some(mut stream) = seen.accept(stream, config).await
                    && forward(&mut stream, upstream).await.is_err()
                {
                    // What broke behind us breaks in front of us too.
                    let _ = stream.get_ref().0.set_zero_linger();
                }
            }
        });
        Tls {
            listener,
            hosts: self.hosts,
            authority: self.authority,
            handshakes,
        }
    }
}

/// Carries bytes both ways until both ends are done.
async fn forward(stream: &mut TlsStream<TcpStream>, to: SocketAddr) -> io::Result<()> {
    let mut upstream = TcpStream::connect(to).await?;
    // Only a matter of speed.
    let _ = upstream.set_nodelay(true);
    copy_bidirectional(stream, &mut upstream).await.map(drop)
}

impl Tls {
    /// A front for these hosts: names, `127.0.0.1`, `::1`. The first one is in [`Tls::url`].
    ///
    /// # Panics
    /// When no host is named.
    #[must_use]
    pub fn builder(hosts: &[&str]) -> TlsBuilder {
        assert!(!hosts.is_empty(), "a certificate is for a host");
        TlsBuilder {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            certificate: Certificate::Good,
            authority: Authority::new(),
            ipv6: false,
        }
    }

    /// A front for one host that shows this certificate.
    ///
    /// # Panics
    /// As [`TlsBuilder::start`].
    #[must_use]
    pub fn start(upstream: &str, host: &str, certificate: Certificate) -> Self {
        Self::builder(&[host])
            .certificate(certificate)
            .start(upstream)
    }

    /// Where it listens: what a [`super::Proxy`] routes to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// `https://HOST:PORT`, for a host that leads to loopback by itself.
    #[must_use]
    pub fn url(&self) -> String {
        url(&self.hosts[0], self.address())
    }

    /// The certificate of the authority. Of no use to a client that is shown a certificate that is not good.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    /// The authority, for other fronts to share.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The handshakes so far. A client that refuses a certificate has one that is not finished, and sent nothing.
    #[must_use]
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.handshakes.all()
    }

    /// Waits for this many handshakes: a refused one is known to the client before it is to the server.
    #[must_use]
    pub fn wait_for_handshakes(&self, count: usize, timeout: Duration) -> bool {
        let end = std::time::Instant::now() + timeout;
        while self.handshakes().len() < count {
            if std::time::Instant::now() > end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }
}

pub(super) fn url(host: &str, address: SocketAddr) -> String {
    let port = address.port();
    if host.contains(':') {
        format!("https://[{host}]:{port}")
    } else {
        format!("https://{host}:{port}")
    }
}
