//! Compares a new document with the stored one, by key. Names only keys that the caller names, and counts others.

use super::key_path::KeyPath;
use super::syntax::{self, EditError, Member, is_equal};

/// The differences between a stored document and its replacement.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference<'k> {
    /// Named keys that the stored document does not have.
    pub(crate) added: Vec<&'k KeyPath>,
    /// Named keys with a different value in the stored document.
    pub(crate) changed: Vec<&'k KeyPath>,
    /// The number of stored keys that the new document lacks, at any level above the named keys.
    pub(crate) removed: usize,
}

/// Compares two documents. `keys` are the keys that may be named. `None` if one of the documents is not a JSON object, or has a
/// duplicate name at a compared level.
pub(crate) fn difference<'k>(
    stored: &[u8],
    wanted: &[u8],
    keys: &[&'k KeyPath],
) -> Option<Difference<'k>> {
    let parse = |document| {
        let text = str::from_utf8(document).ok()?;
        syntax::parse(text)
            .ok()
            .filter(|object| object.starts_with('{'))
    };
    let mut found = Difference::default();
    compare(parse(stored)?, parse(wanted)?, keys, 0, &mut found).ok()?;
    Some(found)
}

/// Compares two objects. `keys` are the keys inside them, and `level` is the position of their names in the key paths. The
/// recursion depth is bounded by the length of a key path.
fn compare<'k>(
    stored: &str,
    wanted: &str,
    keys: &[&'k KeyPath],
    level: usize,
    found: &mut Difference<'k>,
) -> Result<(), EditError> {
    let (stored, wanted) = (sorted_members(stored)?, sorted_members(wanted)?);
    let others = stored
        .iter()
        .filter(|member| wanted.binary_search_by(|w| w.cmp_name(member)).is_err());
    found.removed += others.count();
    for (at, key) in keys.iter().enumerate() {
        let name = &key.names()[level];
        let find = |members: &[Member<'_>]| {
            let at = members.binary_search_by(|member| member.cmp_name_to(name));
            at.ok()
        };
        let Some(new) = find(&wanted).map(|at| wanted[at].value) else {
            continue;
        };
        let old = find(&stored).map(|at| stored[at].value);
        if key.names().len() == level + 1 {
            match old {
                None => found.added.push(key),
                Some(old) if !is_equal(old, new) => found.changed.push(key),
                Some(_) => {}
            }
            continue;
        }
        // All keys inside the same object are compared together with the first of them.
        let is_inside = |other: &&&KeyPath| other.names()[level] == *name;
        if keys[..at].iter().any(|other| is_inside(&other)) {
            continue;
        }
        let inside: Vec<_> = keys.iter().filter(is_inside).copied().collect();
        match old {
            Some(old) if old.starts_with('{') => compare(old, new, &inside, level + 1, found)?,
            // An object replaces another type of value.
            _ => {
                found.removed += usize::from(old.is_some());
                found.added.extend(inside);
            }
        }
    }
    Ok(())
}

/// The members of an object by name.
fn sorted_members(object: &str) -> Result<Vec<Member<'_>>, EditError> {
    let mut members = syntax::members(object)?;
    members.sort_by(Member::cmp_name);
    let mut pairs = members.windows(2);
    if pairs.any(|pair| pair[0].cmp_name(&pair[1]).is_eq()) {
        // The caller only needs to know that the documents cannot be compared.
        return Err(EditError::Overlap);
    }
    Ok(members)
}
