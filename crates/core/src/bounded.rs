//! Reading with a limit. What is read is passed in, opened: this module opens nothing itself.

use std::io::{self, Read};

/// Reads at most `limit` bytes of a source.
///
/// # Errors
/// The source's own.
pub fn read_prefix(source: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    source.take(limit as u64).read_to_end(&mut content)?;
    Ok(content)
}

/// Reads a source to its end; `None` where it has more than `limit` bytes.
///
/// # Errors
/// The source's own.
pub fn read(source: impl Read, limit: usize) -> io::Result<Option<Vec<u8>>> {
    // One more byte shows that there is more.
    let content = read_prefix(source, limit + 1)?;
    Ok((content.len() <= limit).then_some(content))
}

/// Why a file cannot be used, as people say it; the library's own words name no file, which may be secret.
#[must_use]
pub fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        other => other.to_string(),
    }
}
