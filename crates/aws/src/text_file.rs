//! The encoding of text files that editors write: byte order marks and UTF-16. Must not open files.

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The content without the byte order mark that some editors write before UTF-8.
pub(crate) fn without_mark(content: &[u8]) -> &[u8] {
    content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content)
}

/// Whether the content starts like UTF-16.
pub(crate) fn is_utf16(content: &[u8]) -> bool {
    content.starts_with(b"\xff\xfe") || content.starts_with(b"\xfe\xff")
}
