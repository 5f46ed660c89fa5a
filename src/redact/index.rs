//! Finds secrets and pieces of them in text, in time that depends on the text and not on the number of secrets. Stores each
//! secret once, plus four bytes for every five of it. Must not replace anything.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use hashbrown::HashTable;
use zeroize::Zeroizing;

use upsert_secret_core::views::{fold, for_each_view};

/// The minimum length of a secret in bytes, counting a run of white space as one. Redacting shorter secrets would remove too
/// much ordinary text.
pub const MIN_BYTES: usize = 4;

/// The length in bytes of a piece of a secret that is redacted, because a message may quote a truncated secret.
pub(super) const PIECE: usize = 12;

/// The length of the pieces that are looked up. Every piece of [`PIECE`] bytes contains one that starts at a multiple of
/// [`STRIDE`].
const WINDOW: usize = 8;
const STRIDE: usize = PIECE - WINDOW + 1;

/// The maximum number of equal windows that are compared individually. Any text that matches more is redacted without
/// comparing.
const MAX_EQUAL: usize = 16;

/// The minimum length of a string in a JSON document to count as a separate secret; ordinary words are shorter.
const MIN_JSON_LEAF: usize = 8;

/// A short secret, padded, and its length.
type Short = ([u8; PIECE], usize);

fn short(bytes: &[u8]) -> Short {
    let mut padded = [0; PIECE];
    padded[..bytes.len()].copy_from_slice(bytes);
    (padded, bytes.len())
}

/// Secrets, folded.
#[derive(Default)]
pub(super) struct Index {
    secrets: Secrets,
    /// Windows, mapped to the numbers of their first bytes.
    windows: HashTable<u32>,
    /// Secrets and lines shorter than [`PIECE`].
    short: HashSet<Short>,
    /// Bit N is set if one of them has N bytes.
    short_lengths: u16,
}

impl Index {
    /// Adds a secret, its lines, and the strings in it if it is a JSON document.
    pub(super) fn add(&mut self, secret: &[u8]) {
        self.add_unit(secret);
        self.add_replaced(secret);
        for line in secret.split(|byte| matches!(byte, b'\n' | b'\r')) {
            self.add_short(line);
            self.add_replaced(line);
            // CI systems also trim Unicode white space before they mask a line.
            if let Ok(text) = str::from_utf8(line) {
                self.add_short(text.trim().as_bytes());
            }
        }
        if let Ok(document) = serde_json::from_slice(secret) {
            self.add_leaves(&document);
        }
    }

    /// Adds bytes that are not UTF-8 in the form in which text shows them, with U+FFFD, unless they contain almost no text.
    fn add_replaced(&mut self, bytes: &[u8]) {
        if let Cow::Owned(text) = String::from_utf8_lossy(bytes)
            && text.chars().filter(|c| *c != '\u{fffd}').count() >= MIN_BYTES
        {
            self.add_unit(text.as_bytes());
        }
    }

    fn add_leaves(&mut self, document: &serde_json::Value) {
        match document {
            // A long string without escapes is a piece of the document anyway.
            serde_json::Value::String(text) if text.len() >= PIECE && is_escaped(text) => {
                self.add_unit(text.as_bytes());
            }
            serde_json::Value::String(text) if text.len() >= MIN_JSON_LEAF => {
                self.add_short(text.as_bytes());
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| self.add_leaves(item)),
            serde_json::Value::Object(map) => map.values().for_each(|item| self.add_leaves(item)),
            _ => {}
        }
    }

    fn add_short(&mut self, bytes: &[u8]) {
        let folded = Zeroizing::new(folded_secret(bytes));
        if (MIN_BYTES..PIECE).contains(&folded.len()) {
            self.short_lengths |= 1 << folded.len();
            self.short.insert(short(&folded));
        }
    }

    fn add_unit(&mut self, bytes: &[u8]) {
        let secret = Zeroizing::new(folded_secret(bytes));
        if secret.len() < PIECE {
            return self.add_short(bytes);
        }
        let last = (secret.len() - WINDOW) as u32;
        if let Some(start) = self.secrets.add(secret) {
            for at in (0..=last).step_by(STRIDE) {
                self.add_window(start + at);
            }
        }
    }

    fn add_window(&mut self, position: u32) {
        let Self {
            secrets, windows, ..
        } = self;
        let window = |&position: &u32| secrets.window(position);
        let wanted = window(&position);
        let equal = windows
            .iter_hash(hash(wanted))
            .filter(|&other| window(other) == wanted);
        if equal.take(MAX_EQUAL).count() < MAX_EQUAL {
            windows.insert_unique(hash(wanted), position, |other| hash(window(other)));
        }
    }

    /// The ranges of secrets and pieces of secrets in a text, in any form. Ranges may overlap.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if self.short.is_empty() && self.windows.is_empty() {
            return found;
        }
        if u32::try_from(text.len()).is_err() {
            // Too long for a view; this program has no text of this length.
            found.push(0..text.len());
            return found;
        }
        for_each_view(text, &mut |view| {
            let (bytes, places) = view.folded();
            self.find_in(&bytes, |range| {
                let start = places[range.start].start as usize;
                let end = places[range.end - 1].end as usize;
                found.push(text.floor_char_boundary(start)..text.ceil_char_boundary(end));
            });
        });
        found
    }

    fn find_in(&self, bytes: &[u8], mut found: impl FnMut(Range<usize>)) {
        let mut covered = 0;
        for at in 0..bytes.len() {
            let rest = &bytes[at..];
            let mut lengths = self.short_lengths;
            while lengths != 0 {
                let length = lengths.trailing_zeros() as usize;
                lengths &= lengths - 1;
                let start = rest.get(..length);
                if start.is_some_and(|start| self.short.contains(&short(start))) {
                    found(at..at + length);
                }
            }
            // Otherwise, long matches would be compared again for each of their bytes.
            if rest.len() >= WINDOW && at + WINDOW > covered {
                for range in self.pieces(bytes, at) {
                    covered = covered.max(range.end);
                    found(range);
                }
            }
        }
    }

    /// The pieces that contain the window at a position.
    fn pieces(&self, bytes: &[u8], at: usize) -> Vec<Range<usize>> {
        let wanted = window_at(bytes, at);
        let candidates = self.windows.iter_hash(hash(wanted));
        let candidates = candidates.filter(|&&position| self.secrets.window(position) == wanted);
        let ranges: Vec<_> = candidates
            .map(|&position| {
                let (secret, start) = self.secrets.locate(position);
                let before = common(bytes[..at].iter().rev(), secret[..start].iter().rev());
                let after = common(&bytes[at..], &secret[start..]);
                at - before..at + after
            })
            .collect();
        let is_known = ranges.len() < MAX_EQUAL;
        let is_shown = |range: &Range<usize>| is_known && range.len() < PIECE;
        ranges
            .into_iter()
            .filter(|range| !is_shown(range))
            .collect()
    }
}

/// Secrets, stored as one text in which every byte has a number.
#[derive(Default)]
struct Secrets {
    all: Vec<Zeroizing<Vec<u8>>>,
    starts: Vec<u32>,
}

impl Secrets {
    /// Adds a secret and returns the number of its first byte; `None` if the secrets exceed 4 GiB, more than fits into an
    /// environment or a manifest.
    fn add(&mut self, secret: Zeroizing<Vec<u8>>) -> Option<u32> {
        let start = match (self.starts.last(), self.all.last()) {
            (Some(start), Some(last)) => start.checked_add(u32::try_from(last.len()).ok()?)?,
            _ => 0,
        };
        start.checked_add(u32::try_from(secret.len()).ok()?)?;
        self.starts.push(start);
        self.all.push(secret);
        Some(start)
    }

    /// The secret that contains a byte, and the position in it.
    fn locate(&self, position: u32) -> (&[u8], usize) {
        let index = self.starts.partition_point(|&start| start <= position) - 1;
        (&self.all[index], (position - self.starts[index]) as usize)
    }

    fn window(&self, position: u32) -> u64 {
        let (secret, at) = self.locate(position);
        window_at(secret, at)
    }
}

fn window_at(bytes: &[u8], at: usize) -> u64 {
    let window = bytes[at..].first_chunk::<WINDOW>();
    window.map_or(0, |window| u64::from_le_bytes(*window))
}

/// Hashes a window. Collisions are not a denial-of-service risk, because attackers do not choose the secrets.
const fn hash(window: u64) -> u64 {
    let mixed = window.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 32
}

/// Whether JSON may represent a text with other characters.
fn is_escaped(text: &str) -> bool {
    !text.is_ascii() || text.contains(|c: char| c.is_control() || "\"\\/".contains(c))
}

/// The length of the common part of two sequences.
fn common<'a>(
    one: impl IntoIterator<Item = &'a u8>,
    other: impl IntoIterator<Item = &'a u8>,
) -> usize {
    one.into_iter()
        .zip(other)
        .take_while(|(a, b)| a == b)
        .count()
}

fn folded_secret(bytes: &[u8]) -> Vec<u8> {
    let trimmed = bytes.trim_ascii().iter().map(|&byte| (byte, ()));
    fold(trimmed).map(|(byte, ())| byte).collect()
}
