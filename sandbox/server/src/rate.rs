//! Owns the request rates: token buckets per account, region and group of operations, by the real clock.

use std::{collections::BTreeMap, time::Instant};

/// Operations that share a rate ("AWS Secrets Manager quotas"). Reads of one secret have a rate no test reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bucket {
    /// Put, Update, UpdateSecretVersionStage and the operations on replicas together.
    Write,
    Create,
    Delete,
    Restore,
    Tag,
    List,
    /// Resource policies.
    Policy,
    /// Twenty secrets a call; AWS allows twice the rate of the others, 100 a second.
    Batch,
}

#[derive(Default)]
pub(crate) struct Rates {
    per_second: Option<u32>,
    levels: BTreeMap<(Bucket, String, String), (f64, Instant)>,
}

impl Rates {
    pub(crate) fn set(&mut self, per_second: Option<u32>) {
        self.per_second = per_second;
        self.levels.clear();
    }

    /// Whether one more request passes now.
    pub(crate) fn pass(
        &mut self,
        bucket: Bucket,
        account: &str,
        region: &str,
        now: Instant,
    ) -> bool {
        let Some(rate) = self.per_second.map(f64::from) else {
            return true;
        };
        let rate = match bucket {
            Bucket::Batch => rate * 2.0,
            _ => rate,
        };
        let key = (bucket, account.to_owned(), region.to_owned());
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
    fn a_bucket_empties_and_refills() {
        let mut rates = Rates::default();
        rates.set(Some(2));
        let start = Instant::now();
        let mut pass = |after| {
            rates.pass(
                Bucket::Write,
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
        assert!(rates.pass(Bucket::Create, "a", "r", start));
        assert!((0..4).all(|_| rates.pass(Bucket::Batch, "a", "r", start)));
        assert!(!rates.pass(Bucket::Batch, "a", "r", start));
        assert!(rates.pass(Bucket::Write, "a", "other", start));
    }
}
