//! Token buckets per account, region and quota group. They follow the real clock, not the service's.

use std::{collections::BTreeMap, time::Instant};

use sandbox_model::QuotaGroup;

#[derive(Default)]
pub(crate) struct RateLimiter {
    per_second: Option<u32>,
    levels: BTreeMap<(QuotaGroup, String, String), (f64, Instant)>,
}

impl RateLimiter {
    pub(crate) fn set(&mut self, per_second: Option<u32>) {
        self.per_second = per_second;
        self.levels.clear();
    }

    /// Takes a token for one request and returns whether there was one.
    pub(crate) fn pass(
        &mut self,
        group: QuotaGroup,
        account: &str,
        region: &str,
        now: Instant,
    ) -> bool {
        let Some(rate) = self.per_second.map(f64::from) else {
            return true;
        };
        let rate = match group {
            // AWS allows 100 calls a second, twice the rate of the other groups.
            QuotaGroup::Batch => rate * 2.0,
            _ => rate,
        };
        let key = (group, account.to_owned(), region.to_owned());
        let (level, at) = self.levels.entry(key).or_insert((rate, now));
        *level = (*level + rate * now.duration_since(*at).as_secs_f64()).min(rate);
        *at = now;
        let passes = *level >= 1.0;
        if passes {
            *level -= 1.0;
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn bucket_empties_and_refills() {
        let mut limiter = RateLimiter::default();
        limiter.set(Some(2));
        let start = Instant::now();
        let mut pass = |after| {
            limiter.pass(
                QuotaGroup::Write,
                "a",
                "r",
                start + Duration::from_millis(after),
            )
        };
        assert!(pass(0) && pass(0));
        assert!(!pass(0));
        assert!(!pass(400));
        assert!(pass(500));
        assert!(!pass(600));
        assert!(limiter.pass(QuotaGroup::Create, "a", "r", start));
        assert!((0..4).all(|_| limiter.pass(QuotaGroup::Batch, "a", "r", start)));
        assert!(!limiter.pass(QuotaGroup::Batch, "a", "r", start));
        assert!(limiter.pass(QuotaGroup::Write, "a", "other", start));
    }
}
