//! Extracts one element from a JSON document. Copies only the content of a string, into memory that is zeroized. Must not
//! change the document.

use thiserror::Error;
use zeroize::Zeroizing;

use super::key_path::{KeyPath, pointer};
use super::syntax::{self, EditError, Member, code_units};

/// An element of a document, as written in it.
pub struct Element<'d> {
    json: &'d str,
    pointer: String,
}

/// The reason an element was not found. The text is a complete clause, names only keys of the path, and never quotes the
/// document.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LookupError {
    /// The document is not UTF-8.
    #[error("the document is not UTF-8 text")]
    NotUtf8,
    /// The document begins with a byte order mark.
    #[error("the document begins with a byte order mark (U+FEFF), which JSON does not allow")]
    ByteOrderMark,
    /// The document is not JSON.
    #[error("the document is not JSON")]
    Malformed,
    /// The document is nested too deep.
    #[error("the document has too many levels")]
    TooDeep,
    /// The document has no such element.
    #[error("the document has no `{pointer}`")]
    Absent {
        /// The first element of the path that is missing, as a JSON pointer.
        pointer: String,
    },
    /// An ancestor of the element is neither an object nor an array.
    #[error("`{pointer}` in the document is {kind}, which has no members")]
    NoMembers {
        /// The ancestor, as a JSON pointer.
        pointer: String,
        /// The type of the ancestor, in words.
        kind: &'static str,
    },
    /// An object contains a name of the path twice: parsers disagree on which value counts.
    #[error("the document has `{pointer}` twice")]
    Duplicate {
        /// The element, as a JSON pointer.
        pointer: String,
    },
    /// The element is not a string.
    #[error("`{pointer}` in the document is {kind}, not a string")]
    NotString {
        /// The element, as a JSON pointer.
        pointer: String,
        /// The type of the element, in words.
        kind: &'static str,
    },
    /// The string has an unpaired surrogate, which cannot be represented as text.
    #[error("`{pointer}` in the document contains half a character (an unpaired surrogate)")]
    UnpairedSurrogate {
        /// The element, as a JSON pointer.
        pointer: String,
    },
}

/// Finds an element by its path. In an array, a name is an index without leading zeros (RFC 6901).
///
/// # Errors
/// See [`LookupError`].
pub fn lookup<'d>(document: &'d [u8], path: &KeyPath) -> Result<Element<'d>, LookupError> {
    let document = str::from_utf8(document).map_err(|_| LookupError::NotUtf8)?;
    let mut json = syntax::parse(document).map_err(|error| match error {
        EditError::ByteOrderMark => LookupError::ByteOrderMark,
        EditError::TooDeep => LookupError::TooDeep,
        _ => LookupError::Malformed,
    })?;
    let mut parent = String::new();
    for name in path.names() {
        let pointer = pointer(&parent, name);
        let found = match json.as_bytes().first() {
            Some(b'{') => member(json, name)?,
            Some(b'[') => element(json, name)?,
            _ if parent.is_empty() => Vec::new(),
            _ => {
                let kind = syntax::kind(json);
                return Err(LookupError::NoMembers {
                    pointer: parent,
                    kind,
                });
            }
        };
        json = match found[..] {
            [json] => json,
            [] => return Err(LookupError::Absent { pointer }),
            _ => return Err(LookupError::Duplicate { pointer }),
        };
        parent = pointer;
    }
    Ok(Element {
        json,
        pointer: parent,
    })
}

/// The values of an object's members with this name.
fn member<'d>(object: &'d str, name: &str) -> Result<Vec<&'d str>, LookupError> {
    let members = syntax::members(object).map_err(|_| LookupError::Malformed)?;
    let named = |member: &Member<'_>| member.cmp_name_to(name).is_eq();
    let found = members.into_iter().filter(named);
    Ok(found.map(|member| member.value).collect())
}

/// The element of an array at an index.
fn element<'d>(array: &'d str, index: &str) -> Result<Vec<&'d str>, LookupError> {
    let elements = syntax::elements(array).map_err(|_| LookupError::Malformed)?;
    let at = index
        .parse::<usize>()
        .ok()
        .filter(|at| at.to_string() == index);
    Ok(at
        .and_then(|at| elements.get(at).copied())
        .into_iter()
        .collect())
}

impl<'d> Element<'d> {
    /// The element as JSON.
    pub fn json(&self) -> &'d str {
        self.json
    }

    /// The content of a string.
    ///
    /// # Errors
    /// [`LookupError::NotString`] and [`LookupError::UnpairedSurrogate`].
    pub fn into_text(self) -> Result<Zeroizing<String>, LookupError> {
        let Self { json, pointer } = self;
        if !json.starts_with('"') {
            let kind = syntax::kind(json);
            return Err(LookupError::NotString { pointer, kind });
        }
        // No escape is shorter than its character: a buffer that grew would leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(json.len()));
        for c in char::decode_utf16(code_units(json)) {
            let c = c.map_err(|_| LookupError::UnpairedSurrogate {
                pointer: pointer.clone(),
            })?;
            text.push(c);
        }
        Ok(text)
    }
}
