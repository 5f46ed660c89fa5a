//! The path of a key in a JSON document, as written in `json-key` and in a manifest. Must not handle documents.

use std::fmt;

use thiserror::Error;

/// The maximum depth of a key path, in levels.
const MAX_LEVELS: usize = 32;
/// The maximum length of a key path, in bytes.
const MAX_LENGTH: usize = 1_024;

/// The names of a key's ancestors and of the key itself, from the top object down; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPath {
    text: String,
    names: Vec<String>,
}

/// The reason a text is not a key path. The text completes a sentence that starts with the input's name.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyPathError {
    /// More than 1,024 bytes or 32 levels.
    #[error("is longer than {MAX_LENGTH} bytes or deeper than {MAX_LEVELS} levels")]
    TooLong,
    /// A control character.
    #[error("contains a control character")]
    Control,
    /// A `~` of a JSON pointer that is not `~0` or `~1` (RFC 6901).
    #[error("begins with `/` and so is a JSON pointer, in which `~` is written `~0` and `/` `~1`")]
    Escape,
}

impl KeyPath {
    /// Parses text that starts with `/` as a JSON pointer (RFC 6901), and any other text as the name of one key of the
    /// top-level object.
    ///
    /// # Errors
    /// See [`KeyPathError`].
    pub fn parse(text: &str) -> Result<Self, KeyPathError> {
        if text.chars().any(char::is_control) {
            return Err(KeyPathError::Control);
        }
        let names = match text.strip_prefix('/') {
            None => vec![text.to_owned()],
            Some(pointer) => pointer.split('/').map(unescape).collect::<Result<_, _>>()?,
        };
        if text.len() > MAX_LENGTH || names.len() > MAX_LEVELS {
            return Err(KeyPathError::TooLong);
        }
        Ok(Self {
            text: text.to_owned(),
            names,
        })
    }

    /// The names of the key's ancestors and of the key itself.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// The JSON pointer (RFC 6901) to a name in the element that `parent` points to.
pub(super) fn pointer(parent: &str, name: &str) -> String {
    format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn unescape(token: &str) -> Result<String, KeyPathError> {
    let mut escapes = token.split('~').skip(1);
    if !escapes.all(|rest| rest.starts_with(['0', '1'])) {
        return Err(KeyPathError::Escape);
    }
    // In this order, so that `~01` becomes `~1` (RFC 6901).
    Ok(token.replace("~1", "/").replace("~0", "~"))
}
