//! Delays between attempts, and when to stop. Only computes them: callers sleep, and pass in the random numbers for jitter.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);
const LONGEST_TURN: Duration = Duration::from_millis(1_500);

/// A counter of attempts. Delays grow from 50 ms to 2 s, with jitter to spread concurrent jobs.
#[derive(Debug)]
pub struct Backoff {
    tries: u32,
    limit: u32,
}

impl Backoff {
    /// A backoff for `limit` further attempts.
    pub const fn new(limit: u32) -> Self {
        Self { tries: 0, limit }
    }

    /// A backoff without a limit.
    pub const fn endless() -> Self {
        Self::new(u32::MAX)
    }

    /// The delay before the next attempt; `None` after the last one. `jitter` is a random byte.
    pub fn next_delay(&mut self, jitter: u8) -> Option<Duration> {
        if self.tries >= self.limit {
            return None;
        }
        let longest = LONGEST.min(FIRST * 2_u32.pow(self.tries.min(16)));
        self.tries += 1;
        Some(longest / 2 + longest / 2 * u32::from(jitter) / 255)
    }

    /// The delay before the next attempt among concurrent writers of a secret: random, up to a limit that grows to 1.5 s.
    /// `jitter` is a random number.
    pub fn next_turn(&mut self, jitter: u16) -> Duration {
        let longest = LONGEST_TURN.min(FIRST * 2 * 2_u32.pow(self.tries.min(8)));
        self.tries = self.tries.saturating_add(1);
        FIRST / 2 + longest * u32::from(jitter) / u32::from(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_limit_and_end() {
        let delays = |jitter| {
            let mut backoff = Backoff::new(8);
            let delays = std::iter::from_fn(move || backoff.next_delay(jitter));
            delays.take(20).collect::<Vec<_>>()
        };
        let (least, most) = (delays(0), delays(255));
        assert_eq!(least.len(), 8);
        assert_eq!((least[0], most[0]), (FIRST / 2, FIRST));
        assert_eq!((least[7], most[7]), (LONGEST / 2, LONGEST));
        assert!(least.is_sorted() && most.is_sorted());
    }

    #[test]
    fn turns_spread_out_up_to_limit() {
        let turns = |jitter| {
            let mut backoff = Backoff::endless();
            (0..20).map(move |_| backoff.next_turn(jitter))
        };
        assert!(turns(0).all(|turn| turn == FIRST / 2));
        let longest: Vec<_> = turns(u16::MAX).map(|turn| turn - FIRST / 2).collect();
        assert_eq!(longest[..2], [FIRST * 2, FIRST * 4]);
        assert!(longest.is_sorted());
        assert_eq!(longest.last(), Some(&LONGEST_TURN));
    }
}
