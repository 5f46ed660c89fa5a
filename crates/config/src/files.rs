//! The one way to read a small file of the user's.

use std::fs::{self, File};

use upsert_secret_core::bounded::{self, io_reason};

/// Reads a regular file of at most `limit` bytes; `None` where it has more. Anything but a regular file is rejected before
/// it is opened: a pipe that is never written to would be waited for without end.
///
/// # Errors
/// Why the file cannot be read, in words.
pub(crate) fn read(path: &str, limit: usize) -> Result<Option<Vec<u8>>, String> {
    let reason = |error: std::io::Error| io_reason(&error);
    if !fs::metadata(path).map_err(reason)?.is_file() {
        return Err(NOT_REGULAR.to_owned());
    }
    File::open(path)
        .and_then(|file| bounded::read(file, limit))
        .map_err(reason)
}

/// Why a pipe, a device or a folder is not read.
pub(crate) const NOT_REGULAR: &str = "it is no regular file";
