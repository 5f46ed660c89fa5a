//! Parses DER elements, as far as messages about certificates need them. Must not be used for verification.

pub(super) const SEQUENCE: u8 = 0x30;

/// The tag and content of the first element, and the bytes after it.
pub(super) fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        // The number of bytes that hold the length.
        0x81 | 0x82 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let join = |length, &byte| length << 8 | usize::from(byte);
            (bytes.iter().fold(0, join), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}
