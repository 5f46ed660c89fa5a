//! Bytes that a text stands for, with their places in it. It decodes nothing.

use std::ops::Range;

/// Where in the text a byte of a view is. Half the size of `Range<usize>`, because there is one for each byte.
pub type Place = Range<u32>;

/// Bytes that a text stands for, and where in the text each of them is.
pub struct View {
    pub(super) bytes: Vec<u8>,
    pub(super) places: Vec<Place>,
}

impl View {
    pub(super) fn with_capacity(length: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(length),
            places: Vec::with_capacity(length),
        }
    }

    /// Adds bytes that stand at a range of another view.
    pub(super) fn push(&mut self, bytes: &[u8], of: &Self, at: Range<usize>) {
        let place = of.places[at.start].start..of.places[at.end - 1].end;
        self.bytes.extend_from_slice(bytes);
        self.places.extend(bytes.iter().map(|_| place.clone()));
    }

    /// Adds a range of another view.
    pub(super) fn copy(&mut self, of: &Self, at: Range<usize>) {
        self.bytes.extend_from_slice(&of.bytes[at.clone()]);
        self.places.extend_from_slice(&of.places[at]);
    }

    /// The bytes for a comparison with secrets, as [`fold`] makes them, and their places.
    pub fn folded(&self) -> (Vec<u8>, Vec<&Place>) {
        let (mut bytes, mut places) = (
            Vec::with_capacity(self.bytes.len()),
            Vec::with_capacity(self.bytes.len()),
        );
        for (byte, place) in fold(self.bytes.iter().copied().zip(&self.places)) {
            bytes.push(byte);
            places.push(place);
        }
        (bytes, places)
    }
}

/// Bytes without the differences that layout and notation make: in lower case, and with one space for any white space.
pub fn fold<T>(bytes: impl Iterator<Item = (u8, T)>) -> impl Iterator<Item = (u8, T)> {
    let mut after_space = false;
    bytes.filter_map(move |(byte, place)| {
        let is_space = byte.is_ascii_whitespace();
        let repeats = is_space && after_space;
        after_space = is_space;
        let folded = if is_space {
            b' '
        } else {
            byte.to_ascii_lowercase()
        };
        (!repeats).then_some((folded, place))
    })
}
