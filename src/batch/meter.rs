//! How far a run with many secrets is: in a log a line every few seconds, on a terminal a bar. Owns how often; the bar
//! itself and standard error are the door's.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::redact::{Bar, Door};

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(5);

/// Counts secrets that are done with.
pub struct Meter {
    door: Arc<Door>,
    bar: Option<Bar>,
    doing: Cell<&'static str>,
    all: Cell<usize>,
    done: Cell<usize>,
    started: Cell<Instant>,
    told: Cell<Instant>,
    said: Cell<Option<Instant>>,
}

impl Meter {
    /// A meter for so many secrets.
    #[must_use]
    pub fn new(door: Arc<Door>, all: usize) -> Self {
        Self {
            bar: door.bar(all),
            door,
            doing: Cell::new("done"),
            all: Cell::new(all),
            done: Cell::new(0),
            started: Cell::new(Instant::now()),
            told: Cell::new(Instant::now()),
            said: Cell::new(None),
        }
    }

    /// From here on it counts so many that are to be `doing`: "staged", say.
    pub(super) fn phase(&self, doing: &'static str, all: usize) {
        self.doing.set(doing);
        self.all.set(all);
        self.done.set(0);
        self.started.set(Instant::now());
        if let Some(bar) = &self.bar {
            bar.restart(doing, all);
        }
    }

    /// One more is done with.
    pub(super) fn step(&self) {
        self.done.set(self.done.get() + 1);
        if let Some(bar) = &self.bar {
            bar.show(self.done.get());
        }
    }

    /// Says something else than how far it is, unless something was said a moment ago.
    pub fn say(&self, text: &str) {
        if self.said.get().is_none_or(|said| said.elapsed() >= PAUSE) {
            self.said.set(Some(Instant::now()));
            self.door.say(text);
        }
    }

    /// Waits until it is time for a word, and says it.
    pub(super) async fn tick(&self) {
        let next = self.told.get() + PAUSE;
        tokio::time::sleep(next.saturating_duration_since(Instant::now())).await;
        self.told.set(Instant::now());
        if let Some(bar) = &self.bar {
            bar.show(self.done.get());
        } else {
            self.door.say(&words(
                self.doing.get(),
                self.done.get(),
                self.all.get(),
                self.started.get().elapsed(),
            ));
        }
    }

    /// Nothing more is done: the bar goes, and what is told after it stands alone.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.clear();
        }
    }
}

fn words(doing: &str, done: usize, all: usize, took: Duration) -> String {
    let took = took.as_secs_f64().max(0.001);
    // Counts of secrets are far below what a float holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let (rate, left) = (done as f64 / took, (all - done.min(all)) as f64);
    let mut text = format!("{done} of {all} secrets {doing}, {rate:.1} a second");
    if done > 0 && left > 0.0 {
        text.push_str(&format!(", about {} left", time(left / rate)));
    }
    text
}

fn time(seconds: f64) -> String {
    let whole = Duration::from_secs_f64(seconds.clamp(0.0, 1e6)).as_secs();
    match whole {
        0..=99 => format!("{whole} s"),
        100..=5_999 => format!("{} min", whole.div_ceil(60)),
        _ => format!("{} h", whole.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn done_rate_and_what_is_left() {
        let at = |done, seconds| words("done", done, 1_000, Duration::from_secs(seconds));
        assert_eq!(at(0, 5), "0 of 1000 secrets done, 0.0 a second");
        assert_eq!(
            at(200, 5),
            "200 of 1000 secrets done, 40.0 a second, about 20 s left"
        );
        assert_eq!(
            at(10, 5),
            "10 of 1000 secrets done, 2.0 a second, about 9 min left"
        );
        assert_eq!(at(1_000, 25), "1000 of 1000 secrets done, 40.0 a second");
    }
}
