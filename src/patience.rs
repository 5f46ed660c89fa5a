//! How long to wait before looking again, and when to stop. Knows nothing of what is looked at.

use std::time::Duration;

use aws_lc_rs::rand;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Counts looks. Waits grow from 50 ms to 2 s, jittered so that racing jobs do not meet again.
#[derive(Debug)]
pub struct Patience {
    looks: u32,
    most: u32,
}

impl Patience {
    /// Patience for `most` further looks.
    #[must_use]
    pub const fn of(most: u32) -> Self {
        Self { looks: 0, most }
    }

    /// Waits for a turn among others who want the same: anything up to a time that grows to 1.5 s, so that
    /// they spread out.
    pub async fn turn(&mut self) {
        const LONGEST_TURN: Duration = Duration::from_millis(1_500);
        let longest = LONGEST_TURN.min(FIRST * 2 * 2_u32.pow(self.looks.min(8)));
        self.looks = self.looks.saturating_add(1);
        let mut bytes = [0x80, 0];
        let _ = rand::fill(&mut bytes);
        let share = u32::from(u16::from_be_bytes(bytes));
        tokio::time::sleep(FIRST / 2 + longest * share / u32::from(u16::MAX)).await;
    }

    /// Waits, and tells whether there is a look left.
    pub async fn wait(&mut self) -> bool {
        if self.looks >= self.most {
            return false;
        }
        let longest = LONGEST.min(FIRST * 2_u32.pow(self.looks.min(16)));
        self.looks += 1;
        let mut byte = [128];
        // Without random numbers the wait has no jitter; that is no reason to fail.
        let _ = rand::fill(&mut byte);
        tokio::time::sleep(longest / 2 + longest / 2 * u32::from(byte[0]) / 255).await;
        true
    }
}
