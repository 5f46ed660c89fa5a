//! JSON text that an edit writes into a document: a string or a checked value. The text is a secret: it is
//! zeroized and has no `Debug`.

use zeroize::Zeroizing;

use super::{compare, scan};

/// One JSON value as text, without white space around it and without duplicate names in an object.
pub struct JsonText(Zeroizing<Vec<u8>>);

/// The text is not one JSON value, nests too deep, or has an object with a duplicate name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson;

impl JsonText {
    /// A JSON string with this content.
    #[must_use]
    pub fn string(text: &str) -> Self {
        // Six bytes for each, the longest escape: a buffer that grew would leave a copy behind.
        let mut json = Zeroizing::new(Vec::with_capacity(text.len() * 6 + 2));
        json.push(b'"');
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => json.extend([b'\\', byte]),
                b'\n' => json.extend(b"\\n"),
                b'\r' => json.extend(b"\\r"),
                b'\t' => json.extend(b"\\t"),
                0..0x20 => json.extend(format!("\\u{byte:04x}").bytes()),
                _ => json.push(byte),
            }
        }
        json.push(b'"');
        Self(json)
    }

    /// Checks a JSON value and keeps its bytes.
    ///
    /// # Errors
    /// See [`NotJson`].
    pub fn json(text: &str) -> Result<Self, NotJson> {
        let (value, _) = scan::document(text.as_bytes()).map_err(|_| NotJson)?;
        let text = &text.as_bytes()[value];
        if compare::has_twice(text) {
            return Err(NotJson);
        }
        Ok(Self(Zeroizing::new(text.to_vec())))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
