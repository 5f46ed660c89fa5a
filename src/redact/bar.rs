//! A bar on a terminal. Shows counts and times only, so nothing that it draws has to be cleaned.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that is drawn on standard error.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(all: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(all as u64), ProgressDrawTarget::stderr());
        // A template that could not be read would only leave the look to the library.
        if let Ok(style) = ProgressStyle::with_template(
            "{bar:40} {pos}/{len} secrets {msg}, {per_sec}, {eta} left",
        ) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message("done");
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    /// Begins again, with other steps.
    pub(crate) fn restart(&self, doing: &'static str, all: usize) {
        self.0.reset();
        self.0.set_length(all as u64);
        self.0.set_message(doing);
    }

    /// So many are done.
    pub(crate) fn show(&self, done: usize) {
        self.0.set_position(done as u64);
    }

    /// Takes it off the screen.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }

    /// Lets something be printed above it.
    pub(super) fn above(&self, print: impl FnOnce()) {
        self.0.suspend(print);
    }
}

impl Clone for Bar {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
