//! Reads references to values: `value`, and the members of `json`. A manifest never contains a value itself: text that looks
//! like one is rejected without being shown.

use std::collections::BTreeMap;

use serde_json::json;
use upsert_secret_core::json::KeyPath;

use super::keys::{Key, MEMBER, SOURCES};
use super::model::{Field, Member, Reference, content};
use super::reader::{NodeRef, Reader, find};
use super::tree::Content;

/// The reason `value-encoding` is rejected next to `secret` and `generate`.
pub(super) const NOT_ENCODED: &str = "is for `env` and `file` only: the value of another secret is used as \
                                      it is, and a generated value is text";

/// A reference, and how to read its value.
pub(super) struct ReadReference {
    pub(super) reference: Reference,
    pub(super) pointer: Option<KeyPath>,
    base64: bool,
    as_json: bool,
}

impl Reader<'_> {
    pub(super) fn read_members(&mut self, at: &NodeRef<'_>, merge: bool) -> Option<Vec<Member>> {
        if is_scalar(at.content) {
            self.reject(at, "contains a value, which a manifest must not; name the source of each key: `{ user: { env: NAME } }`");
            return None;
        }
        let wanted = "a mapping from keys to where they come from";
        let pairs = self.read_pairs(at, wanted, |_| "*")?;
        if matches!(at.content, Content::Mapping(pairs) if pairs.is_empty()) {
            self.reject(at, "is empty; it needs at least one key");
        }
        let mut members = Vec::with_capacity(pairs.len());
        let mut key_nodes = BTreeMap::new();
        for pair in &pairs {
            let key = KeyPath::parse(pair.key)
                .map_err(|why| self.reject(&pair.key_node, why.to_string()))
                .ok();
            if let Some(key) = &key
                && let Some(_) = key_nodes.insert(key.names().to_vec(), pair.key_node)
            {
                self.reject(&pair.key_node, "is the same key as another member");
            }
            let Some(read) = self.read_reference(&pair.value, MEMBER) else {
                continue;
            };
            if !merge && matches!(read.reference, Reference::Generate(_)) {
                self.reject(
                    &pair.value,
                    "is generated, which requires `merge: true`: without it, every run would write the \
                     whole document with a new value",
                );
            }
            members.extend(key.map(|key| Member {
                key,
                reference: read.reference,
                base64: read.base64,
                pointer: read.pointer,
                as_json: read.as_json,
                node: pair.value.id,
            }));
        }
        for (names, key_node) in &key_nodes {
            if (1..names.len()).any(|end| key_nodes.contains_key(&names[..end])) {
                self.reject(key_node, "is inside the key of another member");
            }
        }
        // Problems with them have already been reported, and an empty document is not composed.
        (!members.is_empty()).then_some(members)
    }

    pub(super) fn read_reference(
        &mut self,
        at: &NodeRef<'_>,
        keys: &'static [Key],
    ) -> Option<ReadReference> {
        if is_scalar(at.content) {
            self.reject(
                at,
                "contains a value, which a manifest must not; name its source: `{ env: NAME }`",
            );
            return None;
        }
        if matches!(at.content, Content::Null) {
            self.reject(at, "has no value; name its source: `{ env: NAME }`");
            return None;
        }
        let problems_before = self.problems.count();
        let pairs = self.read_known_pairs(at, keys)?;
        let fields = self.read_fields(&pairs);
        let is_source = |name: &str| SOURCES.iter().any(|key| key.name == name);
        let sources: Vec<&Field> = fields
            .iter()
            .filter(|field| is_source(field.name))
            .collect();
        let [source] = sources[..] else {
            // A misspelled key has already been reported.
            if self.problems.count() == problems_before || sources.len() > 1 {
                let sources = keys.iter().filter(|key| is_source(key.name));
                let names: Vec<_> = sources.map(|key| format!("`{}`", key.name)).collect();
                let why = format!("must have exactly one of {}", names.join(", "));
                self.reject(at, why);
            }
            return None;
        };
        let mut pointer_node = find(&pairs, "pointer");
        if let Some(pointer) = pointer_node
            && !matches!(source.name, "env" | "file" | "secret")
        {
            self.reject(
                pointer,
                format!(
                    "cannot be combined with `{}`; it is for `env`, `file` and `secret`, whose value can be a JSON document",
                    source.name
                ),
            );
            pointer_node = None;
        }
        if let Some(encoding) = find(&pairs, "value-encoding")
            && !matches!(source.name, "env" | "file")
        {
            self.reject(encoding, NOT_ENCODED);
        }
        let as_json = content(&fields, "json-value-as").is_some_and(|word| word == "json");
        if as_json && source.name == "generate" {
            self.reject(
                at,
                "is generated, and what is generated is text: `json-value-as: json` cannot be combined \
                 with it",
            );
        }
        let reference = json!({ source.name: source.content.as_ref()? });
        let pointer = match pointer_node {
            // An invalid pointer has already been reported.
            Some(_) => Some(KeyPath::parse(content(&fields, "pointer")?.as_str()?).ok()?),
            None => None,
        };
        Some(ReadReference {
            // Fails if a missing required key has been reported.
            reference: serde_json::from_value(reference).ok()?,
            pointer,
            base64: content(&fields, "value-encoding").is_some_and(|word| word == "base64"),
            as_json,
        })
    }
}

/// Whether a node looks like the value itself.
fn is_scalar(content: &Content<'_>) -> bool {
    matches!(
        content,
        Content::Text(_) | Content::Bool(_) | Content::Number(_)
    )
}
