//! Reading of at most so many bytes. It reads only from sources that callers have opened.

use std::io::{self, Read};

/// Reads at most `limit` bytes.
///
/// # Errors
/// Errors of the source.
pub fn read_prefix(source: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    source.take(limit as u64).read_to_end(&mut content)?;
    Ok(content)
}

/// Reads to the end; `None` if there are more than `limit` bytes.
///
/// # Errors
/// Errors of the source.
pub fn read(source: impl Read, limit: usize) -> io::Result<Option<Vec<u8>>> {
    // One byte more than allowed proves that the source is too long.
    let content = read_prefix(source, limit + 1)?;
    Ok((content.len() <= limit).then_some(content))
}

/// The reason of an I/O error in plain words, without the path, which may be secret.
pub fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_source_is_not_read_to_its_end() {
        for (content, wanted) in [("", Some("")), ("abc", Some("abc")), ("abcd", None)] {
            let content = read(content.as_bytes(), 3).unwrap();
            assert_eq!(content.as_deref(), wanted.map(str::as_bytes));
        }
        let mut source = io::repeat(b'x');
        assert_eq!(read(&mut source, 3).unwrap(), None);
        assert_eq!(read_prefix(&mut source, 3).unwrap(), b"xxx");
        assert_eq!(read_prefix(&b"ab"[..], 3).unwrap(), b"ab");
    }

    #[test]
    fn reason_of_error_has_no_path() {
        let reasons = [
            io::ErrorKind::NotFound,
            io::ErrorKind::PermissionDenied,
            io::ErrorKind::IsADirectory,
            io::ErrorKind::BrokenPipe,
        ]
        .map(|kind| io_reason(&io::Error::new(kind, "/made/up")));
        for (index, reason) in reasons.iter().enumerate() {
            assert!(!reason.contains("/made/up"), "{reason}");
            assert!(!reasons[..index].contains(reason), "{reason}");
        }
    }
}
