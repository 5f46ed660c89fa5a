//! Periodic status lines, so that a waiting run does not look hung: a line every few seconds in a log, a progress bar on a
//! terminal. Owns their timing and prints through the output.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::redact::{self, Output};

/// The minimum interval between two lines.
const PAUSE: Duration = Duration::from_secs(5);

/// The progress of a run. It shows counts, times and constant texts, never user data.
pub(crate) struct Progress {
    /// `None` for silent progress.
    output: Option<Arc<Output>>,
    /// Hidden if standard error is not a terminal.
    bar: ProgressBar,
    phase: RefCell<Phase>,
    counts_shown: Cell<Instant>,
    text_shown: Cell<Option<Instant>>,
}

/// The current count.
struct Phase {
    verb: &'static str,
    total: usize,
    done: usize,
    started: Instant,
}

impl Phase {
    fn new(verb: &'static str, total: usize) -> Self {
        Self {
            verb,
            total,
            done: 0,
            started: Instant::now(),
        }
    }
}

impl Progress {
    /// The progress of a run with this many secrets.
    pub(crate) fn new(output: Arc<Output>, total: usize, with_bar: bool) -> Self {
        Self {
            bar: with_bar
                .then(|| output.bar(total))
                .flatten()
                .unwrap_or_else(ProgressBar::hidden),
            output: Some(output),
            phase: RefCell::new(Phase::new("done", total)),
            ..Self::silent()
        }
    }

    /// Silent progress, for one secret among many.
    pub(crate) fn silent() -> Self {
        Self {
            output: None,
            bar: ProgressBar::hidden(),
            phase: RefCell::new(Phase::new("done", 0)),
            counts_shown: Cell::new(Instant::now()),
            text_shown: Cell::new(None),
        }
    }

    /// Starts a phase in which `total` secrets are processed; `verb` is, for example, "staged".
    pub(crate) fn start_phase(&self, verb: &'static str, total: usize) {
        self.phase.replace(Phase::new(verb, total));
        self.bar.reset();
        self.bar.set_length(total as u64);
        self.bar.set_message(verb);
    }

    /// Counts one more secret.
    pub(crate) fn step(&self) {
        let mut phase = self.phase.borrow_mut();
        phase.done += 1;
        self.bar.set_position(phase.done as u64);
    }

    /// Shows a text, unless another one was shown in the last few seconds.
    pub(crate) fn say(&self, text: impl FnOnce() -> String) {
        if let Some(output) = &self.output
            && self.text_shown.get().is_none_or(|at| at.elapsed() >= PAUSE)
        {
            self.text_shown.set(Some(Instant::now()));
            output.info(&text());
        }
    }

    /// Waits until the counts are due, then shows them.
    pub(crate) async fn tick(&self) {
        let next = self.counts_shown.get() + PAUSE;
        tokio::time::sleep(next.saturating_duration_since(Instant::now())).await;
        self.counts_shown.set(Instant::now());
        let phase = self.phase.borrow();
        if let Some(output) = &self.output
            && self.bar.is_hidden()
        {
            output.info(&status_line(&phase, phase.started.elapsed()));
        }
    }

    /// Removes the bar, so that it does not overlap later output.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn status_line(phase: &Phase, took: Duration) -> String {
    let took = took.as_secs_f64().max(0.001);
    let (done, total) = (phase.done, phase.total);
    // Numbers of secrets are far below the limit of exact floats.
    #[allow(clippy::cast_precision_loss)]
    let (rate, left) = (done as f64 / took, (total - done.min(total)) as f64);
    let mut text = format!(
        "{done} of {total} secrets {}, {}",
        phase.verb,
        redact::rate(rate)
    );
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
    fn status_line_has_count_rate_and_time_left() {
        let at = |done, seconds| {
            let phase = Phase {
                done,
                ..Phase::new("done", 1_000)
            };
            status_line(&phase, Duration::from_secs(seconds))
        };
        assert_eq!(at(0, 5), "0 of 1000 secrets done, 0.0 per second");
        assert_eq!(
            at(200, 5),
            "200 of 1000 secrets done, 40.0 per second, about 20 s left"
        );
        assert_eq!(
            at(10, 5),
            "10 of 1000 secrets done, 2.0 per second, about 9 min left"
        );
        assert_eq!(at(1_000, 25), "1000 of 1000 secrets done, 40.0 per second");
    }
}
