//! The JSON document that `json-key` and `merge` write: the stored object with the requested keys set. It does not decide
//! whether the document is written.

use std::fmt;
use std::sync::Arc;

use crate::failure::{Class, Failure};
use crate::json;
use crate::request::{JsonKey, Request};
use crate::value::{Kind, MAX_BYTES, SecretBytes, SecretValue};

/// A complete document to write. Its value has no `Debug`, so neither does this show one.
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

/// The current document with the keys set, or `None` if they have equal values already.
pub(super) fn edited(
    keys: &[JsonKey],
    current: Option<&SecretValue>,
    name: &str,
) -> Result<Option<Document>, Failure> {
    let reject = |why: String| {
        Failure::refused(
            format!("{name} holds no JSON object that keys could be set in"),
            "store a whole document first (leave `json-key` or `merge` out), or use another secret",
        )
        .because(why)
    };
    if current.is_some_and(|current| current.kind() == Kind::Binary) {
        return Err(reject("its current value is binary".to_owned()));
    }
    let stored = current.map_or(&b"{}"[..], SecretValue::expose);
    match json::apply_edits(stored, keys) {
        Ok(None) => Ok(None),
        Ok(Some(text)) => document(text.as_bytes().to_vec(), name).map(Some),
        Err(error) => Err(reject(error.to_string())),
    }
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
            "remove keys that nobody needs, or use a second secret",
        ));
    }
    Ok(Document(Arc::new(value)))
}
