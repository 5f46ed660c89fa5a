//! Owns a running sandbox: its thread, and everything a test can do to it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use sandbox_model::{ACCOUNT, Policy, REGION, World};

use crate::{
    defaults::{KEY_ID, SECRET_KEY},
    faults::{self, Event, Fault, Held, When},
    identity::Key,
    log::LogEntry,
    server_thread::ServerThread,
    shared::Shared,
};

/// A running server. It stops when this is dropped.
pub struct Sandbox {
    address: SocketAddr,
    pub(crate) shared: Arc<Shared>,
    _thread: ServerThread,
}

impl Sandbox {
    pub(crate) fn new(address: SocketAddr, shared: Arc<Shared>, thread: ServerThread) -> Self {
        Self {
            address,
            shared,
            _thread: thread,
        }
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
