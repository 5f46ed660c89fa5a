//! Files that other programs also write: GitHub's outputs and summary, GitLab's dotenv report, the variables for later steps on
//! CircleCI and Bitbucket. Keeps content written by others and never quotes it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use upsert_secret_config::time_limit::{NO_THREAD, NO_THREAD_REASON, within};
use upsert_secret_core::bounded::{self, io_reason};

use super::{dotenv, variables};

/// More bytes than any dotenv report that GitLab accepts. The rest of a longer file is not read, and the file is kept in full.
const MAX_READ: usize = 64 * 1024;

/// The time limit for a pipe or a device at the end of a run, when signals are no longer handled.
pub(super) const WRITE_LIMIT: Duration = Duration::from_secs(3);

/// The reason why a file cannot be created.
pub(super) fn creation_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "its folder does not exist".to_owned(),
        _ => io_reason(error),
    }
}

/// A file for appending. Only a regular file cannot block: others, such as pipes, are accessed with time limits.
pub(super) struct OutputFile {
    file: File,
    #[cfg(not(unix))]
    path: std::path::PathBuf,
    is_regular: bool,
}

impl OutputFile {
    /// Opens or creates a file. A full device that can be opened, such as `/dev/full`, is an error.
    ///
    /// # Errors
    /// The path and the reason.
    pub(super) fn open(path: &Path, limit: Duration) -> anyhow::Result<Self> {
        let is_regular = match fs::metadata(path) {
            Ok(metadata) => metadata.is_file(),
            // What exists and has no metadata is a device of Windows, such as `NUL`.
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        let path = path.to_owned();
        let opened = path.clone();
        let open = move || {
            let mut file = OpenOptions::new()
                // `end_line` reads the file; a pipe or a device may not allow that.
                .read(is_regular)
                .append(true)
                .create(true)
                .open(opened)?;
            // Writes nothing, but asks the device.
            file.write(&[]).map(|_| file)
        };
        let file = if is_regular {
            open()
        } else {
            within(limit, open)
        };
        let shown = path.display();
        let file = file.map_err(|error| anyhow!("cannot open {shown}: {}", reason(&error)))?;
        Ok(Self {
            file,
            #[cfg(not(unix))]
            path,
            is_regular,
        })
    }

    /// The size of the file.
    pub(super) fn size(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }

    /// Appends `lines` as separate lines.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(super) fn append(&mut self, lines: &str, limit: Duration) -> anyhow::Result<()> {
        self.write(lines, limit, |this| this.append_lines(lines))
    }

    /// Appends `lines` to GitLab's dotenv report, and removes the lines of earlier calls: the IDs of two secrets must not mix
    /// if the later call knows fewer, and a directory that is kept between jobs must not fill the report. Returns the reason
    /// why GitLab will reject the report, if it will.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(super) fn append_dotenv(
        &mut self,
        lines: &str,
        limit: Duration,
    ) -> anyhow::Result<Option<String>> {
        self.write(lines, limit, |this| {
            this.replace_ours("", lines)?;
            Ok(dotenv::rejection(&this.read()?))
        })
    }

    /// Appends variables for later steps, and removes the lines of earlier calls, as in GitLab's report.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(super) fn append_variables(&mut self, lines: &str, limit: Duration) -> anyhow::Result<()> {
        self.write(lines, limit, |this| this.replace_ours("", lines))
    }

    /// Appends shell commands that export variables, and removes the lines of earlier calls.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(super) fn append_exports(&mut self, lines: &str, limit: Duration) -> anyhow::Result<()> {
        self.write(lines, limit, |this| {
            this.replace_ours(variables::EXPORT, lines)
        })
    }

    /// Writes `lines` as `write` does it with a file. A pipe or a device has no content to consider.
    fn write<T: Default>(
        &mut self,
        lines: &str,
        limit: Duration,
        write: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> anyhow::Result<T> {
        let written = if self.is_regular {
            write(self)
        } else {
            let lines = lines.to_owned();
            let file = self.file.try_clone();
            let written =
                file.and_then(|mut file| within(limit, move || file.write_all(lines.as_bytes())));
            written.map(|()| T::default())
        };
        written.map_err(|error| anyhow!("{}", reason(&error)))
    }

    fn append_lines(&mut self, lines: &str) -> io::Result<()> {
        self.end_line()?;
        self.file.write_all(lines.as_bytes())
    }

    /// Writes `lines` in place of those of earlier calls, which begin with `before` and the name of a variable.
    fn replace_ours(&mut self, before: &str, lines: &str) -> io::Result<()> {
        let content = self.read()?;
        let others = variables::others(&content, before);
        if others.len() < content.len() && content.len() < MAX_READ {
            self.empty()?;
            self.file.write_all(&others)?;
        }
        self.append_lines(lines)
    }

    #[cfg(unix)]
    fn empty(&self) -> io::Result<()> {
        self.file.set_len(0)
    }

    /// By its path, because on Windows a file that was opened for appending cannot be shortened.
    #[cfg(not(unix))]
    fn empty(&self) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .truncate(true)
            .open(&self.path)
            .map(drop)
    }

    /// Adds the line feed that the last line may lack.
    fn end_line(&mut self) -> io::Result<()> {
        if self.file.seek(SeekFrom::End(0))? == 0 {
            return Ok(());
        }
        self.file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        self.file.read_exact(&mut last)?;
        match last {
            [b'\n'] => Ok(()),
            _ => self.file.write_all(b"\n"),
        }
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(0))?;
        bounded::read_prefix(&self.file, MAX_READ)
    }
}

/// The reason for an error, including errors that only pipes have.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => "it is a pipe or a device that is not ready in time".to_owned(),
        NO_THREAD => NO_THREAD_REASON.to_owned(),
        _ => creation_reason(error),
    }
}
