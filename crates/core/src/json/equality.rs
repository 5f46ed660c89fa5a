//! Whether two JSON texts are the same value: strings by content, numbers as written, arrays in order, objects in any
//! order. Readers differ on duplicate names, so an object that has one equals nothing.

use super::syntax::{self, SyntaxError};

/// Whether two texts are JSON and equal. Malformed or too deeply nested text equals nothing.
pub fn is_equal_json(one: &[u8], other: &[u8]) -> bool {
    let parse = |text| {
        str::from_utf8(text)
            .ok()
            .and_then(|text| syntax::parse(text).ok())
    };
    parse(one)
        .zip(parse(other))
        .is_some_and(|(one, other)| is_equal(one, other))
}

/// Whether no object in a checked value has a duplicate name.
pub(super) fn has_unique_names(value: &str) -> bool {
    is_equal(value, value)
}

/// Compares two checked values. Reads each text once per level.
pub(super) fn is_equal(one: &str, other: &str) -> bool {
    compare(one, other).unwrap_or(false)
}

fn compare(one: &str, other: &str) -> Result<bool, SyntaxError> {
    let first_bytes = (one.bytes().next(), other.bytes().next());
    Ok(match first_bytes {
        (Some(b'"'), Some(b'"')) => syntax::code_units(one).eq(syntax::code_units(other)),
        (Some(b'['), Some(b'[')) => {
            let (ones, others) = (syntax::elements(one)?, syntax::elements(other)?);
            ones.len() == others.len()
                && ones
                    .into_iter()
                    .zip(others)
                    .all(|(one, other)| is_equal(one, other))
        }
        (Some(b'{'), Some(b'{')) => {
            let (mut ones, mut others) = (syntax::members(one)?, syntax::members(other)?);
            ones.sort_by(syntax::Member::cmp_name);
            others.sort_by(syntax::Member::cmp_name);
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
