//! How quickly calls follow each other, so that many secrets stay below AWS's quotas: a rate for each family of
//! operations that share one, lowered when AWS throttles. Sends nothing, and knows no secret.

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

/// AWS says more than once that it is too much, for what was sent at the same time: it counts once.
const ONE_COMPLAINT: Duration = Duration::from_secs(1);
/// What is left of a rate after a complaint.
const BACK_OFF: f64 = 0.7;
/// A second without a complaint brings back so much of the rate that was asked for.
const RECOVERY: f64 = 0.05;
/// The slowest: everything ends some time.
const SLOWEST: f64 = 1.0;
/// So much less than a second's worth may go at once: clocks and networks are not exact, and AWS counts on its side.
const MARGIN: f64 = 2.0;

/// The pace of a run with many secrets. Rates are calls a second.
pub(super) struct Pace {
    rate: f64,
    lines: Mutex<BTreeMap<Family, Line>>,
}

/// One family's calls, one after the other (the generic cell rate algorithm).
struct Line {
    rate: f64,
    /// When the next call would be due if none had gone ahead of its time.
    due: Instant,
    complained: Option<Instant>,
    recovered: Instant,
}

impl Pace {
    pub(super) fn new(rate: u32) -> Self {
        Self {
            rate: f64::from(rate),
            lines: Mutex::default(),
        }
    }

    /// Takes the next place of an operation; how long it is until then.
    pub(super) fn place(&self, operation: &str, now: Instant) -> Duration {
        let Some(family) = Family::of(operation) else {
            return Duration::ZERO;
        };
        let full = self.full(family);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(family).or_insert_with(|| Line::new(full, now));
        line.recover(full, now);
        let step = Duration::from_secs_f64(1.0 / line.rate);
        // A second's worth may go at once, as AWS lets it; after a complaint nothing may.
        let ahead = if line.complained.is_some() {
            0.0
        } else {
            (line.rate - MARGIN).max(0.0)
        };
        let due = line.due.max(now);
        line.due = due + step;
        due.checked_sub(step.mul_f64(ahead))
            .unwrap_or(now)
            .saturating_duration_since(now)
    }

    /// AWS has throttled an operation.
    pub(super) fn complained(&self, operation: &str, now: Instant) {
        let Some(family) = Family::of(operation) else {
            return;
        };
        let full = self.full(family);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(family).or_insert_with(|| Line::new(full, now));
        if line
            .complained
            .is_some_and(|before| now.saturating_duration_since(before) < ONE_COMPLAINT)
        {
            return;
        }
        line.rate = (line.rate * BACK_OFF).max(SLOWEST.min(full));
        line.complained = Some(now);
        line.recovered = now;
        // Nothing is ahead of its time any more: AWS has nothing left to give.
        line.due = line.due.max(now);
    }

    fn full(&self, family: Family) -> f64 {
        match family {
            Family::Batch => self.rate * 2.0,
            _ => self.rate,
        }
    }
}

impl Line {
    fn new(rate: f64, now: Instant) -> Self {
        Self {
            rate,
            due: now,
            complained: None,
            recovered: now,
        }
    }

    fn recover(&mut self, full: f64, now: Instant) {
        let quiet = now.saturating_duration_since(self.recovered).as_secs_f64();
        self.recovered = now;
        self.rate = (self.rate + full * RECOVERY * quiet).min(full);
        if self.rate >= full {
            self.complained = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each of so many calls may be sent, in milliseconds, if they all come at once.
    fn places(pace: &Pace, calls: usize, now: Instant) -> Vec<u128> {
        (0..calls)
            .map(|_| pace.place("PutSecretValue", now).as_millis())
            .collect()
    }

    #[test]
    fn a_seconds_worth_goes_at_once_and_the_rest_in_step() {
        let pace = Pace::new(10);
        let now = Instant::now();
        let places = places(&pace, 12, now);
        assert_eq!(places, [0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200, 300]);
        // Another family has a line of its own, and some have none.
        assert_eq!(pace.place("CreateSecret", now), Duration::ZERO);
        for _ in 0..100 {
            assert_eq!(pace.place("DescribeSecret", now), Duration::ZERO);
        }
    }

    #[test]
    fn no_second_has_more_calls_than_a_full_bucket_and_the_rate() {
        let pace = Pace::new(40);
        let now = Instant::now();
        let places = places(&pace, 400, now);
        for start in (0..10_000).step_by(50) {
            let within = places
                .iter()
                .filter(|at| (start..start + 1_000).contains(*at))
                .count();
            assert!(within <= 40 + 39, "{within} from {start} ms");
        }
        assert!(places.last().is_some_and(|last| *last < 9_100));
    }

    #[test]
    fn a_complaint_slows_down_once_and_quiet_brings_the_rate_back() {
        let pace = Pace::new(10);
        let start = Instant::now();
        places(&pace, 9, start);
        for _ in 0..5 {
            pace.complained("PutSecretValue", start);
        }
        let after = places(&pace, 3, start);
        // What had been taken ahead of its time is waited for, and then 7 a second.
        assert!(
            after[0] >= 900 && (140..=145).contains(&(after[2] - after[1])),
            "{after:?}"
        );
        // 30 % are back after six seconds.
        let later = start + Duration::from_secs(10);
        assert_eq!(pace.place("PutSecretValue", later), Duration::ZERO);
        let again = places(&pace, 12, later);
        assert!(again[7] == 0 && again[11] >= 200, "{again:?}");
    }

    #[test]
    fn the_slowest_rate_is_one_a_second() {
        let pace = Pace::new(2);
        let mut now = Instant::now();
        for _ in 0..10 {
            now += Duration::from_secs(1);
            pace.complained("CreateSecret", now);
        }
        pace.place("CreateSecret", now);
        assert_eq!(pace.place("CreateSecret", now).as_millis(), 1_000);
    }
}
