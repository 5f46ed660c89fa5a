//! Reads files that inputs name, with a size limit and, if a file may be a pipe, a time limit. Errors are reasons in words and
//! must never quote the content.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use upsert_secret_core::bounded::{self, io_reason};
use upsert_secret_core::value::{MAX_BYTES, SecretBytes};

use crate::time_limit::{NO_THREAD, NO_THREAD_REASON, within};

/// More than the longest value in base64 with line endings, so that the check of the value's size rejects longer files.
const MAX_VALUE_FILE: usize = MAX_BYTES * 2;

/// The maximum length of a path on Linux, in bytes.
const MAX_PATH: usize = 4_096;

/// The warning about a value that is the path of a file.
pub(crate) const PATH_OF_FILE: &str = "is the path of a file that exists; if the content of that file is the secret, give the path as `value-file`, in a \
     manifest as `{ file: PATH }`";

/// The reason a file cannot be read.
pub(crate) enum Unreadable {
    /// A pipe, a device or a directory.
    NotRegular,
    /// The operating system's reason, in words.
    Failed(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRegular => f.write_str("something that is not a regular file"),
            Self::Failed(why) => write!(f, "a file that cannot be read: {why}"),
        }
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Failed(io_reason(&error))
    }
}

/// Reads a regular file of at most `limit` bytes; `None` if it is larger.
pub(crate) fn read(path: &str, limit: usize) -> Result<Option<Vec<u8>>, Unreadable> {
    Ok(bounded::read(open_regular(path)?, limit)?)
}

/// Reads a value from a regular file. Content beyond the maximum size of a secret is truncated.
pub(crate) fn read_value(path: &str) -> Result<SecretBytes, Unreadable> {
    Ok(read_prefix(open_regular(path)?)?)
}

/// Reads a value from standard input (`-`), a pipe or a file. Content beyond the maximum size of a secret is truncated.
///
/// # Errors
/// The reason it cannot be read, or that it does not end within the time limit.
pub(crate) fn read_value_within(limit: Duration, path: &str) -> Result<SecretBytes, String> {
    let source = path.to_owned();
    // A pipe that is never closed must not hang the job.
    let content = within(limit, move || {
        if source == "-" {
            read_prefix(io::stdin().lock())
        } else {
            File::open(&source).and_then(read_prefix)
        }
    });
    content.or_else(|error| match error.kind() {
        // A regular file always ends.
        NO_THREAD if path != "-" => read_value(path).map_err(|_| NO_THREAD_REASON.to_owned()),
        NO_THREAD => Err(NO_THREAD_REASON.to_owned()),
        io::ErrorKind::TimedOut => Err("it did not come to an end within `timeout`".to_owned()),
        _ => Err(io_reason(&error)),
    })
}

/// Whether a value is the path of an existing file: a user may have given the path in place of the content.
pub(crate) fn is_path_of_file(value: &[u8]) -> bool {
    let text = str::from_utf8(value).unwrap_or_default();
    looks_like_path(text) && Path::new(text).is_file()
}

/// Whether a text has the format of a path. A path on another machine (`//HOST/…`) is never accessed.
fn looks_like_path(text: &str) -> bool {
    let is_slash = |c: char| c == '/' || c == '\\';
    text.len() <= MAX_PATH
        && text.contains(is_slash)
        && !text.chars().any(char::is_control)
        && !text.chars().take(2).all(is_slash)
}

/// Rejects anything except a regular file before opening it, because opening a pipe without a writer blocks.
fn open_regular(path: &str) -> Result<File, Unreadable> {
    if path.contains('\0') {
        let why = "its path contains NUL (U+0000), which no path can";
        return Err(Unreadable::Failed(why.to_owned()));
    }
    if !fs::metadata(path)?.is_file() {
        return Err(Unreadable::NotRegular);
    }
    Ok(File::open(path)?)
}

fn read_prefix(source: impl io::Read) -> io::Result<SecretBytes> {
    bounded::read_prefix(source, MAX_VALUE_FILE).map(SecretBytes::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_machine_are_looked_at() {
        for path in ["/run/secrets/key", "./key", r"C:\key", "C:/key", "a/b"] {
            assert!(looks_like_path(path), "{path}");
        }
        for text in ["key", "//host/key", r"\\host\key", "/a\nb", "/a\0b", ""] {
            assert!(!looks_like_path(text), "{text:?}");
        }
        assert!(!looks_like_path(&"/a".repeat(MAX_PATH)));
        assert!(is_path_of_file(
            file!().replace("crates/config/", "./").as_bytes()
        ));
        assert!(!is_path_of_file(b"./no/such/file"));
        assert!(!is_path_of_file(b"./src"));
    }
}
