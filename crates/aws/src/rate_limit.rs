//! How quickly calls follow each other, so that a run over many secrets stays below AWS's quotas: a rate for each family of
//! operations that share one, lowered when AWS throttles. Sends nothing and knows no secret.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Operations that share a quota ("AWS Secrets Manager quotas", reference_limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    /// New versions, labels, replicas.
    Write,
    Create,
    Restore,
    Tag,
    /// Resource policies, reads of them included.
    Policy,
    /// Of versions.
    List,
    /// Twenty values at once. AWS allows twice as many of these as of writes.
    Batch,
}

impl Family {
    /// `None` for what has a quota of thousands a second, or is not Secrets Manager's.
    fn of(operation: &str) -> Option<Self> {
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

/// Calls that were sent at the same time are throttled at the same time: that counts once.
const ONE_SIGNAL: Duration = Duration::from_secs(1);
/// The factor by which throttling lowers a rate.
const BACK_OFF: f64 = 0.7;
/// The share of the requested rate that a second without throttling restores.
const RECOVERY: f64 = 0.05;
/// The lowest rate, so that every run ends.
const SLOWEST: f64 = 1.0;
/// How much less than one second's calls may go at once: clocks and networks are not exact, and AWS counts on its side.
const MARGIN: f64 = 2.0;

/// The rate limit of a run over many secrets. Rates are calls a second.
pub(crate) struct RateLimit {
    rate: f64,
    queues: Mutex<BTreeMap<Family, Queue>>,
}

/// One family's calls, one after the other (the generic cell rate algorithm).
struct Queue {
    rate: f64,
    /// When the next call would be due if none had gone ahead of its time.
    due: Instant,
    throttled: Option<Instant>,
    recovered: Instant,
}

impl RateLimit {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            rate: f64::from(rate),
            queues: Mutex::default(),
        }
    }

    /// Reserves the next slot of an operation: how long it is until then.
    pub(crate) fn reserve(&self, operation: &str, now: Instant) -> Duration {
        let Some(family) = Family::of(operation) else {
            return Duration::ZERO;
        };
        let full = self.full(family);
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues
            .entry(family)
            .or_insert_with(|| Queue::new(full, now));
        queue.recover(full, now);
        let step = Duration::from_secs_f64(1.0 / queue.rate);
        // A second's worth may go at once, as AWS lets it; after throttling nothing may.
        let ahead = if queue.throttled.is_some() {
            0.0
        } else {
            (queue.rate - MARGIN).max(0.0)
        };
        let due = queue.due.max(now);
        queue.due = due + step;
        due.checked_sub(step.mul_f64(ahead))
            .unwrap_or(now)
            .saturating_duration_since(now)
    }

    /// Slows down an operation that AWS has throttled.
    pub(crate) fn throttled(&self, operation: &str, now: Instant) {
        let Some(family) = Family::of(operation) else {
            return;
        };
        let full = self.full(family);
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues
            .entry(family)
            .or_insert_with(|| Queue::new(full, now));
        if queue
            .throttled
            .is_some_and(|before| now.saturating_duration_since(before) < ONE_SIGNAL)
        {
            return;
        }
        queue.rate = (queue.rate * BACK_OFF).max(SLOWEST.min(full));
        queue.throttled = Some(now);
        queue.recovered = now;
        // Nothing is ahead of its time any more: AWS has nothing left to give.
        queue.due = queue.due.max(now);
    }

    fn full(&self, family: Family) -> f64 {
        match family {
            Family::Batch => self.rate * 2.0,
            _ => self.rate,
        }
    }
}

impl Queue {
    fn new(rate: f64, now: Instant) -> Self {
        Self {
            rate,
            due: now,
            throttled: None,
            recovered: now,
        }
    }

    fn recover(&mut self, full: f64, now: Instant) {
        let quiet = now.saturating_duration_since(self.recovered).as_secs_f64();
        self.recovered = now;
        self.rate = (self.rate + full * RECOVERY * quiet).min(full);
        if self.rate >= full {
            self.throttled = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each of so many calls may be sent, in milliseconds, if they all come at once.
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
        // Another family has a queue of its own, and some have none.
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
            limit.throttled("PutSecretValue", start);
        }
        let after = slots(&limit, 3, start);
        // What had been taken ahead of its time is waited for, and then 7 a second.
        assert!(
            after[0] >= 900 && (140..=145).contains(&(after[2] - after[1])),
            "{after:?}"
        );
        // 30 % are back after six seconds.
        let later = start + Duration::from_secs(10);
        assert_eq!(limit.reserve("PutSecretValue", later), Duration::ZERO);
        let again = slots(&limit, 12, later);
        assert!(again[7] == 0 && again[11] >= 200, "{again:?}");
    }

    #[test]
    fn lowest_rate_is_one_a_second() {
        let limit = RateLimit::new(2);
        let mut now = Instant::now();
        for _ in 0..10 {
            now += Duration::from_secs(1);
            limit.throttled("CreateSecret", now);
        }
        limit.reserve("CreateSecret", now);
        assert_eq!(limit.reserve("CreateSecret", now).as_millis(), 1_000);
    }
}
