//! Standard output and standard error. Cleans text before printing it; prints data verbatim, after the caller has checked it.
//! Adds its own escape sequences only after cleaning.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressDrawTarget};
use upsert_secret_config::ci::LogFormat;
use upsert_secret_core::notice::Level;

use super::bar::new_bar;
use super::index::MIN_BYTES;
use super::redactor::{HIDDEN, Redactor};

// The message colors of GitLab's runner (gitlab-runner, ansi_colors.go).
const GOOD: &str = "\u{1b}[32;1m";
const ERROR: &str = "\u{1b}[31;1m";
const WARNING: &str = "\u{1b}[0;33m";

/// Standard output and standard error of the process.
#[derive(Default)]
pub(crate) struct Output {
    redactor: Redactor,
    log_format: LogFormat,
    color: bool,
    /// The progress bar, once one was requested.
    bar: OnceLock<ProgressBar>,
}

impl Output {
    /// An output for the given log format, with or without color.
    pub(crate) fn new(log_format: LogFormat, color: bool) -> Self {
        Self {
            log_format,
            color,
            ..Self::default()
        }
    }

    /// Registers a secret: from now on, no form of it is printed as text.
    pub(crate) fn hide(&self, secret: &[u8]) {
        self.redactor.hide(secret);
    }

    /// Registers a secret that the CI system does not mask.
    pub(crate) fn hide_unmasked(&self, secret: &[u8]) {
        self.redactor.hide_unmasked(secret);
    }

    /// The redactor, for reports that format cleaned text themselves.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Makes any text safe to print.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.redactor.clean(text)
    }

    /// A progress bar, if standard error is a terminal. It must show only counts, times and constant texts, because they are
    /// not cleaned.
    pub(crate) fn bar(&self, total: usize) -> Option<ProgressBar> {
        (self.log_format == LogFormat::Plain && io::stderr().is_terminal()).then(|| {
            let bar = || new_bar(total, ProgressDrawTarget::stderr());
            self.bar.get_or_init(bar).clone()
        })
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

    /// Prints a success on standard error: a headline, and details that are collapsed on GitLab.
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

    /// Prints an important message: as an annotation on GitHub, elsewhere as a line with the level.
    pub(crate) fn annotate(&self, level: Level, text: &str) {
        let word = match self.log_format {
            LogFormat::Github => return self.write_annotation(level, text),
            LogFormat::Plain => level.word().to_owned(),
            // Uppercase as in the runner's own messages, so that one search finds both.
            LogFormat::Gitlab => level.word().to_ascii_uppercase(),
        };
        // Clean before the layout as well, because the layout would split a form that has several lines.
        let cleaned = self.clean(&with_level(&word, &self.clean(text)));
        let styled = match level {
            Level::Error => self.paint(ERROR, &cleaned),
            Level::Warning => self.paint(WARNING, &cleaned),
            Level::Notice => cleaned.clone(),
        };
        self.write_styled(&styled, &cleaned);
    }

    /// Colors text, if color is supported. Each line is colored separately, because a log viewer may show it alone. Indented
    /// lines are explanations and stay uncolored.
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

    /// Prints styled text, or the unstyled text if the escape sequences complete a form of a secret.
    fn write_styled(&self, styled: &str, cleaned: &str) {
        let shows = styled != cleaned && self.redactor.finds(styled);
        self.write_error(if shows { cleaned } else { styled });
    }

    fn write_annotation(&self, level: Level, text: &str) {
        let cleaned = self.clean(text);
        // Percent first: the runner decodes it last (actions/runner, ActionCommand.cs).
        let data = cleaned.replace('%', "%25").replace('\n', "%0A");
        let shows = self.redactor.finds(&data);
        let data = if shows { HIDDEN } else { &data };
        let title = title(level).replace(':', "%3A");
        self.write_error(&format!("::{} title={title}::{data}", level.word()));
    }

    /// Asks the runner to mask a value that it cannot know, because the value was decoded or read from a file. Standard output
    /// must be connected to the runner: anywhere else this prints the value.
    pub(crate) fn mask(&self, secret: &str) {
        for line in secret.split(['\n', '\r']).map(str::trim) {
            // Masking a short line would garble the log of every later step.
            if line.len() >= MIN_BYTES {
                let data = line.replace('%', "%25");
                // A runner that has closed its pipe reads no log that would need the mask.
                let _ = write_output(&format!("::add-mask::{data}"));
            }
        }
    }

    /// Prints data on standard output verbatim: a `key=value` line, or a JSON object. The caller must have cleaned its texts
    /// and checked that outputs are printable ASCII.
    ///
    /// # Errors
    /// Standard output cannot be written, so later steps would not get the IDs.
    pub(crate) fn print_data(&self, data: &str) -> io::Result<()> {
        write_output(data)
    }

    /// Checks that standard output is not a full device. Otherwise, the error would appear only after the secret is written.
    ///
    /// # Errors
    /// There is no space left.
    pub(crate) fn check_space() -> io::Result<()> {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd as _;
            // Writes nothing, but makes the device report an error.
            let stream = io::stdout().as_fd().try_clone_to_owned();
            let asked = stream.and_then(|stream| std::fs::File::from(stream).write(&[]));
            if let Err(error) = asked
                && error.kind() == io::ErrorKind::StorageFull
            {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Prints `--help` or `--version`, which are constant texts.
    pub(crate) fn print_help(text: &str) {
        let _ = write_output(text.trim_end());
    }
}

/// Prefixes each line of the text with the level. Indented lines explain the line before them.
fn with_level(word: &str, text: &str) -> String {
    let lines = text.split('\n').map(|line| match line {
        "" => String::new(),
        line if line.starts_with(' ') => line.to_owned(),
        line => format!("{word}: {line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A collapsible section of GitLab's log: `head` is always visible, `details` after a click. GitLab shows `took` next to it.
fn section(head: &str, details: &str, took: Duration) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let started = now.saturating_sub(took).as_secs();
    let ended = now.as_secs();
    // Two calls in a job must not use the same section name.
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

// Ignores errors: an unreadable log is no reason to fail the run.
fn write_error(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

fn write_output(text: &str) -> io::Result<()> {
    let mut stream = io::stdout().lock();
    let written = stream
        .write_all(format!("{text}\n").as_bytes())
        .and_then(|()| stream.flush());
    match written {
        // The reader has closed the pipe, as in `| head -n 1`.
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
    fn each_problem_has_its_level() {
        assert_eq!(
            with_level("error", "a\nb\n  why:  c\n\nd"),
            "error: a\nerror: b\n  why:  c\n\nerror: d"
        );
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
