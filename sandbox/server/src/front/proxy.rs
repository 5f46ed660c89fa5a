//! The settings and the handle of an HTTP proxy, for CONNECT tunnels and for plain requests in absolute form.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    authority::{Authority, Certificate},
    forwarder::{ProxyRequest, ProxyState, lock},
    listener::BackgroundListener,
    tls::Handshakes,
};

/// An HTTP proxy.
pub struct Proxy {
    listener: BackgroundListener,
    state: Arc<ProxyState>,
    authority: Option<Authority>,
}

/// Settings of a [`Proxy`].
#[derive(Default)]
pub struct ProxyBuilder {
    routes: BTreeMap<String, SocketAddr>,
    credentials: Option<(String, String)>,
    rejection: Option<u16>,
    scheme: &'static str,
    delay: Duration,
    authority: Option<Authority>,
    ipv6: bool,
}

impl ProxyBuilder {
    /// Routes `HOST:PORT` to a loopback address. Without a route, loopback addresses are connected to and
    /// everything else gets a 502, so that nothing leaves the machine.
    #[must_use]
    pub fn route(mut self, target: &str, to: SocketAddr) -> Self {
        self.routes.insert(target.to_owned(), to);
        self
    }

    /// Requires these credentials; responds with 407 without them.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.credentials = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Requires authentication with this scheme, such as NTLM; responds with 407.
    #[must_use]
    pub fn scheme(mut self, scheme: &'static str) -> Self {
        self.scheme = scheme;
        self.rejection = Some(407);
        self
    }

    /// Waits before each response, as a proxy does that looks a host up or inspects the connection first.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Responds to everything with this status (403, 502) and an HTML page.
    #[must_use]
    pub fn refuse(mut self, status: u16) -> Self {
        self.rejection = Some(status);
        self
    }

    /// Serves the proxy itself over TLS, with a good certificate of this authority for localhost, 127.0.0.1 and
    /// ::1.
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
    /// If it cannot be started, or a route leads beyond loopback.
    #[must_use]
    pub fn start(self) -> Proxy {
        let away = self.routes.values().find(|to| !to.ip().is_loopback());
        assert!(away.is_none(), "routes lead to loopback");
        let state = Arc::new(ProxyState {
            routes: Mutex::new(self.routes),
            credentials: self.credentials,
            rejection: self.rejection,
            scheme: if self.scheme.is_empty() {
                "Basic realm=\"Example Corp\""
            } else {
                self.scheme
            },
            delay: self.delay,
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
    /// Settings; by default the proxy forwards everything on loopback.
    #[must_use]
    pub fn builder() -> ProxyBuilder {
        ProxyBuilder::default()
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// `http://ADDRESS:PORT`, or `https://...` with TLS.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_with("")
    }

    /// Like [`Proxy::url`], but with percent-encoded `USER:PASSWORD@`.
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

    /// Adds a route, as [`ProxyBuilder::route`] does.
    ///
    /// # Panics
    /// If it leads beyond loopback.
    pub fn add_route(&self, target: &str, to: SocketAddr) {
        assert!(to.ip().is_loopback(), "routes lead to loopback");
        let mut routes = lock(&self.state.routes);
        routes.insert(target.to_owned(), to);
    }

    /// The requests so far.
    #[must_use]
    pub fn log(&self) -> Vec<ProxyRequest> {
        lock(&self.state.log).clone()
    }
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
