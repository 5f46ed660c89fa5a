//! Edits of keys in a JSON object. Parses each object on a path once for all its edits, and writes the result once, into a
//! buffer of the right size. Checks the whole document, but reads only the values that it sets.

use std::collections::HashMap;
use std::ops::Range;

use zeroize::Zeroizing;

use super::key_path::{KeyPath, pointer};
use super::syntax::{self, EditError, Member, is_equal};
use super::text::JsonText;

/// White space between JSON tokens (RFC 8259).
const WHITE_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// A key of a JSON object and its new value.
pub struct JsonKey {
    /// Its path in the document.
    pub path: KeyPath,
    /// The value.
    pub text: JsonText,
    /// Whether it is only set in a document without the key.
    pub seeds: bool,
}

/// Sets keys of a document; `None` if all of them already have equal values. Creates missing ancestors. Appends new keys to
/// their object in the order of the edits, formatted like the last member before them.
///
/// # Errors
/// See [`EditError`]; the document is edited completely or not at all.
pub fn apply_edits(
    document: &[u8],
    edits: &[JsonKey],
) -> Result<Option<Zeroizing<String>>, EditError> {
    let document = str::from_utf8(document).map_err(|_| EditError::NotUtf8)?;
    let object = syntax::parse(document)?;
    if !object.starts_with('{') {
        return Err(EditError::NotObject);
    }
    let changes = group(edits.iter().collect(), 0)?;
    let mut splices = Vec::new();
    edit_object(document, object, &changes, "", &mut splices)?;
    if splices.is_empty() {
        return Ok(None);
    }
    let edited = splice(document, splices);
    syntax::check_depth(&edited)?;
    Ok(Some(edited))
}

/// The change of one member of an object.
struct Change<'a> {
    name: &'a str,
    /// The name as a JSON string.
    literal: JsonText,
    action: Action<'a>,
}

enum Action<'a> {
    Set(&'a JsonKey),
    EditInside(Vec<Change<'a>>),
}

/// Groups edits by name at a level, counted from 0. The recursion depth is bounded by the length of a key path.
fn group(edits: Vec<&JsonKey>, level: usize) -> Result<Vec<Change<'_>>, EditError> {
    let mut indices = HashMap::new();
    let mut groups: Vec<(&str, Vec<&JsonKey>)> = Vec::new();
    for edit in edits {
        let name = edit.path.names()[level].as_str();
        let index = *indices.entry(name).or_insert(groups.len());
        if index == groups.len() {
            groups.push((name, Vec::new()));
        }
        groups[index].1.push(edit);
    }
    groups
        .into_iter()
        .map(|(name, edits)| {
            let is_last = |edit: &&JsonKey| edit.path.names().len() == level + 1;
            let action = match edits[..] {
                [edit] if is_last(&edit) => Action::Set(edit),
                _ if edits.iter().any(is_last) => return Err(EditError::Overlap),
                _ => Action::EditInside(group(edits, level + 1)?),
            };
            Ok(Change {
                name,
                literal: JsonText::string(name),
                action,
            })
        })
        .collect()
}

/// A part of the document and its replacement. Pieces are borrowed, so that a secret is copied only into the result.
struct Splice<'a> {
    range: Range<usize>,
    pieces: Vec<&'a str>,
}

/// Collects the splices of one object of the document. `path` is the JSON pointer to it.
fn edit_object<'a>(
    document: &'a str,
    object: &'a str,
    changes: &'a [Change<'a>],
    path: &str,
    splices: &mut Vec<Splice<'a>>,
) -> Result<(), EditError> {
    let mut members = syntax::members(object)?;
    let last = members.last().copied();
    members.sort_by(Member::cmp_name);
    let mut added = Vec::new();
    for change in changes {
        let start = members.partition_point(|member| member.cmp_name_to(change.name).is_lt());
        let mut found = members[start..]
            .iter()
            .take_while(|member| member.cmp_name_to(change.name).is_eq());
        let Some(member) = found.next() else {
            added.push(change);
            continue;
        };
        if found.next().is_some() {
            return Err(EditError::Duplicate {
                pointer: pointer(path, change.name),
            });
        }
        match &change.action {
            Action::Set(edit) => {
                if !edit.seeds && !is_equal(member.value, edit.text.as_str()) {
                    splices.push(Splice {
                        range: range_in(document, member.value),
                        pieces: vec![edit.text.as_str()],
                    });
                }
            }
            Action::EditInside(changes) if member.value.starts_with('{') => {
                let path = pointer(path, change.name);
                edit_object(document, member.value, changes, &path, splices)?;
            }
            Action::EditInside(_) => {
                return Err(EditError::ParentNotObject {
                    pointer: pointer(path, change.name),
                    kind: syntax::kind(member.value),
                });
            }
        }
    }
    if !added.is_empty() {
        splices.push(insertion(document, object, last, &added));
    }
    Ok(())
}

/// New members at the end of an object, formatted like its last member.
fn insertion<'a>(
    document: &'a str,
    object: &'a str,
    last: Option<Member<'a>>,
    added: &[&'a Change<'a>],
) -> Splice<'a> {
    let mut at = range_in(document, object).start + 1;
    let (mut lead, mut colon) = ("", ":");
    if let Some(last) = last {
        let name = range_in(document, last.name);
        let value = range_in(document, last.value);
        at = value.end;
        colon = &document[name.end..value.start];
        let before = &document[..name.start];
        lead = &before[before.trim_end_matches(WHITE_SPACE).len()..];
        if lead.is_empty() && colon.len() > 1 {
            // In `{"a": 1}` no second member shows what follows a comma.
            lead = " ";
        }
    }
    let mut pieces = Vec::new();
    for (index, change) in added.iter().enumerate() {
        if index > 0 || last.is_some() {
            pieces.extend([",", lead]);
        }
        pieces.extend([change.literal.as_str(), colon]);
        push_value(&change.action, &mut pieces);
    }
    Splice {
        range: at..at,
        pieces,
    }
}

fn push_value<'a>(action: &'a Action<'a>, pieces: &mut Vec<&'a str>) {
    match action {
        Action::Set(edit) => pieces.push(edit.text.as_str()),
        Action::EditInside(changes) => {
            for (index, change) in changes.iter().enumerate() {
                pieces.push(if index == 0 { "{" } else { "," });
                pieces.extend([change.literal.as_str(), ":"]);
                push_value(&change.action, pieces);
            }
            pieces.push("}");
        }
    }
}

/// The position of a slice in the document.
fn range_in(document: &str, slice: &str) -> Range<usize> {
    let start = slice.as_ptr().addr() - document.as_ptr().addr();
    start..start + slice.len()
}

fn splice(document: &str, mut splices: Vec<Splice<'_>>) -> Zeroizing<String> {
    splices.sort_by_key(|splice| splice.range.start);
    let pieces = splices.iter().flat_map(|splice| &splice.pieces);
    let added: usize = pieces.map(|piece| piece.len()).sum();
    let mut edited = Zeroizing::new(String::with_capacity(document.len() + added));
    let mut copied = 0;
    for Splice { range, pieces } in splices {
        edited.push_str(&document[copied..range.start]);
        edited.extend(pieces);
        copied = range.end;
    }
    edited.push_str(&document[copied..]);
    edited
}
