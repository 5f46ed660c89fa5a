//! The structure of JSON text, one level at a time, as slices of that text, and equality of two texts. `serde_json` checks the
//! grammar. Must not copy or decode into a buffer, so that nothing needs to be zeroized. Unpaired surrogates in escapes are
//! valid.

use std::cmp::Ordering;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

/// The depth at which a document is nested too deep, in objects and arrays. `serde_json` has the same limit for its `Value`,
/// but none for a `RawValue`.
pub(super) const DEPTH_LIMIT: usize = 128;

/// The reason a document cannot be read or edited.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EditError {
    /// The document is not UTF-8.
    #[error("its current value is not UTF-8 text")]
    NotUtf8,
    /// The document begins with a byte order mark, which JSON does not allow.
    #[error("its current value begins with a byte order mark (U+FEFF), which JSON does not allow")]
    ByteOrderMark,
    /// The document is not JSON.
    #[error("its current value is not JSON")]
    Malformed,
    /// The document is JSON, but not an object.
    #[error("its current value is JSON, but not an object")]
    NotObject,
    /// An ancestor of the key exists and is not an object.
    #[error("`{pointer}` is {kind}, and only an object has keys")]
    ParentNotObject {
        /// The ancestor, as a JSON pointer.
        pointer: String,
        /// The type of the ancestor, in words.
        kind: &'static str,
    },
    /// An object contains a name of the path twice: parsers disagree on which value counts.
    #[error("`{pointer}` exists twice")]
    Duplicate {
        /// The element, as a JSON pointer.
        pointer: String,
    },
    /// Two edits set the same key, or one sets a key inside the value that another sets.
    #[error("two of the keys are the same, or one is inside another")]
    Overlap,
    /// The document is or would be nested too deep.
    #[error("the document is or would be nested {DEPTH_LIMIT} levels deep or deeper")]
    TooDeep,
}

/// A member of an object, as written.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    /// Including its quotes.
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

impl Member<'_> {
    /// Orders names by UTF-16 code unit, as RFC 8785 does.
    pub(super) fn cmp_name(&self, other: &Member<'_>) -> Ordering {
        code_units(self.name).cmp(code_units(other.name))
    }

    /// The same order, for a name that is not in JSON syntax.
    pub(super) fn cmp_name_to(&self, name: &str) -> Ordering {
        code_units(self.name).cmp(name.encode_utf16())
    }
}

/// The single value of a text, without the white space around it.
pub(super) fn parse(text: &str) -> Result<&str, EditError> {
    if text.starts_with('\u{feff}') {
        return Err(EditError::ByteOrderMark);
    }
    let value = serde_json::from_str::<&RawValue>(text)
        .map_err(|_| EditError::Malformed)?
        .get();
    check_depth(value)?;
    Ok(value)
}

/// The type of a valid value, in words.
pub(super) fn kind(value: &str) -> &'static str {
    match value.bytes().next() {
        Some(b'"') => "a string",
        Some(b'[') => "an array",
        Some(b'{') => "an object",
        Some(b'n') => "`null`",
        Some(b't' | b'f') => "`true` or `false`",
        _ => "a number",
    }
}

/// Checks the depth of valid JSON. All other recursion in this module relies on this check.
pub(super) fn check_depth(json: &str) -> Result<(), EditError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth >= DEPTH_LIMIT {
            return Err(EditError::TooDeep);
        }
    }
    Ok(())
}

/// The elements of an array.
pub(super) fn elements(array: &str) -> Result<Vec<&str>, EditError> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).map_err(|_| EditError::Malformed)?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

/// The members of an object, in the order of the document.
pub(super) fn members(object: &str) -> Result<Vec<Member<'_>>, EditError> {
    serde_json::Deserializer::from_str(object)
        .deserialize_map(Members)
        .map_err(|_| EditError::Malformed)
}

/// Unlike a map type, preserves order and duplicates, and does not decode names.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            members.push(Member {
                name: name.get(),
                value: value.get(),
            });
        }
        Ok(members)
    }
}

/// The content of a valid JSON string, unescaped, as UTF-16 code units: JSON escapes are code units, and may be unpaired
/// surrogates, which `str` cannot represent.
pub(super) fn code_units(string: &str) -> impl Iterator<Item = u16> {
    let mut chars = string.chars();
    // The opening quote; the closing one ends the iteration.
    chars.next();
    let mut low_surrogate = None;
    std::iter::from_fn(move || {
        if let Some(unit) = low_surrogate.take() {
            return Some(unit);
        }
        let mut pair = [0; 2];
        let c = match chars.next()? {
            '"' => return None,
            '\\' => match chars.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let (digits, rest) = chars.as_str().split_at_checked(4)?;
                    chars = rest.chars();
                    return u16::from_str_radix(digits, 16).ok();
                }
                quoted => quoted,
            },
            c => c,
        };
        let units = c.encode_utf16(&mut pair);
        low_surrogate = units.get(1).copied();
        units.first().copied()
    })
}

/// Whether two texts are JSON and equal. Malformed or too deeply nested text never equals anything.
pub(crate) fn is_equal_json(one: &[u8], other: &[u8]) -> bool {
    let parse = |text| str::from_utf8(text).ok().and_then(|text| parse(text).ok());
    parse(one)
        .zip(parse(other))
        .is_some_and(|(one, other)| is_equal(one, other))
}

/// Compares two checked values: strings by content, numbers as written, arrays in order, objects in any order. Parsers disagree
/// on duplicate names, so an object that has one never equals anything, including itself. Reads each text once per level.
pub(super) fn is_equal(one: &str, other: &str) -> bool {
    compare(one, other).unwrap_or(false)
}

fn compare(one: &str, other: &str) -> Result<bool, EditError> {
    let first_bytes = (one.bytes().next(), other.bytes().next());
    Ok(match first_bytes {
        (Some(b'"'), Some(b'"')) => code_units(one).eq(code_units(other)),
        (Some(b'['), Some(b'[')) => {
            let (ones, others) = (elements(one)?, elements(other)?);
            ones.len() == others.len()
                && ones
                    .into_iter()
                    .zip(others)
                    .all(|(one, other)| is_equal(one, other))
        }
        (Some(b'{'), Some(b'{')) => {
            let (mut ones, mut others) = (members(one)?, members(other)?);
            ones.sort_by(Member::cmp_name);
            others.sort_by(Member::cmp_name);
            ones.len() == others.len()
                && ones
                    .windows(2)
                    .all(|pair| pair[0].cmp_name(&pair[1]).is_ne())
                && ones.iter().zip(&others).all(|(one, other)| {
                    one.cmp_name(other).is_eq() && is_equal(one.value, other.value)
                })
        }
        _ => one == other,
    })
}
