//! A TLS server that forwards the decrypted bytes to the sandbox without inspecting them.

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
    /// The host in the client's SNI extension; clients send none for an address.
    pub server_name: Option<String>,
    /// Whether the handshake completed, that is, the client accepted the certificate.
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

    /// Completes the handshake; `None` if it fails.
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

/// Settings of a [`Tls`] front.
pub struct TlsBuilder {
    hosts: Vec<String>,
    certificate: Certificate,
    authority: Authority,
    ipv6: bool,
}

impl TlsBuilder {
    /// Sets the certificate; the default is a good one.
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
    /// If it cannot be started, or `upstream` is not `http://ADDRESS:PORT`.
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
                    // A connection that breaks upstream also breaks for the client.
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

/// Forwards bytes in both directions until both ends are done.
async fn forward(stream: &mut TlsStream<TcpStream>, to: SocketAddr) -> io::Result<()> {
    let mut upstream = TcpStream::connect(to).await?;
    // Without it, small writes wait for acknowledgments; a failure only costs time.
    let _ = upstream.set_nodelay(true);
    copy_bidirectional(stream, &mut upstream).await.map(drop)
}

impl Tls {
    /// Settings of a front for these hosts: names, `127.0.0.1`, `::1`. [`Tls::url`] shows the first one.
    ///
    /// # Panics
    /// If there is no host.
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

    /// Starts a front for one host with this certificate.
    ///
    /// # Panics
    /// As [`TlsBuilder::start`].
    #[must_use]
    pub fn start(upstream: &str, host: &str, certificate: Certificate) -> Self {
        Self::builder(&[host])
            .certificate(certificate)
            .start(upstream)
    }

    /// The address it listens on, for the route of a [`super::Proxy`].
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// `https://HOST:PORT`. The host must resolve to loopback to be usable without a proxy.
    #[must_use]
    pub fn url(&self) -> String {
        url(&self.hosts[0], self.address())
    }

    /// The certificate of the authority, which makes clients trust a good certificate but none of the bad ones.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    /// The authority, for other fronts to share.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The handshakes so far. A client that rejects the certificate has an unfinished one, and sent no request.
    #[must_use]
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.handshakes.all()
    }

    /// Waits for this many handshakes: the client knows that it rejected one before the server does.
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
