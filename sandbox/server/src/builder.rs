//! Settings of a sandbox, and starting it: its listener, its thread and its default key.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use sandbox_model::{ACCOUNT, Policy};

use crate::{
    connection::{BreakableListener, ConnectionHandle},
    defaults::{KEY_ID, SECRET_KEY},
    http,
    identity::Key,
    server::Sandbox,
    server_thread::{ServerThread, listen},
    shared::Shared,
};

/// Settings of a [`Sandbox`].
#[derive(Default)]
pub struct Builder {
    bind: Option<IpAddr>,
    port: u16,
    latency: Duration,
    writes_per_second: Option<u32>,
}

impl Builder {
    /// Sets the port to listen on. The default, 0, takes a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the address to listen on; the default is 127.0.0.1. Starting fails for an address that is not loopback,
    /// because the keys are public.
    #[must_use]
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.bind = Some(address);
        self
    }

    /// Listens on `[::1]` instead of 127.0.0.1.
    #[must_use]
    pub fn ipv6(self, ipv6: bool) -> Self {
        if ipv6 {
            self.bind(Ipv6Addr::LOCALHOST.into())
        } else {
            self.bind(Ipv4Addr::LOCALHOST.into())
        }
    }

    /// Sets the minimum duration of every request.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// See [`Sandbox::set_rate_limit`].
    #[must_use]
    pub fn writes_per_second(mut self, rate: u32) -> Self {
        self.writes_per_second = Some(rate);
        self
    }

    /// Starts the server on its own thread.
    ///
    /// # Errors
    /// If the port is taken, the thread cannot be started, or the address is not loopback.
    pub fn start(self) -> io::Result<Sandbox> {
        let bind = self.bind.unwrap_or(Ipv4Addr::LOCALHOST.into());
        if !bind.is_loopback() {
            let text = format!("{bind} is not a loopback address");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let listener = listen(bind, self.port)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        let thread = ServerThread::spawn("sandbox", move || serve(listener, served))?;
        let sandbox = Sandbox::new(address, shared, thread);
        sandbox.set_latency(self.latency);
        sandbox.set_rate_limit(self.writes_per_second);
        sandbox.add_key(Key {
            id: KEY_ID.to_owned(),
            secret: SECRET_KEY.to_owned(),
            session_token: None,
            account: ACCOUNT.to_owned(),
            user_arn: format!("arn:aws:iam::{ACCOUNT}:user/sandbox"),
            policy: Policy::allow_all(),
            expires: None,
        });
        Ok(sandbox)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) -> io::Result<()> {
    let listener = BreakableListener(tokio::net::TcpListener::from_std(listener)?);
    let router = Router::new().fallback(http::handle).with_state(shared);
    axum::serve(
        listener,
        router.into_make_service_with_connect_info::<ConnectionHandle>(),
    )
    .await
}

impl Sandbox {
    /// Starts a sandbox on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start() -> Self {
        Self::builder()
            .start()
            .expect("a sandbox starts on a free port")
    }

    /// Settings for a sandbox, which [`Builder::start`] starts.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }
}
