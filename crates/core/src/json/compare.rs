//! Whether two JSON texts, both checked, are the same value: strings by what they mean, numbers as they are
//! written, arrays in order, objects in any order. What is taken apart for that is zeroized.

use zeroize::Zeroizing;

use super::scan::Scan;

/// A string's UTF-16 code units, which unpaired surrogates are as well.
type Units = Zeroizing<Vec<u16>>;

pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    match (one.first(), other.first()) {
        (Some(b'"'), Some(b'"')) => *units(one) == *units(other),
        (Some(b'['), Some(b'[')) => {
            let (Ok(ours), Ok(theirs)) = (Scan::new(one, 0).array(), Scan::new(other, 0).array())
            else {
                return false;
            };
            ours.len() == theirs.len()
                && ours
                    .into_iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| same(&one[ours], &other[theirs]))
        }
        (Some(b'{'), Some(b'{')) => {
            let (ours, theirs) = (sorted(one), sorted(other));
            ours.len() == theirs.len()
                && ours
                    .into_iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| *ours.0 == *theirs.0 && same(ours.1, theirs.1))
        }
        _ => one == other,
    }
}

/// Whether a name, with its quotes, is this one.
pub(super) fn is_name(quoted: &[u8], name: &str) -> bool {
    units(quoted).iter().copied().eq(name.encode_utf16())
}

/// Whether an object in it has a key twice.
pub(super) fn has_twice(text: &[u8]) -> bool {
    match text.first() {
        Some(b'[') => Scan::new(text, 0)
            .array()
            .is_ok_and(|elements| elements.into_iter().any(|range| has_twice(&text[range]))),
        Some(b'{') => {
            let members = sorted(text);
            members.windows(2).any(|pair| *pair[0].0 == *pair[1].0)
                || members.iter().any(|(_, value)| has_twice(value))
        }
        _ => false,
    }
}

/// Members by name; those of one name in the order in which they stand.
fn sorted(text: &[u8]) -> Vec<(Units, &[u8])> {
    let Ok(object) = Scan::new(text, 0).object() else {
        return Vec::new();
    };
    let mut members: Vec<_> = object
        .members
        .into_iter()
        .map(|member| (units(&text[member.name]), &text[member.value]))
        .collect();
    members.sort_by(|one, other| one.0.cmp(&other.0));
    members
}

/// What a string means; `quoted` has its quotes and is well-formed UTF-8.
fn units(quoted: &[u8]) -> Units {
    let inner = quoted.get(1..quoted.len().saturating_sub(1));
    let text = str::from_utf8(inner.unwrap_or_default()).unwrap_or_default();
    let mut units = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            units.extend(c.encode_utf16(&mut [0; 2]).iter());
            continue;
        }
        units.push(match chars.next() {
            Some('b') => 8,
            Some('f') => 12,
            Some('n') => 10,
            Some('r') => 13,
            Some('t') => 9,
            Some('u') => {
                let rest = chars.as_str();
                let digits = rest.get(..4).unwrap_or_default();
                chars = rest.get(4..).unwrap_or_default().chars();
                u16::from_str_radix(digits, 16).unwrap_or_default()
            }
            // A quote, a backslash or a slash stands for itself.
            Some(other) => u16::try_from(u32::from(other)).unwrap_or_default(),
            None => 0,
        });
    }
    units
}
