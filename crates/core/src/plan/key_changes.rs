//! Describes how a write changes the keys of the stored document. Shows keys that the request names, and no values.

use super::document::Document;
use super::step::Plan;
use crate::json::{self, KeyPath};
use crate::outcome::counted;
use crate::request::Request;
use crate::value::{Kind, SecretValue};

/// The maximum number of keys listed by name.
const MAX_LISTED: usize = 20;

/// A noun phrase that lists keys by name.
pub(super) fn key_list(keys: &[&KeyPath]) -> String {
    let names: Vec<_> = keys
        .iter()
        .take(MAX_LISTED)
        .map(|key| key.to_string())
        .collect();
    let noun = if keys.len() == 1 { "key" } else { "keys" };
    let mut list = format!("{noun} {}", names.join(", "));
    if keys.len() > names.len() {
        list.push_str(&format!(" and {} more", keys.len() - names.len()));
    }
    list
}

/// How writing the request's document changes the keys of the stored one: `add the keys a, b; change the key c; remove 2 other
/// keys`. Keys that the request does not name are only counted. `None` if the value is not composed of keys, or the stored
/// value is not a document.
pub(super) fn changes(request: &Request, plan: &Plan, stored: &SecretValue) -> Option<String> {
    let keys = request.named_keys();
    let wanted = plan
        .document
        .as_ref()
        .map_or(&request.value, Document::value);
    if keys.is_empty() || stored.kind() == Kind::Binary {
        return None;
    }
    let found = json::difference(stored.expose(), wanted.expose(), &keys)?;
    let mut parts = Vec::new();
    if !found.added.is_empty() {
        parts.push(format!("add the {}", key_list(&found.added)));
    }
    if !found.changed.is_empty() {
        parts.push(format!("change the {}", key_list(&found.changed)));
    }
    if found.removed > 0 {
        parts.push(format!("remove {}", counted(found.removed, "other key")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
