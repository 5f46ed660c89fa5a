//! Owns the random parts of what the service hands out: ARN suffixes, ids, keys, tokens.
//! Nothing else may draw random numbers, so that whatever differs between two runs is found here.

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

/// A unique id as IAM makes them: a prefix that says of what, and this many characters of base 32.
pub(crate) fn id(prefix: &str, length: usize) -> String {
    const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let random = bytes::<32>();
    let rest = random.iter().take(length);
    let rest = rest.map(|byte| char::from(BASE32[usize::from(*byte) % BASE32.len()]));
    prefix.chars().chain(rest).collect()
}

/// This many random bytes in base64: keys and tokens nobody needs to read.
pub(crate) fn base64(length: usize) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut bytes = vec![0; length];
    rand::fill(&mut bytes).expect("the system has random numbers");
    STANDARD.encode(bytes)
}

/// The serial number of a certificate: positive, so the first bit is 0.
pub(crate) fn serial() -> [u8; 16] {
    let mut serial = bytes::<16>();
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}
