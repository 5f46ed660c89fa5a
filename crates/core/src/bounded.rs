//! Size-limited reads. Reads only from sources that callers have opened.

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
    // One extra byte proves that the source is too long.
    let content = read_prefix(source, limit + 1)?;
    Ok((content.len() <= limit).then_some(content))
}

/// The reason for an I/O error in plain words, without its number, and without the path, which may be secret.
pub fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::StorageFull => "there is no space left".to_owned(),
        kind => match error.raw_os_error() {
            Some(number) => system_reason(&error.to_string(), number),
            // The text of such an error may quote what was read.
            None if kind == io::ErrorKind::Other => "unknown error".to_owned(),
            None => kind.to_string(),
        },
    }
}

/// The operating system's description of an error, from `Too many open files (os error 24)`.
fn system_reason(text: &str, number: i32) -> String {
    let words = text.trim_end_matches(&format!(" (os error {number})"));
    let mut chars = words.trim_end_matches('.').chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
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
    fn reason_has_no_number_of_the_system() {
        // Error numbers with the same meaning on every Unix; the C library provides the text.
        for number in [1, 2, 5, 13, 20, 24, 28, 32, 9_999] {
            let reason = io_reason(&io::Error::from_raw_os_error(number));
            assert!(!reason.contains("os error"), "{reason}");
            assert!(!reason.contains("uncategorized"), "{reason}");
            assert!(
                !reason.is_empty() && !reason.starts_with(char::is_uppercase),
                "{reason}"
            );
        }
        let full = system_reason("No space left on device (os error 28)", 28);
        assert_eq!(full, "no space left on device");
        let other = io::Error::other("made-up content of a file");
        assert_eq!(io_reason(&other), "unknown error");
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
