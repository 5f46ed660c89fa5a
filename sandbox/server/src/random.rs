//! Random values from the operating system: IDs, keys, tokens, and the model's seed. No other module draws random
//! numbers.

use aws_lc_rs::rand;

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has random numbers");
    bytes
}

/// A random UUID (version 4).
pub(crate) fn uuid() -> String {
    sandbox_model::format_uuid(bytes())
}

/// A seed for the model.
pub(crate) fn seed() -> u64 {
    u64::from_le_bytes(bytes())
}

/// A unique ID as IAM creates it: a prefix for its type, and this many base32 characters.
pub(crate) fn id(prefix: &str, length: usize) -> String {
    const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let random = bytes::<32>();
    let rest = random.iter().take(length);
    let rest = rest.map(|byte| char::from(BASE32[usize::from(*byte) % BASE32.len()]));
    prefix.chars().chain(rest).collect()
}

/// This many random bytes in base64, for keys and opaque tokens.
pub(crate) fn base64(length: usize) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut bytes = vec![0; length];
    rand::fill(&mut bytes).expect("the system has random numbers");
    STANDARD.encode(bytes)
}

/// The serial number of a certificate. The first bit is 0, because it must be positive.
pub(crate) fn serial() -> [u8; 16] {
    let mut serial = bytes::<16>();
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}
