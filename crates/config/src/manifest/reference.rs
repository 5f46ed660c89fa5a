//! Reading of references to values: `value`, and the members of `json`. A manifest never holds a value itself: what
//! looks like one is rejected, and not shown.

use std::collections::BTreeMap;

use serde_json::json;
use upsert_secret_core::json::KeyPath;

use super::keys::{Key, MEMBER, SOURCES};
use super::model::{Field, Member, Reference, content};
use super::reader::{NodeRef, Reader, find};
use super::tree::Content;

/// Why `value-encoding` is rejected beside `secret` and `generate`.
pub(super) const NOT_ENCODED: &str = "goes with `env` and `file` only: another secret is taken as it is, and a generated value is text";

/// A reference, and how its value is read.
pub(super) struct Qualified {
    pub(super) reference: Reference,
    base64: bool,
    as_json: bool,
}

impl Reader<'_> {
    pub(super) fn read_members(&mut self, at: &NodeRef<'_>, merge: bool) -> Option<Vec<Member>> {
        if is_scalar(at.content) {
            self.reject(at, "holds a value itself, which a manifest never does; say for each key where it comes from: `{ user: { env: NAME } }`");
            return None;
        }
        let wanted = "a mapping from keys to where they come from";
        let pairs = self.read_pairs(at, wanted, |_| "*")?;
        if matches!(at.content, Content::Mapping(pairs) if pairs.is_empty()) {
            self.reject(at, "is empty; it needs one key at least");
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
            let Some(qualified) = self.read_reference(&pair.value, MEMBER) else {
                continue;
            };
            if !merge && matches!(qualified.reference, Reference::Generate(_)) {
                self.reject(
                    &pair.value,
                    "is generated, which needs `merge: true`: without it the whole document is written, \
                     and this would be new in every run",
                );
            }
            members.extend(key.map(|key| Member {
                key,
                reference: qualified.reference,
                base64: qualified.base64,
                as_json: qualified.as_json,
                node: pair.value.id,
            }));
        }
        for (names, key_node) in &key_nodes {
            if (1..names.len()).any(|end| key_nodes.contains_key(&names[..end])) {
                self.reject(key_node, "is inside the key of another member");
            }
        }
        Some(members)
    }

    pub(super) fn read_reference(
        &mut self,
        at: &NodeRef<'_>,
        keys: &'static [Key],
    ) -> Option<Qualified> {
        if is_scalar(at.content) {
            self.reject(at, "holds a value itself, which a manifest never does; say where it comes from: `{ env: NAME }`");
            return None;
        }
        if matches!(at.content, Content::Null) {
            self.reject(at, "has no value; say where it comes from: `{ env: NAME }`");
            return None;
        }
        let problems_before = self.problems.count();
        let pairs = self.read_known_pairs(at, keys)?;
        let fields = self.read_fields(&pairs);
        let is_source = |field: &&Field| SOURCES.iter().any(|key| key.name == field.name);
        let sources: Vec<_> = fields.iter().filter(is_source).collect();
        let [source] = sources[..] else {
            // A misspelled key has been reported already.
            if self.problems.count() == problems_before || sources.len() > 1 {
                self.reject(
                    at,
                    "must have exactly one of `env`, `file`, `secret` and `generate`",
                );
            }
            return None;
        };
        if let Some(encoding) = find(&pairs, "value-encoding")
            && !matches!(source.name, "env" | "file")
        {
            self.reject(encoding, NOT_ENCODED);
        }
        let as_json = content(&fields, "json-value-as").is_some_and(|word| word == "json");
        if as_json && source.name == "generate" {
            self.reject(
                at,
                "is generated, and what is generated is text: `json-value-as: json` does not go with it",
            );
        }
        let reference = json!({ source.name: source.content.as_ref()? });
        Some(Qualified {
            // Fails where a required key has been reported.
            reference: serde_json::from_value(reference).ok()?,
            base64: content(&fields, "value-encoding").is_some_and(|word| word == "base64"),
            as_json,
        })
    }
}

/// Whether a node is what a value itself would look like.
fn is_scalar(content: &Content<'_>) -> bool {
    matches!(
        content,
        Content::Text(_) | Content::Bool(_) | Content::Number(_)
    )
}
