//! The JSON document that `json-key` and `merge` write: the stored object with the requested keys set. Must not decide whether
//! the document is written.

use std::fmt;
use std::sync::Arc;

use crate::failure::{Class, Failure};
use crate::json::{self, EditError};
use crate::request::{JsonKey, Request};
use crate::value::{Kind, MAX_BYTES, SecretBytes, SecretValue};

/// A complete document to write. Does not show its value in `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub struct Document(Arc<SecretValue>);

impl Document {
    /// The document as a value.
    pub fn value(&self) -> &SecretValue {
        &self.0
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document")
    }
}

/// The current document with the keys set, or `None` if they already have equal values.
pub(super) fn edited(
    keys: &[JsonKey],
    current: Option<&SecretValue>,
    name: &str,
) -> Result<Option<Document>, Failure> {
    if current.is_some_and(|current| current.kind() == Kind::Binary) {
        return Err(no_object(name).because("its current value is binary"));
    }
    let stored = current.map_or(&b"{}"[..], SecretValue::expose);
    match json::apply_edits(stored, keys) {
        Ok(None) => Ok(None),
        Ok(Some(text)) => document(text.as_bytes().to_vec(), name).map(Some),
        Err(error) => Err(explain(&error, name)),
    }
}

fn no_object(name: &str) -> Failure {
    Failure::refused(
        format!("{name} does not hold a JSON object, so no key can be set in it"),
        "store a whole document first (without `json-key` or `merge`), or use another secret",
    )
}

/// The failure for a document that cannot be edited.
fn explain(error: &EditError, name: &str) -> Failure {
    let (what, next) = match error {
        EditError::NotUtf8 | EditError::Malformed | EditError::NotObject => {
            return no_object(name).because(error.to_string());
        }
        EditError::ByteOrderMark => (
            format!("the JSON document of {name} begins with a byte order mark"),
            "store the whole document once without it (and without `json-key` or `merge`)",
        ),
        EditError::ParentNotObject { .. } => (
            format!("the JSON document of {name} has no object where the key needs one"),
            "correct the key, or store the whole document with an object there",
        ),
        EditError::Duplicate { .. } => (
            format!(
                "the JSON document of {name} has a key twice, and readers differ on which counts"
            ),
            "store the whole document once without the duplicate",
        ),
        EditError::Overlap => (
            format!("two of the keys for {name} cannot both be set"),
            "omit one of them",
        ),
        EditError::TooDeep => (
            format!("the JSON document of {name} has too many levels"),
            "set keys nearer to the top, or use another secret",
        ),
    };
    Failure::refused(what, next).because(error.to_string())
}

/// Whether a stored document has all requested keys with equal values.
pub(super) fn has_keys(request: &Request, stored: &SecretValue) -> bool {
    edited(&request.json, Some(stored), &request.target.id).is_ok_and(|edited| edited.is_none())
}

fn document(bytes: Vec<u8>, name: &str) -> Result<Document, Failure> {
    let value = SecretValue::stored(SecretBytes::new(bytes), Kind::String);
    if value.expose().len() > MAX_BYTES {
        return Err(Failure::new(
            Class::Limit,
            format!(
                "the JSON document of {name} would be larger than {MAX_BYTES} bytes, the most that Secrets Manager stores"
            ),
            "remove keys that are not used, or use a second secret",
        ));
    }
    Ok(Document(Arc::new(value)))
}
