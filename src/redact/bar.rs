//! The design of the progress bar on a terminal. Shows only counts, times and constant texts, which are not cleaned.

use std::fmt;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Formats a rate, in the same way for a bar and a line.
pub(crate) fn rate(per_second: f64) -> String {
    format!("{per_second:.1} per second")
}

/// The bar of a run with this many secrets. It fits a terminal of 80 columns.
pub(super) fn new_bar(total: usize, target: ProgressDrawTarget) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total as u64), target);
    // If the template were invalid, the library's default design would be used.
    if let Ok(style) =
        ProgressStyle::with_template("{bar:20} {pos}/{len} secrets {msg}, {rate}, {eta} left")
    {
        // The library's `per_sec` shows four decimals.
        let rate = |state: &ProgressState, out: &mut dyn fmt::Write| {
            // If the write failed, only the rate would be missing.
            let _ = write!(out, "{}", rate(state.per_sec()));
        };
        bar.set_style(style.with_key("rate", rate).progress_chars("=> "));
    }
    bar.set_message("done");
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    /// A terminal that records its output.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            120
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn bar_shows_rate_with_one_decimal() {
        let screen = Screen::default();
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let bar = new_bar(1_000, target);
        bar.set_position(7);
        bar.force_draw();
        let drawn = screen.0.lock().unwrap().clone();
        let (before, _) = drawn.split_once(" per second").expect("a rate");
        let (_, decimals) = before.rsplit_once('.').expect("a number");
        assert_eq!(decimals.len(), 1, "{drawn}");
    }
}
