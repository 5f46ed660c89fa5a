//! The rate limit of a run over many secrets: a rate for each group of operations that share an AWS quota, lowered when AWS
//! throttles. It computes delays; it must not wait, and knows no secret.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long throttling counts as one event: calls that were sent together are throttled together.
const THROTTLING_WINDOW: Duration = Duration::from_secs(1);
/// The factor by which throttling lowers a rate.
const DECREASE: f64 = 0.7;
/// The share of the full rate that each second without throttling restores.
const RECOVERY: f64 = 0.05;
/// The lowest rate, so that a run always makes progress.
const MIN_RATE: f64 = 1.0;
/// How many calls a burst has less than one second's, because AWS measures with another clock.
const BURST_MARGIN: f64 = 2.0;

/// Operations that share a quota ("AWS Secrets Manager quotas", reference_limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum QuotaGroup {
    Write,
    Create,
    Restore,
    Tag,
    Policy,
    List,
    /// AWS allows twice as many of these as of writes.
    Batch,
}

impl QuotaGroup {
    /// `None` for operations of STS, and for reads, which have a quota of thousands a second.
    fn from_operation(operation: &str) -> Option<Self> {
        Some(match operation {
            "PutSecretValue"
            | "UpdateSecret"
            | "UpdateSecretVersionStage"
            | "ReplicateSecretToRegions"
            | "RemoveRegionsFromReplication" => Self::Write,
            "CreateSecret" => Self::Create,
            "RestoreSecret" => Self::Restore,
            "TagResource" | "UntagResource" => Self::Tag,
            "GetResourcePolicy" | "PutResourcePolicy" | "ValidateResourcePolicy" => Self::Policy,
            "ListSecretVersionIds" => Self::List,
            "BatchGetSecretValue" => Self::Batch,
            _ => return None,
        })
    }
}

/// A rate limiter for each group. Rates are calls a second.
pub(crate) struct RateLimit {
    rate: f64,
    limiters: Mutex<BTreeMap<QuotaGroup, Limiter>>,
}

impl RateLimit {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            rate: f64::from(rate),
            limiters: Mutex::default(),
        }
    }

    /// Reserves the next slot for an operation. Returns the delay until then.
    pub(crate) fn reserve(&self, operation: &str, now: Instant) -> Duration {
        self.with_limiter(operation, now, |limiter| limiter.reserve(now))
            .unwrap_or_default()
    }

    /// Lowers the rate of an operation that AWS has throttled.
    pub(crate) fn slow_down(&self, operation: &str, now: Instant) {
        self.with_limiter(operation, now, |limiter| limiter.slow_down(now));
    }

    fn with_limiter<T>(
        &self,
        operation: &str,
        now: Instant,
        action: impl FnOnce(&mut Limiter) -> T,
    ) -> Option<T> {
        let group = QuotaGroup::from_operation(operation)?;
        let rate = match group {
            QuotaGroup::Batch => self.rate * 2.0,
            _ => self.rate,
        };
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        let limiter = limiters
            .entry(group)
            .or_insert_with(|| Limiter::new(rate, now));
        Some(action(limiter))
    }
}

/// The limiter of one group: the generic cell rate algorithm (GCRA) with an adaptive rate.
struct Limiter {
    full_rate: f64,
    rate: f64,
    /// GCRA's theoretical arrival time: when the next call is sent if it is not part of a burst.
    next_slot: Instant,
    /// The last throttling; `None` once the rate has recovered.
    throttled_at: Option<Instant>,
    updated_at: Instant,
}

impl Limiter {
    fn new(full_rate: f64, now: Instant) -> Self {
        Self {
            full_rate,
            rate: full_rate,
            next_slot: now,
            throttled_at: None,
            updated_at: now,
        }
    }

    fn reserve(&mut self, now: Instant) -> Duration {
        self.recover(now);
        let interval = Duration::from_secs_f64(1.0 / self.rate);
        // AWS admits a second's calls at once, but none while it throttles.
        let burst = match self.throttled_at {
            Some(_) => 0.0,
            None => (self.rate - BURST_MARGIN).max(0.0),
        };
        let slot = self.next_slot.max(now);
        self.next_slot = slot + interval;
        slot.checked_sub(interval.mul_f64(burst))
            .unwrap_or(now)
            .saturating_duration_since(now)
    }

    fn slow_down(&mut self, now: Instant) {
        let is_same_event = self
            .throttled_at
            .is_some_and(|at| now.saturating_duration_since(at) < THROTTLING_WINDOW);
        if is_same_event {
            return;
        }
        self.rate = (self.rate * DECREASE).max(MIN_RATE.min(self.full_rate));
        self.throttled_at = Some(now);
        self.updated_at = now;
        // Capacity that was not used before the throttling is gone.
        self.next_slot = self.next_slot.max(now);
    }

    fn recover(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.updated_at);
        self.updated_at = now;
        self.rate =
            (self.rate + self.full_rate * RECOVERY * elapsed.as_secs_f64()).min(self.full_rate);
        if self.rate >= self.full_rate {
            self.throttled_at = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The delays of calls that are all requested at once, in milliseconds.
    fn slots(limit: &RateLimit, calls: usize, now: Instant) -> Vec<u128> {
        (0..calls)
            .map(|_| limit.reserve("PutSecretValue", now).as_millis())
            .collect()
    }

    #[test]
    fn burst_of_one_second_then_steady_rate() {
        let limit = RateLimit::new(10);
        let now = Instant::now();
        let slots = slots(&limit, 12, now);
        assert_eq!(slots, [0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200, 300]);
        // Other groups have limiters of their own, and reads have none.
        assert_eq!(limit.reserve("CreateSecret", now), Duration::ZERO);
        for _ in 0..100 {
            assert_eq!(limit.reserve("DescribeSecret", now), Duration::ZERO);
        }
    }

    #[test]
    fn no_second_exceeds_burst_plus_rate() {
        let limit = RateLimit::new(40);
        let now = Instant::now();
        let slots = slots(&limit, 400, now);
        for start in (0..10_000).step_by(50) {
            let within = slots
                .iter()
                .filter(|at| (start..start + 1_000).contains(*at))
                .count();
            assert!(within <= 40 + 39, "{within} from {start} ms");
        }
        assert!(slots.last().is_some_and(|last| *last < 9_100));
    }

    #[test]
    fn throttling_slows_once_and_recovers() {
        let limit = RateLimit::new(10);
        let start = Instant::now();
        slots(&limit, 9, start);
        for _ in 0..5 {
            limit.slow_down("PutSecretValue", start);
        }
        let after = slots(&limit, 3, start);
        // The burst has used up 0.9 seconds; after that, 7 calls a second.
        assert!(
            after[0] >= 900 && (140..=145).contains(&(after[2] - after[1])),
            "{after:?}"
        );
        // The rate recovers in six seconds.
        let later = start + Duration::from_secs(10);
        assert_eq!(limit.reserve("PutSecretValue", later), Duration::ZERO);
        let again = slots(&limit, 12, later);
        assert!(again[7] == 0 && again[11] >= 200, "{again:?}");
    }

    #[test]
    fn batches_have_twice_the_rate() {
        let limit = RateLimit::new(2);
        let now = Instant::now();
        let delays = [(); 4].map(|()| limit.reserve("BatchGetSecretValue", now).as_millis());
        assert_eq!(delays, [0, 0, 0, 250]);
    }

    #[test]
    fn lowest_rate_is_one_a_second() {
        let limit = RateLimit::new(2);
        let mut now = Instant::now();
        for _ in 0..10 {
            now += Duration::from_secs(1);
            limit.slow_down("CreateSecret", now);
        }
        limit.reserve("CreateSecret", now);
        assert_eq!(limit.reserve("CreateSecret", now).as_millis(), 1_000);
    }
}
