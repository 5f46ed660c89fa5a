//! One key of a JSON document is set, and every other byte of it stays as it was: order, white space, the
//! spelling of numbers. So the document is scanned, never parsed into values and written anew; which
//! also leaves no copies of secrets behind. Knows no AWS; no error quotes a document or a value.

use std::ops::Range;

use thiserror::Error;
use zeroize::Zeroizing;

mod compare;
mod key_path;
mod scan;
mod text;

pub use key_path::{KeyPath, KeyPathError};
pub use text::{JsonText, NotJson};

use scan::{Fault, Object, Scan};

/// What setting a key comes to.
pub enum Edit {
    /// It holds an equal value already.
    Unchanged,
    /// The document with the key set.
    Changed(Zeroizing<Vec<u8>>),
}

/// Why a key cannot be set in a document. Never a piece of it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum EditError {
    /// The document is not UTF-8.
    #[error("its current value is not UTF-8 text")]
    NotText,
    /// The document is not JSON.
    #[error("its current value is not JSON")]
    Malformed,
    /// JSON, but no object at the top.
    #[error("its current value is JSON, but not an object")]
    NotObject,
    /// Something on the way is no object.
    #[error("level {level} of the key is there and is not an object")]
    ParentNotObject {
        /// Counted from 1.
        level: usize,
    },
    /// A name on the way stands twice in its object: readers differ in which they take.
    #[error("level {level} of the key stands there twice")]
    Twice {
        /// Counted from 1.
        level: usize,
    },
    /// More than 128 levels.
    #[error(
        "the document is or would be nested deeper than {} levels",
        scan::MAX_DEPTH
    )]
    TooDeep,
}

impl From<Fault> for EditError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed => Self::Malformed,
            Fault::TooDeep => Self::TooDeep,
        }
    }
}

/// One edit of a document.
#[derive(Clone, Copy)]
pub struct KeyEdit<'a> {
    /// The key to set.
    pub path: &'a KeyPath,
    /// Its new value.
    pub value: &'a JsonText,
    /// Whether an existing value stays, whatever it is.
    pub only_if_absent: bool,
}

/// Sets keys one after the other, as [`set`] does.
///
/// # Errors
/// See [`EditError`]; of the first key that cannot be set.
pub fn apply_edits<'a>(
    document: &[u8],
    edits: impl IntoIterator<Item = KeyEdit<'a>>,
) -> Result<Edit, EditError> {
    let mut changed: Option<Zeroizing<Vec<u8>>> = None;
    for KeyEdit {
        path,
        value,
        only_if_absent,
    } in edits
    {
        let there = changed.as_ref().map_or(document, |text| text.as_slice());
        if only_if_absent && contains(there, path)? {
            continue;
        }
        if let Edit::Changed(text) = set(there, path, value)? {
            changed = Some(text);
        }
    }
    Ok(changed.map_or(Edit::Unchanged, Edit::Changed))
}

/// Whether a document has a key, whatever is there.
///
/// # Errors
/// See [`EditError`].
pub fn contains(document: &[u8], key: &KeyPath) -> Result<bool, EditError> {
    Ok(matches!(find(document, key)?, Place::There(_)))
}

/// Sets a key. Objects that are missing on the way are made; a new key goes to the end of its object,
/// written as its neighbour is.
///
/// # Errors
/// See [`EditError`].
pub fn set(document: &[u8], key: &KeyPath, value: &JsonText) -> Result<Edit, EditError> {
    match find(document, key)? {
        Place::There(old) if compare::same(&document[old.clone()], value.as_bytes()) => {
            Ok(Edit::Unchanged)
        }
        Place::There(old) => changed(document, old, &[value.as_bytes()]),
        Place::Missing { object, level } => {
            let text = nested(&key.names()[level..], value);
            insert(document, &object, &key.names()[level - 1], &text)
        }
    }
}

/// Where a key is, or would be.
enum Place {
    /// Its value.
    There(Range<usize>),
    /// The object that lacks the name of this level, counted from 1.
    Missing { object: Object, level: usize },
}

fn find(document: &[u8], key: &KeyPath) -> Result<Place, EditError> {
    if str::from_utf8(document).is_err() {
        return Err(EditError::NotText);
    }
    let (top, _) = scan::document(document)?;
    let mut at = top.start;
    if document.get(at) != Some(&b'{') {
        return Err(EditError::NotObject);
    }
    for (number, name) in key.names().iter().enumerate() {
        let level = number + 1;
        let object = Scan::new(document, at).object()?;
        let found: Vec<_> = object
            .members
            .iter()
            .filter(|member| compare::is_name(&document[member.name.clone()], name))
            .map(|member| member.value.clone())
            .collect();
        match &found[..] {
            [] => return Ok(Place::Missing { object, level }),
            [value] if level == key.names().len() => return Ok(Place::There(value.clone())),
            [value] if document[value.start] == b'{' => at = value.start,
            [_] => return Err(EditError::ParentNotObject { level }),
            _ => return Err(EditError::Twice { level }),
        }
    }
    // A key has one name at least.
    Err(EditError::NotObject)
}

/// Whether two texts are JSON and the same value. Without keys that stand twice, in which readers differ.
#[must_use]
pub fn is_equal_json(one: &[u8], other: &[u8]) -> bool {
    let (Ok((ours, _)), Ok((theirs, _))) = (scan::document(one), scan::document(other)) else {
        return false;
    };
    let (ours, theirs) = (&one[ours], &other[theirs]);
    compare::same(ours, theirs) && !compare::has_twice(theirs)
}

/// `{"a":{"b":value}}`
fn nested(names: &[String], value: &JsonText) -> Zeroizing<Vec<u8>> {
    let names: Vec<JsonText> = names.iter().map(|name| JsonText::string(name)).collect();
    let around: usize = names.iter().map(|name| name.as_bytes().len() + 3).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(around + value.as_bytes().len()));
    for name in &names {
        text.push(b'{');
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
    }
    text.extend_from_slice(value.as_bytes());
    text.extend(std::iter::repeat_n(b'}', names.len()));
    text
}

fn insert(document: &[u8], object: &Object, name: &str, value: &[u8]) -> Result<Edit, EditError> {
    let name = JsonText::string(name);
    let Some(last) = object.members.last() else {
        let after = object.start + 1;
        return changed(document, after..after, &[name.as_bytes(), b":", value]);
    };
    let colon = &document[last.name.end..last.value.start];
    let lead = &document[last.lead..last.name.start];
    // `{"a": 1}` has no second member to show how it would be written.
    let lead = if lead.is_empty() && colon.len() > 1 {
        b" ".as_slice()
    } else {
        lead
    };
    let end = last.value.end;
    changed(
        document,
        end..end,
        &[b",", lead, name.as_bytes(), colon, value],
    )
}

fn changed(document: &[u8], place: Range<usize>, parts: &[&[u8]]) -> Result<Edit, EditError> {
    let added: usize = parts.iter().map(|part| part.len()).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(document.len() + added));
    text.extend_from_slice(&document[..place.start]);
    for part in parts {
        text.extend_from_slice(part);
    }
    text.extend_from_slice(&document[place.end..]);
    // What was put in may be deep itself.
    scan::document(&text)?;
    Ok(Edit::Changed(text))
}

#[cfg(test)]
mod tests;
