//! The rate limit of a run over many secrets: one rate per group of operations that share an AWS quota, lowered when AWS
//! throttles. Computes delays. Must not wait or handle secrets.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use upsert_secret_core::rate::Rate;

/// The period in which throttling counts as one event: calls that were sent together are throttled together.
const THROTTLING_WINDOW: Duration = Duration::from_secs(1);
/// The factor by which throttling lowers a rate.
const DECREASE: f64 = 0.7;
/// The share of the full rate that each second without throttling restores.
const RECOVERY: f64 = 0.05;
/// The minimum rate, so that a run always makes progress.
const MIN_RATE: f64 = 1.0;
/// The number of calls at the first rate: about as many as a run over a hundred secrets makes in one group.
const FIRST_CALLS: u32 = 100;
/// The number of calls by which a burst is smaller than the calls of one second, because AWS measures with a different clock.
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
    /// `None` for STS operations, and for reads, which have a quota of thousands per second.
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
            "ListSecrets" | "ListSecretVersionIds" => Self::List,
            "BatchGetSecretValue" => Self::Batch,
            _ => return None,
        })
    }
}

/// A rate limiter per group. Rates are calls per second.
pub(crate) struct RateLimit {
    rate: Rate,
    limiters: Mutex<BTreeMap<QuotaGroup, Limiter>>,
}

impl RateLimit {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            limiters: Mutex::default(),
        }
    }

    /// Reserves the next slot for an operation. Returns the delay until that slot.
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
        let factor = match group {
            QuotaGroup::Batch => 2,
            _ => 1,
        };
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        let limiter = limiters
            .entry(group)
            .or_insert_with(|| Limiter::new(self.rate, factor, now));
        Some(action(limiter))
    }
}

/// The limiter of one group: the generic cell rate algorithm (GCRA) with an adaptive rate.
struct Limiter {
    /// The number of calls left at the first rate.
    first_calls: u32,
    /// The rate of the calls after them.
    later_rate: f64,
    /// The rate without throttling.
    full_rate: f64,
    rate: f64,
    /// GCRA's theoretical arrival time: when the next call is sent if it is not part of a burst.
    next_slot: Instant,
    /// The last throttling; `None` once the rate has recovered.
    throttled_at: Option<Instant>,
    updated_at: Instant,
}

impl Limiter {
    /// A limiter of rates that are multiplied by a factor.
    fn new(rate: Rate, factor: u32, now: Instant) -> Self {
        let first_rate = f64::from(rate.first * factor);
        Self {
            first_calls: FIRST_CALLS * factor,
            later_rate: f64::from(rate.later * factor),
            full_rate: first_rate,
            rate: first_rate,
            next_slot: now,
            throttled_at: None,
            updated_at: now,
        }
    }

    fn reserve(&mut self, now: Instant) -> Duration {
        self.recover(now);
        let burst = match self.throttled_at {
            Some(_) => Duration::ZERO,
            None => self.burst(),
        };
        let slot = self.next_slot.max(now);
        self.next_slot = slot + self.interval();
        match self.first_calls {
            0 => {}
            1 => self.end_first_calls(),
            left => self.first_calls = left - 1,
        }
        slot.checked_sub(burst)
            .unwrap_or(now)
            .saturating_duration_since(now)
    }

    fn interval(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate)
    }

    /// How far ahead of its slot a call may be sent. AWS admits the calls of one second at once, but none while it throttles.
    /// The first calls leave the remaining capacity of the later rate, so that single calls of other callers get through, as do
    /// calls that arrive closer together than they were sent.
    fn burst(&self) -> Duration {
        let calls = self.rate.min(self.later_rate) - BURST_MARGIN;
        self.interval().mul_f64(calls.max(0.0))
    }

    fn slow_down(&mut self, now: Instant) {
        let is_same_event = self
            .throttled_at
            .is_some_and(|at| now.saturating_duration_since(at) < THROTTLING_WINDOW);
        if is_same_event {
            return;
        }
        // Another caller also uses the quota.
        self.end_first_calls();
        self.rate = (self.rate * DECREASE).max(MIN_RATE.min(self.full_rate));
        self.throttled_at = Some(now);
        self.updated_at = now;
        // Capacity that was unused before the throttling is gone.
        self.next_slot = self.next_slot.max(now);
    }

    fn end_first_calls(&mut self) {
        let burst = self.burst();
        self.first_calls = 0;
        self.full_rate = self.later_rate;
        self.rate = self.rate.min(self.full_rate);
        // The calls of a burst take longer at a lower rate, which must not permit a second burst.
        self.next_slot += self.burst().saturating_sub(burst);
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
        let limit = RateLimit::new(Rate::constant(10));
        let now = Instant::now();
        let slots = slots(&limit, 12, now);
        assert_eq!(slots, [0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200, 300]);
        // Other groups have separate limiters, and reads have none.
        assert_eq!(limit.reserve("CreateSecret", now), Duration::ZERO);
        for _ in 0..100 {
            assert_eq!(limit.reserve("DescribeSecret", now), Duration::ZERO);
        }
    }

    #[test]
    fn no_second_exceeds_burst_plus_rate() {
        let limit = RateLimit::new(Rate::constant(40));
        let now = Instant::now();
        let slots = slots(&limit, 400, now);
        for start in (0..10_000).step_by(50) {
            let within = slots
                .iter()
                .filter(move |at| (start..start + 1_000).contains(*at))
                .count();
            assert!(within <= 40 + 39, "{within} from {start} ms");
        }
        assert!(slots.last().is_some_and(|last| *last < 9_100));
    }

    /// The default of the input `rate`.
    const QUICK: Rate = Rate {
        first: 50,
        later: 40,
    };

    #[test]
    fn first_calls_are_quick_and_later_calls_polite() {
        let limit = RateLimit::new(QUICK);
        let slots = slots(&limit, 500, Instant::now());
        assert_eq!((slots[38], slots[39], slots[40]), (0, 20, 40));
        assert!(slots[99] < 1_250, "{}", slots[99]);
        let within = |start| {
            slots
                .iter()
                .filter(move |at| (start..start + 1_000).contains(*at))
        };
        // No second has more calls than a burst plus one second's calls, and after the first calls each has 40.
        assert!(
            (0..10_000)
                .step_by(50)
                .all(|start| within(start).count() <= 39 + 50)
        );
        assert!(
            (1_250..9_000)
                .step_by(50)
                .all(|start| within(start).count() <= 41)
        );
    }

    #[test]
    fn throttling_ends_first_calls() {
        let limit = RateLimit::new(QUICK);
        let start = Instant::now();
        slots(&limit, 10, start);
        limit.slow_down("PutSecretValue", start);
        let after = slots(&limit, 3, start);
        // 0.7 of the later rate, and no burst.
        assert!((35..=36).contains(&(after[2] - after[1])), "{after:?}");
        let later = start + Duration::from_secs(60);
        let recovered = slots(&limit, 100, later);
        assert_eq!(recovered[99] - recovered[98], 25);
    }

    #[test]
    fn throttling_slows_once_and_recovers() {
        let limit = RateLimit::new(Rate::constant(10));
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
        let limit = RateLimit::new(Rate::constant(2));
        let now = Instant::now();
        let delays = [(); 4].map(|()| limit.reserve("BatchGetSecretValue", now).as_millis());
        assert_eq!(delays, [0, 0, 0, 250]);
    }

    #[test]
    fn lowest_rate_is_one_a_second() {
        let limit = RateLimit::new(Rate::constant(2));
        let mut now = Instant::now();
        for _ in 0..10 {
            now += Duration::from_secs(1);
            limit.slow_down("CreateSecret", now);
        }
        limit.reserve("CreateSecret", now);
        assert_eq!(limit.reserve("CreateSecret", now).as_millis(), 1_000);
    }
}
