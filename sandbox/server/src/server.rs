//! The handle of a running sandbox: everything a test can do with it, except for identities.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use sandbox_model::{ACCOUNT, Policy, REGION, World};

use crate::{
    defaults::{KEY_ID, SECRET_KEY},
    faults::{self, Event, Fault, Held, When},
    identity::Key,
    log::LogEntry,
    server_thread::ServerThread,
    shared::Shared,
    state::ClockOffset,
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

    /// `http://127.0.0.1:PORT`, or the address that was set.
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

    /// Like [`Sandbox::env`], but without a key.
    #[must_use]
    pub fn keyless_env(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.url()),
            ("AWS_ENDPOINT_URL_STS", self.url()),
            ("AWS_REGION", REGION.to_owned()),
        ]
    }

    /// The account ID of the default key.
    #[must_use]
    pub fn account(&self) -> &'static str {
        ACCOUNT
    }

    /// Adds an access key, or replaces the one with its ID.
    pub fn add_key(&self, key: Key) {
        let mut state = self.shared.lock();
        state.world.add_principal(&key.user_arn);
        state.identity.keys.add(key);
    }

    /// Replaces the policy of a key.
    ///
    /// # Panics
    /// If there is no such key.
    pub fn set_policy(&self, access_key_id: &str, policy: Policy) {
        let mut state = self.shared.lock();
        state.identity.keys.set_policy(access_key_id, policy);
    }

    /// The ID of the key in [`Sandbox::env`], which is allowed everything.
    #[must_use]
    pub fn default_key_id(&self) -> String {
        KEY_ID.to_owned()
    }

    /// Sets the minimum duration of every request.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.lock().latency = latency;
    }

    /// Limits the rate of writes. PutSecretValue, UpdateSecret, UpdateSecretVersionStage and the operations on
    /// replicas share it; CreateSecret, DeleteSecret, RestoreSecret, tagging, listing and resource policies have
    /// the same rate each; BatchGetSecretValue has twice that rate.
    pub fn set_rate_limit(&self, writes_per_second: Option<u32>) {
        self.shared.lock().rate_limiter.set(writes_per_second);
    }

    /// Moves the service's clock forward: the age of versions, recovery windows, dates, the expiration of tokens
    /// and sessions. Signatures and rate limits follow the real clock.
    pub fn advance_clock(&self, by: Duration) {
        self.shared.lock().advance(by);
    }

    /// Sets AWS's clock ahead of this machine's, or behind it: signatures, the dates of responses, and everything that
    /// [`Sandbox::advance_clock`] moves.
    pub fn set_clock(&self, ahead: Duration, behind: Duration) {
        let mut state = self.shared.lock();
        state.clock = ClockOffset { ahead, behind };
        state.update_clock();
    }

    /// Makes the `nth` call of an operation from now on fail once; the first is 1.
    ///
    /// # Panics
    /// If the sandbox has no such operation, or `nth` is 0.
    pub fn fault(&self, operation: &str, nth: usize, fault: Fault) {
        self.shared
            .schedule
            .plan(operation, nth, Event::Fault(fault));
    }

    /// Makes the `nth` call of an operation from now on wait for the test. It is applied even if its client
    /// disconnects, unless it is discarded.
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

    /// Runs `f` immediately before the `nth` call of an operation from now on is applied, as a concurrent writer
    /// would.
    ///
    /// # Panics
    /// As [`Sandbox::fault`].
    pub fn before(&self, operation: &str, nth: usize, f: impl FnOnce(&mut World) + Send + 'static) {
        self.shared
            .schedule
            .plan(operation, nth, Event::Before(Box::new(f)));
    }

    /// Runs `f` immediately after the `nth` call of an operation from now on was applied, before its response is
    /// sent.
    ///
    /// # Panics
    /// As [`Sandbox::fault`].
    pub fn after(&self, operation: &str, nth: usize, f: impl FnOnce(&mut World) + Send + 'static) {
        self.shared
            .schedule
            .plan(operation, nth, Event::After(Box::new(f)));
    }

    /// Reads or changes the state, without a log entry.
    pub fn with<R>(&self, f: impl FnOnce(&mut World) -> R) -> R {
        f(&mut self.shared.lock().world)
    }

    /// The requests so far, in the order in which they were read.
    #[must_use]
    pub fn log(&self) -> Vec<LogEntry> {
        self.shared.log.entries()
    }

    /// Removes all entries from the log.
    pub fn clear_log(&self) {
        self.shared.log.clear();
    }
}
