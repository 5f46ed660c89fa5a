//! The time limit of a connection. It grows when a connection exceeds it, so that slow DNS servers and proxies, which need the
//! same time in each attempt, only cost attempts. Must not measure time itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A time limit that doubles up to a maximum.
pub(crate) struct ConnectLimit {
    milliseconds: AtomicU64,
    longest: Duration,
}

impl ConnectLimit {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        let this = Self {
            milliseconds: AtomicU64::new(0),
            longest,
        };
        this.raise_to(first);
        this
    }

    /// A limit that does not grow.
    pub(crate) fn fixed(limit: Duration) -> Self {
        Self::new(limit, limit)
    }

    pub(crate) fn get(&self) -> Duration {
        Duration::from_millis(self.milliseconds.load(Ordering::SeqCst))
    }

    /// Doubles a limit that a connection exceeded. Concurrent connections that exceeded the same limit double it only once.
    pub(crate) fn exceeded(&self, limit: Duration) {
        self.raise_to(limit * 2);
    }

    fn raise_to(&self, limit: Duration) {
        let milliseconds = limit.min(self.longest).as_millis();
        let milliseconds = u64::try_from(milliseconds).unwrap_or(u64::MAX);
        self.milliseconds.fetch_max(milliseconds, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_doubles_once_per_step_up_to_maximum() {
        let limit = ConnectLimit::new(Duration::from_secs(3), Duration::from_secs(10));
        let first = limit.get();
        assert_eq!(first, Duration::from_secs(3));
        for _ in 0..300 {
            limit.exceeded(first);
        }
        assert_eq!(limit.get(), Duration::from_secs(6));
        limit.exceeded(limit.get());
        limit.exceeded(limit.get());
        assert_eq!(limit.get(), Duration::from_secs(10));
        let fixed = ConnectLimit::fixed(first);
        fixed.exceeded(first);
        assert_eq!(fixed.get(), first);
    }
}
