//! Standard output and standard error. Text is cleaned before it is printed; data is printed as is and must have been checked by
//! the caller. Our own escape sequences are added only after the cleaning.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use upsert_secret_config::ci::LogFormat;
use upsert_secret_core::notice::Level;

use super::redactor::{HIDDEN, Redactor};
use super::search::MIN_BYTES;

// The colors of messages of GitLab's runner (gitlab-runner, ansi_colors.go).
const GOOD: &str = "\u{1b}[32;1m";
const ERROR: &str = "\u{1b}[31;1m";
const WARNING: &str = "\u{1b}[0;33m";

/// Standard output and standard error of the process.
#[derive(Default)]
pub(crate) struct Output {
    redactor: RwLock<Redactor>,
    log_format: LogFormat,
    color: bool,
    /// The progress bar, once one was requested.
    bar: OnceLock<ProgressBar>,
}

impl Output {
    /// An output for a log format, with or without color.
    pub(crate) fn new(log_format: LogFormat, color: bool) -> Self {
        Self {
            log_format,
            color,
            ..Self::default()
        }
    }

    /// Registers a secret: from now on, no form of it is printed as text.
    pub(crate) fn hide(&self, secret: &[u8]) {
        self.redactor_mut().hide(secret);
    }

    /// Registers a secret that the CI system does not mask.
    pub(crate) fn hide_unmasked(&self, secret: &[u8]) {
        self.redactor_mut().hide_unmasked(secret);
    }

    fn redactor_mut(&self) -> RwLockWriteGuard<'_, Redactor> {
        let locked = self.redactor.write();
        locked.unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives access to the redactor.
    pub(crate) fn with_redactor<R>(&self, read: impl FnOnce(&Redactor) -> R) -> R {
        read(&self.redactor.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes any text safe to print.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.with_redactor(|redactor| redactor.clean(text))
    }

    /// A progress bar, if standard error is a terminal. It must show nothing but counts, times and constant texts, because
    /// they are not cleaned.
    pub(crate) fn bar(&self, total: usize) -> Option<ProgressBar> {
        (self.log_format == LogFormat::Plain && io::stderr().is_terminal())
            .then(|| self.bar.get_or_init(|| new_bar(total)).clone())
    }

    fn write_error(&self, text: &str) {
        match self.bar.get() {
            Some(bar) => bar.suspend(|| write_error(text)),
            None => write_error(text),
        }
    }

    /// Prints text on standard error.
    pub(crate) fn info(&self, text: &str) {
        let cleaned = self.clean(text);
        self.write_error(&cleaned);
    }

    /// Prints a success on standard error: a headline, and details, which are folded on GitLab.
    pub(crate) fn success(&self, text: &str, took: Duration) {
        let cleaned = self.clean(text);
        let (head, details) = cleaned.split_once('\n').unwrap_or((&cleaned, ""));
        let head = self.paint(GOOD, head);
        let styled = match self.log_format {
            _ if details.is_empty() => head,
            LogFormat::Gitlab => section(&head, details, took),
            LogFormat::Plain | LogFormat::Github => format!("{head}\n{details}"),
        };
        self.write_styled(&styled, &cleaned);
    }

    /// Prints a message that must not be missed: an annotation on GitHub, elsewhere a line with the level.
    pub(crate) fn annotate(&self, level: Level, text: &str) {
        let word = match self.log_format {
            LogFormat::Github => return self.write_annotation(level, text),
            LogFormat::Plain => level.word().to_owned(),
            // As in the runner's own messages, so that one search finds both.
            LogFormat::Gitlab => level.word().to_ascii_uppercase(),
        };
        let cleaned = self.clean(&format!("{word}: {text}"));
        let styled = match level {
            Level::Error => self.paint(ERROR, &cleaned),
            Level::Warning => self.paint(WARNING, &cleaned),
            Level::Notice => cleaned.clone(),
        };
        self.write_styled(&styled, &cleaned);
    }

    /// Text in a color, if color is supported. Each line is colored by itself, because a log viewer may show it alone.
    /// Indented lines are explanations and stay without color.
    fn paint(&self, color: &str, text: &str) -> String {
        let lines = text.split('\n').map(|line| {
            if !self.color || line.is_empty() || line.starts_with(' ') {
                line.to_owned()
            } else {
                format!("{color}{line}\u{1b}[0m")
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Prints styled text, or the text without style if the escape sequences complete a form of a secret.
    fn write_styled(&self, styled: &str, cleaned: &str) {
        let shows = self.with_redactor(|redactor| redactor.finds(styled));
        self.write_error(if shows { cleaned } else { styled });
    }

    fn write_annotation(&self, level: Level, text: &str) {
        let cleaned = self.clean(text);
        // Percent first: the runner decodes it last (actions/runner, ActionCommand.cs).
        let data = cleaned.replace('%', "%25").replace('\n', "%0A");
        let shows = self.with_redactor(|redactor| redactor.finds(&data));
        let data = if shows { HIDDEN } else { &data };
        let title = title(level).replace(':', "%3A");
        self.write_error(&format!("::{} title={title}::{data}", level.word()));
    }

    /// Asks the runner to mask a value that it cannot know, because it was decoded or read from a file. Standard output must
    /// be the runner's: anywhere else this prints the value.
    pub(crate) fn mask(&self, secret: &str) {
        for line in secret.split(['\n', '\r']).map(str::trim) {
            // A short line as a mask would garble the log of every later step.
            if line.len() >= MIN_BYTES {
                let data = line.replace('%', "%25");
                // A runner that has closed its pipe reads no log that could need the mask.
                let _ = write_output(&format!("::add-mask::{data}"));
            }
        }
    }

    /// Prints data on standard output as is: a line `key=value`, or a JSON object. The caller has cleaned its texts and checked
    /// that outputs are printable ASCII.
    ///
    /// # Errors
    /// Standard output cannot be written, so later steps would not get the ids.
    pub(crate) fn print_data(&self, data: &str) -> io::Result<()> {
        write_output(data)
    }

    /// Prints `--help` or `--version`, which are constant texts.
    pub(crate) fn print_help(text: &str) {
        let _ = write_output(text.trim_end());
    }
}

fn new_bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
    // A template that could not be read would only leave the look to the library.
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {pos}/{len} secrets {msg}, {per_sec}, {eta} left")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message("done");
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// A folded section of GitLab's log: `head` is visible, `details` after a click. GitLab shows `took` beside it.
fn section(head: &str, details: &str, took: Duration) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let started = now.saturating_sub(took).as_secs();
    let ended = now.as_secs();
    // Two calls in a job must not share the name of a section.
    let name = format!("upsert_secret_{}", now.as_micros());
    format!(
        "\u{1b}[0Ksection_start:{started}:{name}[collapsed=true]\r\u{1b}[0K{head}\n{details}\n\u{1b}[0Ksection_end:{ended}:{name}\r\u{1b}[0K"
    )
}

/// The title of an annotation. Constant, because the runner shows a title without masking it.
const fn title(level: Level) -> &'static str {
    match level {
        Level::Notice => "upsert-secret",
        Level::Warning => "upsert-secret: warning",
        Level::Error => "upsert-secret failed",
    }
}

/// Prints the location of a panic, but never its payload, which may quote a request body.
pub(crate) fn panic_line(place: &str) {
    write_error(&format!("upsert-secret: internal error at {place}"));
}

// Errors are ignored: an unreadable log is no reason to fail the run.
fn write_error(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

fn write_output(text: &str) -> io::Result<()> {
    let mut stream = io::stdout().lock();
    let written = stream
        .write_all(format!("{text}\n").as_bytes())
        .and_then(|()| stream.flush());
    match written {
        // The reader needs no more, as in `| head -n 1`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_has_markers_of_gitlab() {
        let text = section("head", "one\ntwo", Duration::from_secs(3));
        let lines: Vec<_> = text.split('\n').collect();
        let [start, one, two, end] = lines[..] else {
            panic!("four lines: {text:?}");
        };
        let mark = |line: &str, word: &str| {
            let rest = line.strip_prefix("\u{1b}[0Ksection_")?;
            let (seconds, name) = rest.strip_prefix(word)?.split_once(':')?;
            Some((seconds.parse::<u64>().ok()?, name.to_owned()))
        };
        let Some((started, start)) = mark(start, "start:") else {
            panic!("{start:?}");
        };
        let Some((ended, end)) = mark(end, "end:") else {
            panic!("{end:?}");
        };
        assert_eq!(ended - started, 3);
        let Some(name) = end.strip_suffix("\r\u{1b}[0K") else {
            panic!("{end:?}");
        };
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        assert_eq!(start, format!("{name}[collapsed=true]\r\u{1b}[0Khead"));
        assert_eq!((one, two), ("one", "two"));
    }

    #[test]
    fn paint_colors_each_line_but_explanations() {
        let output = Output::new(LogFormat::Plain, true);
        assert_eq!(
            output.paint(ERROR, "a\nb\n  why:  c"),
            "\u{1b}[31;1ma\u{1b}[0m\n\u{1b}[31;1mb\u{1b}[0m\n  why:  c"
        );
        let colorless = Output::default();
        assert_eq!(colorless.paint(ERROR, "a"), "a");
    }
}
