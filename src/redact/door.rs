//! Standard output and standard error, and nothing else that prints. What goes out as text is
//! cleaned; what goes out as data is checked by its owner and printed as it is.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use super::{Bar, HIDDEN, Redactor, paint};

/// Who reads what we print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reader {
    /// A person, or a log that shows lines as they are.
    #[default]
    Plain,
    /// A GitHub runner: it takes workflow commands.
    Github,
    /// GitLab's log: it folds sections.
    Gitlab,
}

/// How loud an annotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing.
    Notice,
    /// Probably a mistake.
    Warning,
    /// The run failed.
    Error,
}

impl Level {
    /// The workflow command, and the word in front of a line of text.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// Constant, because the runner shows a title without masking it.
    const fn title(self) -> &'static str {
        match self {
            Self::Notice => "upsert-secret",
            Self::Warning => "upsert-secret: warning",
            Self::Error => "upsert-secret failed",
        }
    }
}

/// The door. Shared by everything that has something to say.
#[derive(Default)]
pub struct Door {
    redactor: RwLock<Redactor>,
    reader: Reader,
    colour: bool,
    /// What is drawn at the foot of a terminal meanwhile.
    bar: OnceLock<Bar>,
}

impl Door {
    /// A door onto this reader, who sees colours or does not.
    #[must_use]
    pub fn new(reader: Reader, colour: bool) -> Self {
        Self {
            reader,
            colour,
            ..Self::default()
        }
    }

    /// From now on no form of this leaves as text.
    pub fn hide(&self, secret: &[u8]) {
        self.redactor
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .hide(secret);
    }

    /// The same for a secret that the CI system does not know.
    pub fn hide_other(&self, secret: &[u8]) {
        self.redactor
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .hide_other(secret);
    }

    /// Runs a look-up against what is hidden.
    pub fn ask<R>(&self, question: impl FnOnce(&Redactor) -> R) -> R {
        question(&self.redactor.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A bar for so many steps, where a person sits before a terminal.
    pub fn bar(&self, all: usize) -> Option<Bar> {
        (self.reader == Reader::Plain && io::stderr().is_terminal())
            .then(|| self.bar.get_or_init(|| Bar::new(all)).clone())
    }

    fn write_error(&self, text: &str) {
        match self.bar.get() {
            Some(bar) => bar.above(|| write_error(text)),
            None => write_error(text),
        }
    }

    /// Text for people, on standard error.
    pub fn say(&self, text: &str) {
        let cleaned = self.ask(|redactor| redactor.clean(text));
        self.write_error(&cleaned);
    }

    /// How it ended well: a line that says it, and lines that tell more, which GitLab folds away.
    pub fn conclude(&self, text: &str, took: Duration) {
        let cleaned = self.ask(|redactor| redactor.clean(text));
        let (head, details) = cleaned.split_once('\n').unwrap_or((&cleaned, ""));
        let head = if self.colour {
            paint::good(head)
        } else {
            head.to_owned()
        };
        let dressed = match self.reader {
            _ if details.is_empty() => head,
            Reader::Gitlab => paint::section(&head, details, took),
            Reader::Plain | Reader::Github => format!("{head}\n{details}"),
        };
        self.write_dressed(&dressed, &cleaned);
    }

    /// Something a person should not miss: an annotation where a runner shows them, else a line.
    pub fn announce(&self, level: Level, text: &str) {
        let word = match self.reader {
            Reader::Github => {
                self.annotate(level, text);
                return;
            }
            Reader::Plain => level.word().to_owned(),
            // As its runner words its own, so that a search for one finds both.
            Reader::Gitlab => level.word().to_ascii_uppercase(),
        };
        let cleaned = self.ask(|redactor| redactor.clean(&format!("{word}: {text}")));
        let dressed = if self.colour {
            paint::message(level, &cleaned)
        } else {
            cleaned.clone()
        };
        self.write_dressed(&dressed, &cleaned);
    }

    /// What our own escape sequences were put around; without them where a form of a secret has come
    /// about, as could happen with a secret that looks like one.
    fn write_dressed(&self, dressed: &str, cleaned: &str) {
        let shows = self.ask(|redactor| redactor.finds(dressed));
        self.write_error(if shows { cleaned } else { dressed });
    }

    fn annotate(&self, level: Level, text: &str) {
        let cleaned = self.ask(|redactor| redactor.clean(text));
        // Percent first: the runner decodes it last (actions/runner, ActionCommand.cs).
        let data = cleaned.replace('%', "%25").replace('\n', "%0A");
        let data = if self.ask(|redactor| redactor.finds(&data)) {
            HIDDEN.to_owned()
        } else {
            data
        };
        self.write_error(&format!(
            "::{} title={}::{data}",
            level.word(),
            level.title().replace(':', "%3A")
        ));
    }

    /// Asks the runner to mask what it cannot know: a value we decoded or read from a file. Only
    /// for a standard output that is the runner's; anywhere else this would print the value.
    pub fn mask(&self, secret: &str) {
        for line in secret.split(['\n', '\r']).map(str::trim) {
            // A short line as a mask would wreck the log of every later step.
            if line.len() >= super::MIN_BYTES {
                let data = line.replace('%', "%25");
                // A runner that has closed its pipe reads no log that could be masked.
                let _ = write_output(&format!("::add-mask::{data}"));
            }
        }
    }

    /// One output as `key=value` on standard output, exactly as it is: it is data for a program,
    /// and its owner has checked that it is one line of printable ASCII.
    ///
    /// # Errors
    /// It could not be written, and nobody would get the ids.
    pub fn data(&self, line: &str) -> io::Result<()> {
        debug_assert!(!line.contains('\n'));
        write_output(line)
    }

    /// One JSON object on standard output; its owner has cleaned its texts one by one, and checked its
    /// ids like outputs.
    ///
    /// # Errors
    /// It could not be written.
    pub fn object(&self, json: &str) -> io::Result<()> {
        write_output(json)
    }

    /// `--help` and `--version`: constant text, before any secret is known.
    pub fn page(text: &str) {
        let _ = write_output(text.trim_end());
    }
}

/// All that is ever said of a panic: its payload may quote a request body.
pub fn panic_line(place: &str) {
    write_error(&format!("upsert-secret: internal error at {place}"));
}

// Text for people is not what a run is for: that nobody reads it is no reason to fail.
fn write_error(text: &str) {
    let _ = io::stderr()
        .lock()
        .write_all(format!("{text}\n").as_bytes());
}

fn write_output(text: &str) -> io::Result<()> {
    let mut stream = io::stdout().lock();
    let written = stream
        .write_all(format!("{text}\n").as_bytes())
        .and_then(|()| stream.flush());
    match written {
        // A reader that has seen enough, as in `| head -n 1`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
