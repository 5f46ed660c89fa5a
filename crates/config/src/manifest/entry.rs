//! Reading of the top level of a manifest: `defaults`, and the entries of `secrets` with the keys that belong together.
//! Checks no input.

use std::collections::HashSet;
use std::sync::Arc;

use super::keys::{FILE, Key, NOT_WITH_JSON, Shape};
use super::model::{Entry, Inputs, Manifest, Reference, ValueSpec};
use super::problem::{NodePath, printable_name};
use super::reader::{Pair, Reader};
use super::reference::NOT_ENCODED;
use super::tree::Node;

impl Reader<'_> {
    /// Reads a whole manifest; one with problems in part.
    pub(super) fn read_manifest(&mut self, tree: &Node<'_>) -> Manifest {
        let path = NodePath::ROOT;
        let parts = self.read_known_pairs(tree, &path, FILE).unwrap_or_default();
        let mut defaults = Inputs::default();
        for &(index, key, node) in &parts {
            if let Shape::Defaults(keys) = key.shape {
                defaults = self.read_defaults(node, &path.value(index, key.name), keys);
            }
        }
        let defaults = Arc::new(defaults);
        let mut manifest = Manifest {
            all_or_nothing: None,
            entries: Vec::new(),
        };
        for (index, key, node) in parts {
            let child_path = path.value(index, key.name);
            match key.shape {
                Shape::Entries(keys) => {
                    manifest.entries = self.read_entries(node, &child_path, keys, &defaults);
                }
                Shape::Flag => manifest.all_or_nothing = self.read_flag(node, &child_path),
                Shape::Text => {
                    self.read_text(node, &child_path);
                }
                _ => {}
            }
        }
        manifest
    }

    fn read_defaults(
        &mut self,
        node: &Node<'_>,
        path: &NodePath<'_>,
        keys: &'static [Key],
    ) -> Inputs {
        let mut inputs = Inputs::default();
        for (index, key, node) in self.read_known_pairs(node, path, keys).unwrap_or_default() {
            if key.in_defaults {
                self.read_input(key, node, &path.value(index, key.name), &mut inputs);
            } else {
                let why = format!("has the key `{}`, which is for one secret alone", key.name);
                self.problems.add(&path.key(index, ""), why);
            }
        }
        inputs
    }

    fn read_entries(
        &mut self,
        node: &Node<'_>,
        path: &NodePath<'_>,
        keys: &'static [Key],
        defaults: &Arc<Inputs>,
    ) -> Vec<Entry> {
        let pairs = self.read_pairs(
            node,
            path,
            "a mapping from names of secrets to what they hold",
        );
        if matches!(node, Node::Mapping(pairs) if pairs.is_empty()) {
            self.problems
                .add(path, "is empty; it needs one secret at least");
        }
        let mut names = HashSet::new();
        let mut entries = Vec::new();
        for (index, raw_name, node) in pairs.unwrap_or_default() {
            let label = printable_name(raw_name);
            let key_path = path.key(index, label);
            let name = if raw_name.trim().is_empty() {
                self.problems.add(&key_path, "has no name");
                None
            } else {
                self.expand(raw_name, &key_path)
            };
            if let Some(name) = &name
                && !names.insert(name.clone().into_owned())
            {
                self.problems.add(
                    &key_path,
                    "is the name of another entry too once variables are replaced",
                );
            }
            let content = self.read_entry(node, &path.value(index, label), keys, defaults);
            if let (Some(name), Some((spec, own))) = (name, content) {
                entries.push(Entry {
                    name: name.into_owned(),
                    spec,
                    index,
                    own,
                    defaults: Arc::clone(defaults),
                });
            }
        }
        entries
    }

    fn read_entry(
        &mut self,
        node: &Node<'_>,
        path: &NodePath<'_>,
        keys: &'static [Key],
        defaults: &Inputs,
    ) -> Option<(ValueSpec, Inputs)> {
        let mut own = Inputs::default();
        let pairs = self.read_known_pairs(node, path, keys)?;
        let find = |name| pairs.iter().find(|(_, key, _)| key.name == name).copied();
        let (value, json, merge) = (find("value"), find("json"), find("merge"));
        let merge = merge.map(|(index, key, node)| {
            let child_path = path.value(index, key.name);
            if json.is_none() {
                self.problems.add(
                    &child_path,
                    "is given, but no `json` whose keys could be merged",
                );
            }
            self.read_flag(node, &child_path)
        });
        let merge = merge.flatten().unwrap_or(false);
        for &(index, key, node) in &pairs {
            let child_path = path.value(index, key.name);
            if !matches!(key.name, "value" | "json" | "merge") {
                self.read_input(key, node, &child_path, &mut own);
            }
        }
        if value.is_some() == json.is_some() {
            self.problems
                .add(path, "must have exactly one of `value` and `json`");
        }
        let value = value.and_then(|(index, key, node)| {
            let reference = self.read_value(node, &path.value(index, key.name));
            if matches!(
                reference,
                Some(Reference::Secret(_) | Reference::Generate(_))
            ) && let Some((index, key, _)) = find("value-encoding")
            {
                self.problems.add(&path.value(index, key.name), NOT_ENCODED);
            }
            reference.map(ValueSpec::Value)
        });
        let json = json.and_then(|(index, key, node)| {
            let child_path = path.value(index, key.name);
            self.check_beside_json(
                path,
                &child_path,
                &pairs,
                own.text("store-as").or(defaults.text("store-as")),
            );
            let members = self.read_members(node, &child_path, merge)?;
            Some(ValueSpec::Json { members, merge })
        });
        Some((value.or(json)?, own))
    }

    /// Rejects keys and inputs that cannot be combined with `json`.
    fn check_beside_json(
        &mut self,
        path: &NodePath<'_>,
        json: &NodePath<'_>,
        pairs: &[Pair<'_, &'static Key>],
        store_as: Option<&str>,
    ) {
        for (index, key, _) in pairs {
            let why = NOT_WITH_JSON.iter().find(|(name, _)| *name == key.name);
            if let Some((_, why)) = why {
                self.problems.add(&path.value(*index, key.name), *why);
            }
        }
        if store_as == Some("binary") {
            self.problems
                .add(json, "is text, which does not go with `store-as: binary`");
        }
    }
}
