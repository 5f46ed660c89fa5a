//! JSON text that an edit writes into a document: a string or a checked value. The text is a secret: it is zeroized and must
//! not implement `Debug`.

use zeroize::Zeroizing;

use super::syntax::{self, EditError, is_equal};

/// One JSON value as text, without white space around it and without duplicate names in an object.
pub struct JsonText(Zeroizing<String>);

/// The text is not one JSON value, nests too deep, or has an object with a duplicate name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson {
    /// Whether it starts with a byte order mark, which JSON does not allow.
    pub byte_order_mark: bool,
}

impl JsonText {
    /// A JSON string with this content.
    pub fn string(content: &str) -> Self {
        // Six bytes per character, the longest escape: a buffer that grew would leave a copy behind.
        let mut json = Zeroizing::new(String::with_capacity(content.len() * 6 + 2));
        json.push('"');
        for c in content.chars() {
            match c {
                '"' | '\\' => json.extend(['\\', c]),
                '\n' => json.push_str("\\n"),
                '\r' => json.push_str("\\r"),
                '\t' => json.push_str("\\t"),
                '\0'..' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
                _ => json.push(c),
            }
        }
        json.push('"');
        Self(json)
    }

    /// Checks a JSON value and keeps its bytes.
    ///
    /// # Errors
    /// See [`NotJson`].
    pub fn json(text: &str) -> Result<Self, NotJson> {
        let value = syntax::parse(text).map_err(|error| NotJson {
            byte_order_mark: error == EditError::ByteOrderMark,
        })?;
        // A value with a duplicate name does not equal itself.
        let is_unambiguous = is_equal(value, value);
        is_unambiguous
            .then(|| Self(Zeroizing::new(value.to_owned())))
            .ok_or(NotJson {
                byte_order_mark: false,
            })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}
