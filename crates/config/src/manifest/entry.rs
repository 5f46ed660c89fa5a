//! Reading of the top level of a manifest: `defaults`, and the entries of `secrets` with the keys that belong together.
//! Checks no input.

use std::collections::HashSet;
use std::sync::Arc;

use super::keys::{FILE, Key, NOT_WITH_JSON, Shape};
use super::model::{Entry, Inputs, Manifest, Reference, ValueSpec};
use super::problem::{NodePath, printable_name};
use super::reader::{NodeRef, Pair, Reader};
use super::reference::NOT_ENCODED;
use super::tree::Node;

impl Reader<'_> {
    /// Reads a whole manifest; one with problems in part.
    pub(super) fn read_manifest(&mut self, tree: &Node<'_>) -> Manifest {
        let root = NodeRef {
            node: tree,
            path: NodePath::ROOT,
        };
        let pairs = self.read_known_pairs(&root, FILE).unwrap_or_default();
        let mut defaults = Inputs::default();
        for Pair { key, value, .. } in &pairs {
            if let Shape::Defaults(keys) = key.shape {
                defaults = self.read_defaults(value, keys);
            }
        }
        let defaults = Arc::new(defaults);
        let mut manifest = Manifest {
            all_or_nothing: None,
            entries: Vec::new(),
        };
        for Pair { key, value, .. } in &pairs {
            match key.shape {
                Shape::Entries(keys) => {
                    manifest.entries = self.read_entries(value, keys, &defaults);
                }
                Shape::Flag => manifest.all_or_nothing = self.read_flag(value),
                Shape::Text => {
                    self.read_text(value);
                }
                _ => {}
            }
        }
        manifest
    }

    fn read_defaults(&mut self, at: &NodeRef<'_>, keys: &'static [Key]) -> Inputs {
        let mut inputs = Inputs::default();
        for pair in self.read_known_pairs(at, keys).unwrap_or_default() {
            if pair.key.in_defaults {
                self.read_input(pair.key, &pair.value, &mut inputs);
            } else {
                let why = format!(
                    "has the key `{}`, which is for one secret alone",
                    pair.key.name
                );
                self.problems.add(&pair.key_path, why);
            }
        }
        inputs
    }

    fn read_entries(
        &mut self,
        at: &NodeRef<'_>,
        keys: &'static [Key],
        defaults: &Arc<Inputs>,
    ) -> Vec<Entry> {
        let wanted = "a mapping from names of secrets to what they hold";
        let pairs = self.read_pairs(at, wanted, printable_name);
        if matches!(at.node, Node::Mapping(pairs) if pairs.is_empty()) {
            self.reject(at, "is empty; it needs one secret at least");
        }
        let mut names = HashSet::new();
        let mut entries = Vec::new();
        for pair in pairs.unwrap_or_default() {
            let name = if pair.key.trim().is_empty() {
                self.problems.add(&pair.key_path, "has no name");
                None
            } else {
                self.expand(pair.key, &pair.key_path)
            };
            if let Some(name) = &name
                && !names.insert(name.clone().into_owned())
            {
                self.problems.add(
                    &pair.key_path,
                    "is the name of another entry too once variables are replaced",
                );
            }
            let content = self.read_entry(&pair.value, keys, defaults);
            if let (Some(name), Some((spec, own))) = (name, content) {
                entries.push(Entry {
                    name: name.into_owned(),
                    spec,
                    index: pair.value.path.step.index,
                    own,
                    defaults: Arc::clone(defaults),
                });
            }
        }
        entries
    }

    fn read_entry(
        &mut self,
        at: &NodeRef<'_>,
        keys: &'static [Key],
        defaults: &Inputs,
    ) -> Option<(ValueSpec, Inputs)> {
        let pairs = self.read_known_pairs(at, keys)?;
        let find = |name| pairs.iter().find(|pair| pair.key.name == name);
        let (value, json, merge) = (find("value"), find("json"), find("merge"));
        if let (None, Some(merge)) = (json, merge) {
            self.reject(
                &merge.value,
                "is given, but no `json` whose keys could be merged",
            );
        }
        let merge = merge.and_then(|merge| self.read_flag(&merge.value)) == Some(true);
        let mut own = Inputs::default();
        for pair in &pairs {
            if !matches!(pair.key.name, "value" | "json" | "merge") {
                self.read_input(pair.key, &pair.value, &mut own);
            }
        }
        if value.is_some() == json.is_some() {
            self.reject(at, "must have exactly one of `value` and `json`");
        }
        let value = value.and_then(|value| {
            let reference = self.read_value(&value.value)?;
            if matches!(reference, Reference::Secret(_) | Reference::Generate(_))
                && let Some(encoding) = find("value-encoding")
            {
                self.reject(&encoding.value, NOT_ENCODED);
            }
            Some(ValueSpec::Value(reference))
        });
        let json = json.and_then(|json| {
            for pair in &pairs {
                let why = NOT_WITH_JSON
                    .iter()
                    .find(|(name, _)| *name == pair.key.name);
                if let Some((_, why)) = why {
                    self.reject(&pair.value, *why);
                }
            }
            if own.text("store-as").or(defaults.text("store-as")) == Some("binary") {
                self.reject(
                    &json.value,
                    "is text, which does not go with `store-as: binary`",
                );
            }
            let members = self.read_members(&json.value, merge)?;
            Some(ValueSpec::Json { members, merge })
        });
        Some((value.or(json)?, own))
    }
}
