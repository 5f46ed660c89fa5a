//! Reading of files that inputs name, limited in size and, where a file may be a pipe, in time. Errors are reasons in
//! words and never quote the content.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::sync::mpsc;
use std::time::Duration;

use upsert_secret_core::bounded::{self, io_reason};
use upsert_secret_core::value::{MAX_BYTES, SecretBytes};

/// More than the longest value in base64 with line endings, so that the check of the value's size rejects it.
const MAX_VALUE_FILE: usize = MAX_BYTES * 2;

/// Why a file cannot be read.
pub(crate) enum Unreadable {
    /// A pipe, a device or a folder.
    NotRegular,
    /// What the system says, in words.
    Failed(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRegular => f.write_str("something that is no regular file"),
            Self::Failed(why) => write!(f, "a file that cannot be read: {why}"),
        }
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Failed(io_reason(&error))
    }
}

/// Reads a regular file of at most `limit` bytes; `None` if it has more.
pub(crate) fn read(path: &str, limit: usize) -> Result<Option<Vec<u8>>, Unreadable> {
    Ok(bounded::read(open_regular(path)?, limit)?)
}

/// Reads a value from a regular file. Content that no secret has room for is cut off.
pub(crate) fn read_value(path: &str) -> Result<SecretBytes, Unreadable> {
    Ok(read_prefix(open_regular(path)?)?)
}

/// Reads a value from standard input (`-`), a pipe or a file. Content that no secret has room for is cut off.
///
/// # Errors
/// Why it cannot be read, or that it does not end within the time limit.
pub(crate) fn read_value_within(limit: Duration, path: &str) -> Result<SecretBytes, String> {
    let (sender, receiver) = mpsc::channel();
    let path = path.to_owned();
    // In a thread, because a pipe that is never closed must not hang the job.
    std::thread::spawn(move || {
        let content = if path == "-" {
            read_prefix(io::stdin().lock())
        } else {
            File::open(&path).and_then(read_prefix)
        };
        // The receiver may have given up.
        let _ = sender.send(content);
    });
    receiver
        .recv_timeout(limit)
        .map_err(|_| "it did not come to an end within `timeout`".to_owned())?
        .map_err(|error| io_reason(&error))
}

/// Anything but a regular file is rejected before it is opened, because opening a pipe without a writer blocks.
fn open_regular(path: &str) -> Result<File, Unreadable> {
    if !fs::metadata(path)?.is_file() {
        return Err(Unreadable::NotRegular);
    }
    Ok(File::open(path)?)
}

fn read_prefix(source: impl io::Read) -> io::Result<SecretBytes> {
    bounded::read_prefix(source, MAX_VALUE_FILE).map(SecretBytes::new)
}
