//! Reads the top level of a manifest: `defaults`, and the entries of `secrets` with their related keys. Must not check inputs.

use std::collections::HashSet;
use std::sync::Arc;

use super::keys::{ENTRY, FILE, Key, NOT_WITH_DOTENV, NOT_WITH_JSON, VALUE};
use super::model::{Entry, Field, Manifest, Reference, ValueSpec, content};
use super::problem::printable_name;
use super::reader::{NodeRef, Pair, Reader, find};
use super::reference::{NOT_ENCODED, ReadReference};
use super::tree::{Content, Node};

const NOTHING_TO_MERGE: &str = "is set, but neither `json` nor `dotenv`, whose keys it merges";

impl Reader<'_> {
    /// Reads a complete manifest; if there are problems, only its valid parts.
    pub(super) fn read_manifest(&mut self, tree: &Node<'_>) -> Manifest {
        let root = NodeRef::root(tree);
        let pairs = self.read_known_pairs(&root, FILE).unwrap_or_default();
        let defaults = find(&pairs, "defaults").map(|at| self.read_defaults(at));
        let defaults = Arc::new(defaults.unwrap_or_default());
        let entries = find(&pairs, "secrets").map(|at| self.read_entries(at, &defaults));
        if let Some(schema) = find(&pairs, "$schema") {
            self.read_text(schema);
        }
        Manifest {
            all_or_nothing: find(&pairs, "all-or-nothing").and_then(|at| self.read_flag(at)),
            entries: entries.unwrap_or_default(),
        }
    }

    fn read_defaults(&mut self, at: &NodeRef<'_>) -> Vec<Field> {
        let mut pairs = self.read_known_pairs(at, ENTRY).unwrap_or_default();
        pairs.retain(|Pair { key, key_node, .. }| {
            if !key.in_defaults {
                let why = format!(
                    "has the key `{}`, which applies to a single secret",
                    key.name
                );
                self.reject(key_node, why);
            }
            key.in_defaults
        });
        self.read_fields(&pairs)
    }

    fn read_entries(&mut self, at: &NodeRef<'_>, defaults: &Arc<Vec<Field>>) -> Vec<Entry> {
        let wanted = "a mapping from names of secrets to what they hold";
        let pairs = self.read_pairs(at, wanted, printable_name);
        if matches!(at.content, Content::Mapping(pairs) if pairs.is_empty()) {
            self.reject(at, "is empty; it needs at least one secret");
        }
        let mut names = HashSet::new();
        let mut entries = Vec::new();
        for pair in pairs.unwrap_or_default() {
            let name = if pair.key.trim().is_empty() {
                self.reject(&pair.key_node, "has no name");
                None
            } else {
                self.expand(pair.key, &pair.key_node)
            };
            if let Some(name) = &name
                && !names.insert(name.clone())
            {
                self.reject(
                    &pair.key_node,
                    "has the same name as another entry once variables are replaced",
                );
            }
            let Some(pairs) = self.read_known_pairs(&pair.value, ENTRY) else {
                continue;
            };
            let own = self.read_fields(&pairs);
            let spec = self.read_spec(&pair.value, &pairs, &own, defaults);
            if let (Some(name), Some(spec)) = (name, spec) {
                entries.push(Entry {
                    name,
                    spec,
                    path: pair.key_node.path(),
                    node: pair.key_node.id,
                    own,
                    defaults: Arc::clone(defaults),
                });
            }
        }
        entries
    }

    /// Reads `value` or `json`, depending on the entry.
    fn read_spec(
        &mut self,
        at: &NodeRef<'_>,
        pairs: &[Pair<'_, &'static Key>],
        own: &[Field],
        defaults: &[Field],
    ) -> Option<ValueSpec> {
        let (value, json) = (find(pairs, "value"), find(pairs, "json"));
        let merge = content(own, "merge").is_some_and(|flag| *flag == true);
        if value.is_some() == json.is_some() {
            self.reject(at, "must have exactly one of `value` and `json`");
        }
        let value = value.and_then(|value| {
            let read = self.read_reference(value, VALUE);
            let ReadReference {
                reference, pointer, ..
            } = read?;
            let is_dotenv = matches!(reference, Reference::Dotenv(_));
            if let Some(merge) = find(pairs, "merge")
                && json.is_none()
                && !is_dotenv
            {
                self.reject(merge, NOTHING_TO_MERGE);
            }
            if is_dotenv {
                self.reject_keys(pairs, NOT_WITH_DOTENV);
                self.reject_binary(value, own, defaults);
                return Some(ValueSpec::Dotenv { reference, merge });
            }
            if matches!(reference, Reference::Secret(_) | Reference::Generate(_))
                && let Some(encoding) = find(pairs, "value-encoding")
            {
                self.reject(encoding, NOT_ENCODED);
            }
            Some(ValueSpec::Value { reference, pointer })
        });
        let json = json.and_then(|json| {
            self.reject_keys(pairs, NOT_WITH_JSON);
            self.reject_binary(json, own, defaults);
            let members = self.read_members(json, merge)?;
            Some(ValueSpec::Json { members, merge })
        });
        value.or(json)
    }

    fn reject_keys(&mut self, pairs: &[Pair<'_, &'static Key>], rejected: &[(&str, &'static str)]) {
        for (name, why) in rejected {
            if let Some(at) = find(pairs, name) {
                self.reject(at, *why);
            }
        }
    }

    /// Rejects a document in an entry that requests a binary secret.
    fn reject_binary(&mut self, at: &NodeRef<'_>, own: &[Field], defaults: &[Field]) {
        if content(own.iter().chain(defaults), "store-as").is_some_and(|word| word == "binary") {
            self.reject(
                at,
                "is text, which cannot be combined with `store-as: binary`",
            );
        }
    }
}
