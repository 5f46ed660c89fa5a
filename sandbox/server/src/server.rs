//! Owns a running sandbox: its thread, and everything a test can do to it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use axum::Router;
use sandbox_model::{ACCOUNT, Policy, REGION, World};
use tokio::{runtime, sync::oneshot};

use crate::{
    connection::{BreakableListener, ConnectionHandle},
    defaults::{KEY_ID, SECRET_KEY},
    faults::{self, Event, Fault, Held, When},
    http,
    identity::Key,
    log::LogEntry,
    shared::Shared,
};

/// A running server. It stops when this is dropped.
pub struct Sandbox {
    address: SocketAddr,
    pub(crate) shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How to start a [`Sandbox`].
#[derive(Default)]
pub struct Builder {
    bind: Option<IpAddr>,
    port: u16,
    latency: Duration,
    writes_per_second: Option<u32>,
}

impl Builder {
    /// The port to listen on; 0 takes a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The address to listen on, 127.0.0.1 if nothing is said. Starting fails if it is not loopback: the keys
    /// are no secret.
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

    /// What every request takes at least.
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
    /// When the port cannot be had, or the thread, or the address is not loopback.
    pub fn start(self) -> io::Result<Sandbox> {
        let bind = self.bind.unwrap_or(Ipv4Addr::LOCALHOST.into());
        if !bind.is_loopback() {
            let text = format!("{bind} is not a loopback address");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let listener = TcpListener::bind((bind, self.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let served = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = serve(listener, served) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        let sandbox = Sandbox {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        };
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

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may be gone already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Sandbox {
    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When it cannot.
    #[must_use]
    pub fn start() -> Self {
        Self::builder()
            .start()
            .expect("a sandbox starts on a free port")
    }

    /// Starts a server with settings.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `http://127.0.0.1:PORT`, or whatever address was asked for.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The environment that points an AWS SDK here, with the default key.
    #[must_use]
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let mut env = self.keyless_env();
        env.push(("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()));
        env.push(("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()));
        env
    }

    /// The same without a key.
    #[must_use]
    pub fn keyless_env(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.url()),
            ("AWS_ENDPOINT_URL_STS", self.url()),
            ("AWS_REGION", REGION.to_owned()),
        ]
    }

    /// The account of the default key.
    #[must_use]
    pub fn account(&self) -> &'static str {
        ACCOUNT
    }

    /// Makes an access key known, or replaces the one with its id.
    pub fn add_key(&self, key: Key) {
        let mut state = self.shared.lock();
        state.world.add_principal(&key.user_arn);
        state.identity.keys.add(key);
    }

    /// Changes what a key may do.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn set_policy(&self, access_key_id: &str, policy: Policy) {
        let mut state = self.shared.lock();
        state.identity.keys.set_policy(access_key_id, policy);
    }

    /// The id of the key that [`Sandbox::env`] hands out; it may do everything.
    #[must_use]
    pub fn default_key_id(&self) -> String {
        KEY_ID.to_owned()
    }

    /// Sets what every request takes at least.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.lock().latency = latency;
    }

    /// Sets the rate of writes. Put, Update, UpdateSecretVersionStage and the operations on replicas share it;
    /// CreateSecret, DeleteSecret, RestoreSecret, tagging, listing and resource policies have the same rate, each for
    /// itself; BatchGetSecretValue has twice that.
    pub fn set_rate_limit(&self, writes_per_second: Option<u32>) {
        self.shared.lock().rate_limiter.set(writes_per_second);
    }

    /// Moves the clock of the service: the age of versions, recovery windows, dates, the end of tokens and
    /// sessions. Signatures and rates go by the real clock.
    pub fn advance_clock(&self, by: Duration) {
        self.shared.lock().advance(by);
    }

    /// Lets the `nth` call of an operation from now on (the first is 1) go wrong, once.
    ///
    /// # Panics
    /// When the sandbox has no such operation, or `nth` is 0.
    pub fn fault(&self, operation: &str, nth: usize, fault: Fault) {
        self.shared
            .schedule
            .plan(operation, nth, Event::Fault(fault));
    }

    /// Lets the `nth` call of an operation from now on wait for the test. It is applied even if its client has
    /// gone meanwhile, unless it is discarded.
    ///
    /// # Panics
    /// As [`Sandbox::fault`].
    #[must_use]
    pub fn hold(&self, operation: &str, nth: usize, when: When) -> Held {
        let (held, gate) = faults::hold();
        self.shared
            .schedule
            .plan(operation, nth, Event::Hold(when, gate));
        held
    }

    /// Runs `f` under the lock just before the `nth` call of an operation from now on is applied: a rival's write.
    ///
    /// # Panics
    /// As [`Sandbox::fault`].
    pub fn before(&self, operation: &str, nth: usize, f: impl FnOnce(&mut World) + Send + 'static) {
        self.shared
            .schedule
            .plan(operation, nth, Event::Before(Box::new(f)));
    }

    /// Runs `f` under the lock just after the `nth` call of an operation from now on was applied, before its answer is sent.
    ///
    /// # Panics
    /// As [`Sandbox::fault`].
    pub fn after(&self, operation: &str, nth: usize, f: impl FnOnce(&mut World) + Send + 'static) {
        self.shared
            .schedule
            .plan(operation, nth, Event::After(Box::new(f)));
    }

    /// Looks at or changes the state; leaves no trace in the log.
    pub fn with<R>(&self, f: impl FnOnce(&mut World) -> R) -> R {
        f(&mut self.shared.lock().world)
    }

    /// The requests so far, in the order they were read.
    #[must_use]
    pub fn log(&self) -> Vec<LogEntry> {
        self.shared.log.entries()
    }

    /// Forgets the requests so far.
    pub fn clear_log(&self) {
        self.shared.log.clear();
    }
}
