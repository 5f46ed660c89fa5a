//! Endpoints that accept connections and never respond, or only in part.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{
    authority::{Authority, Certificate},
    listener::BackgroundListener,
    tls::{self, Handshake, Handshakes},
};

/// The first half of a response of Secrets Manager.
const HALF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: 400\r\n\r\n{\"ARN\":\"arn:aws:secr";

/// Accepts connections and never responds, or only with half a response.
pub struct BlackHole {
    listener: BackgroundListener,
    host: Option<String>,
    authority: Authority,
    handshakes: Handshakes,
    connections: Arc<AtomicUsize>,
}

/// Settings of a [`BlackHole`].
#[derive(Default)]
pub struct BlackHoleBuilder {
    hosts: Vec<String>,
    authority: Authority,
    half: bool,
    ipv6: bool,
}

impl BlackHoleBuilder {
    /// Completes TLS with a good certificate for these hosts first.
    #[must_use]
    pub fn tls(mut self, hosts: &[&str]) -> Self {
        self.hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        self
    }

    /// The authority that signs the certificate; a new one by default.
    #[must_use]
    pub fn authority(mut self, authority: &Authority) -> Self {
        self.authority = authority.clone();
        self
    }

    /// Responds to each request with half a response, and then nothing.
    #[must_use]
    pub fn half_an_answer(mut self) -> Self {
        self.half = true;
        self
    }

    /// Listens on `[::1]` instead of 127.0.0.1.
    #[must_use]
    pub fn ipv6(mut self, ipv6: bool) -> Self {
        self.ipv6 = ipv6;
        self
    }

    /// Starts the black hole.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(self) -> BlackHole {
        let config =
            (!self.hosts.is_empty()).then(|| self.authority.server(&self.hosts, Certificate::Good));
        let (handshakes, connections) = (Handshakes::default(), Arc::default());
        let (seen, count) = (handshakes.clone(), Arc::<AtomicUsize>::clone(&connections));
        let half = self.half;
        let listener = BackgroundListener::start(self.ipv6, move |stream| {
            let (seen, config) = (seen.clone(), config.clone());
            count.fetch_add(1, Ordering::SeqCst);
            async move {
                match config {
                    None => swallow(stream, half).await,
                    Some(config) => {
                        if let Some(stream) = seen.accept(stream, config).await {
                            swallow(stream, half).await;
                        }
                    }
                }
            }
        });
        BlackHole {
            listener,
            host: self.hosts.into_iter().next(),
            authority: self.authority,
            handshakes,
            connections,
        }
    }
}

/// Reads until the client disconnects.
async fn swallow(mut stream: impl AsyncRead + AsyncWrite + Unpin, half: bool) {
    let (mut buffer, mut head) = (vec![0; 64 * 1024], Vec::new());
    let mut answered = !half;
    while let Ok(read) = stream.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        if !answered {
            head.extend_from_slice(&buffer[..read]);
            answered = head.windows(4).any(|four| four == b"\r\n\r\n");
            // The client may have disconnected.
            if answered && (stream.write_all(HALF).await.is_err() || stream.flush().await.is_err())
            {
                return;
            }
        }
    }
}

impl BlackHole {
    /// Settings; by default it accepts TCP connections and never responds.
    #[must_use]
    pub fn builder() -> BlackHoleBuilder {
        BlackHoleBuilder::default()
    }

    /// Accepts TCP connections and responds neither to a TLS handshake nor to a request.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn tcp() -> Self {
        Self::builder().start()
    }

    /// Completes the TLS handshake for this host and never responds.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn tls(host: &str) -> Self {
        Self::builder().tls(&[host]).start()
    }

    /// Responds to each request, without TLS, with half a response.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn half() -> Self {
        Self::builder().half_an_answer().start()
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// `http://ADDRESS:PORT`, or `https://HOST:PORT` with TLS.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.host {
            Some(host) => tls::url(host, self.address()),
            None => format!("http://{}", self.address()),
        }
    }

    /// The certificate of the authority.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    /// The number of connections accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The TLS handshakes so far.
    #[must_use]
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.handshakes.all()
    }
}
