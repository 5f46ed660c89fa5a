//! Hex and base64: bytes written as digits of a few bits each, truncated and wrapped anywhere. Only decodes, and must not
//! handle nested decodings.

use std::mem;

use super::view::View;

/// The minimum length of a base64 run that can represent the shortest secret; ordinary words are often shorter.
const MIN_BASE64: usize = 6;
/// The same minimum for hex digits.
const MIN_HEX: usize = 8;

/// An encoding of bytes by digits of a few bits each.
pub(super) struct Radix {
    bits: usize,
    /// The number of digits that represent a whole number of bytes.
    pub(super) group: usize,
    /// The minimum number of digits in a run to decode it.
    min: usize,
    digit: fn(u8) -> Option<u8>,
    /// Whether to ignore the byte at a position between two digits.
    is_separator: fn(&[u8], usize) -> bool,
}

/// Hex, optionally with separators between bytes.
pub(super) const HEX: Radix = Radix {
    bits: 4,
    group: 2,
    min: MIN_HEX,
    digit: |byte| char::from(byte).to_digit(16).map(|digit| digit as u8),
    is_separator: |bytes, at| b" :,-\n".contains(&bytes[at]),
};

/// Base64 in either alphabet, optionally wrapped and indented.
pub(super) const BASE64: Radix = Radix {
    bits: 6,
    group: 4,
    min: MIN_BASE64,
    digit: |byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    },
    is_separator: |bytes, at| match bytes[at] {
        b'\n' | b'\r' => true,
        // Indentation.
        b' ' => bytes[..at].iter().rev().find(|&&byte| byte != b' ') == Some(&b'\n'),
        _ => false,
    },
};

/// The digits of a run, and their positions.
pub(super) type Run = Vec<(u8, u32)>;

impl Radix {
    /// The runs with enough digits.
    pub(super) fn runs(&self, view: &View) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut run = Run::new();
        for (at, &byte) in view.bytes.iter().enumerate() {
            match (self.digit)(byte) {
                Some(digit) => run.push((digit, at as u32)),
                None if run.is_empty() || (self.is_separator)(&view.bytes, at) => {}
                None if run.len() >= self.min => runs.push(mem::take(&mut run)),
                None => run.clear(),
            }
        }
        runs.extend(Some(run).filter(|run| run.len() >= self.min));
        runs
    }

    /// The bytes that runs represent if decoding starts at one of the first digits.
    pub(super) fn decode(&self, view: &View, runs: &[Run], start: usize) -> View {
        let digits: usize = runs.iter().map(Vec::len).sum();
        let mut out = View::with_capacity(digits * self.bits / 8);
        for run in runs {
            let (mut held, mut value) = (0, 0_u32);
            for (index, &(digit, end)) in run.iter().enumerate().skip(start) {
                value = value << self.bits | u32::from(digit);
                held += self.bits;
                if held >= 8 {
                    held -= 8;
                    // The byte started with one of the last two digits.
                    let began = run[index.saturating_sub(1)].1;
                    let byte = (value >> held & 0xff) as u8;
                    out.push(&[byte], view, began as usize..end as usize + 1);
                    value &= (1 << held) - 1;
                }
            }
        }
        out
    }
}
