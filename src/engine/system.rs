//! Everything the engine needs besides the store: time, delays and random numbers. Tests replace it to make runs deterministic.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use upsert_secret_config::random;
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::hash::uuid;

/// Time, delays and random numbers.
pub(crate) trait System {
    /// The wall clock in seconds since 1970. The expiry of private labels is based on it.
    fn now(&self) -> u64;

    /// Fills a buffer with random bytes.
    fn fill_random(&self, bytes: &mut [u8]);

    /// Waits for a duration.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()>>>;
}

impl dyn System + '_ {
    /// A new random UUID.
    pub(crate) fn unique(&self) -> String {
        let mut bytes = [0; 16];
        self.fill_random(&mut bytes);
        uuid(&bytes)
    }

    /// Waits for the next try; returns `false` after the last one.
    pub(crate) async fn wait(&self, backoff: &mut Backoff) -> bool {
        let mut jitter = [0];
        self.fill_random(&mut jitter);
        match backoff.next_delay(jitter[0]) {
            Some(delay) => {
                self.sleep(delay).await;
                true
            }
            None => false,
        }
    }

    /// Waits for the next turn among concurrent writers of a secret.
    pub(crate) async fn wait_turn(&self, backoff: &mut Backoff) {
        let mut jitter = [0; 2];
        self.fill_random(&mut jitter);
        self.sleep(backoff.next_turn(u16::from_be_bytes(jitter)))
            .await;
    }
}

/// The operating system's clock and random numbers.
pub(crate) struct OperatingSystem;

impl System for OperatingSystem {
    fn now(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        random::fill(bytes);
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
