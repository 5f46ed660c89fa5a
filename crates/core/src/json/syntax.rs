//! The structure of JSON text, one level at a time, as slices of that text. `serde_json` checks the grammar; nothing
//! is copied or decoded into a buffer, so nothing needs to be zeroized. Unpaired surrogates in escapes are valid.

use std::cmp::Ordering;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// The depth at which a document is too deep, in nested objects and arrays. `serde_json` has the same limit for its
/// `Value`, but none for a `RawValue`.
pub(super) const DEPTH_LIMIT: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SyntaxError {
    Malformed,
    TooDeep,
}

/// A member of an object, as written.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    /// With its quotes.
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

impl Member<'_> {
    /// Orders names by UTF-16 code unit, as RFC 8785 does.
    pub(super) fn cmp_name(&self, other: &Member<'_>) -> Ordering {
        code_units(self.name).cmp(code_units(other.name))
    }

    /// The same order, for a name that is not JSON.
    pub(super) fn cmp_name_to(&self, name: &str) -> Ordering {
        code_units(self.name).cmp(name.encode_utf16())
    }
}

/// The one value of a text, without the white space around it.
pub(super) fn parse(text: &str) -> Result<&str, SyntaxError> {
    let value = serde_json::from_str::<&RawValue>(text)
        .map_err(|_| SyntaxError::Malformed)?
        .get();
    check_depth(value)?;
    Ok(value)
}

/// Checks the depth of valid JSON. Everything else here that recurses relies on it.
pub(super) fn check_depth(json: &str) -> Result<(), SyntaxError> {
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
            return Err(SyntaxError::TooDeep);
        }
    }
    Ok(())
}

/// The elements of an array.
pub(super) fn elements(array: &str) -> Result<Vec<&str>, SyntaxError> {
    let elements: Vec<&RawValue> =
        serde_json::from_str(array).map_err(|_| SyntaxError::Malformed)?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

/// The members of an object, in the order of the document.
pub(super) fn members(object: &str) -> Result<Vec<Member<'_>>, SyntaxError> {
    serde_json::Deserializer::from_str(object)
        .deserialize_map(Members)
        .map_err(|_| SyntaxError::Malformed)
}

/// Unlike a map type, keeps order and duplicates, and does not decode names.
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

/// The content of a valid JSON string, escapes decoded, as UTF-16 code units: JSON escapes are those, and may be
/// unpaired surrogates, which no `str` can hold.
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
