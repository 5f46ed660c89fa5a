//! Hashes of several parts, as hexadecimal digits or UUIDs. Each part is prefixed with its length, so that no two sequences of
//! parts hash the same bytes. Must not generate random numbers.

use std::fmt::Write as _;

use aws_lc_rs::{digest, hmac};

/// SHA-256 over parts.
pub(crate) fn sha256<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    each_prefixed(parts, |bytes| context.update(bytes));
    context.finish().as_ref().to_vec()
}

/// HMAC-SHA-256 over parts.
pub(crate) fn hmac_sha256<'a>(key: &[u8], parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    each_prefixed(parts, |bytes| context.update(bytes));
    context.sign().as_ref().to_vec()
}

fn each_prefixed<'a>(parts: impl IntoIterator<Item = &'a [u8]>, mut update: impl FnMut(&[u8])) {
    for part in parts {
        update(&(part.len() as u64).to_be_bytes());
        update(part);
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The first 16 bytes as a UUID of version 8 ("custom", RFC 9562).
///
/// # Panics
/// Fewer than 16 bytes.
pub fn uuid(bytes: &[u8]) -> String {
    let mut id = [0; 16];
    id.copy_from_slice(&bytes[..16]);
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    let hex = hex(&id);
    [0..8, 8..12, 12..16, 16..20, 20..32]
        .map(|part| &hex[part])
        .join("-")
}
