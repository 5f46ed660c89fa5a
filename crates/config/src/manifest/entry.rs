//! The file from the top: `defaults`, and the entries of `secrets` with what goes together in one.

use std::collections::HashSet;
use std::sync::Arc;

use super::given::{Entry, Inputs, Manifest, Reference, ValueSpec};
use super::keys::{FILE, Key, NOT_WITH_JSON, Shape};
use super::problem::{At, shown};
use super::reader::{Pair, Reader};
use super::reference::NOT_ENCODED;
use super::tree::Node;

impl Reader<'_> {
    /// Reads the whole file. What it makes of one with problems is not complete.
    pub(super) fn manifest(&mut self, tree: &Node<'_>) -> Manifest {
        let at = At::ROOT;
        let parts = self.known(tree, &at, FILE).unwrap_or_default();
        let mut defaults = Inputs::default();
        for &(nth, key, node) in &parts {
            if let Shape::Defaults(keys) = key.shape {
                defaults = self.defaults(node, &at.value(nth, key.name), keys);
            }
        }
        let defaults = Arc::new(defaults);
        let mut manifest = Manifest {
            all_or_nothing: None,
            entries: Vec::new(),
        };
        for (nth, key, node) in parts {
            let here = at.value(nth, key.name);
            match key.shape {
                Shape::Entries(keys) => {
                    manifest.entries = self.entries(node, &here, keys, &defaults);
                }
                Shape::Flag => manifest.all_or_nothing = self.flag(node, &here),
                Shape::Text => {
                    self.text(node, &here);
                }
                _ => {}
            }
        }
        manifest
    }

    fn defaults(&mut self, node: &Node<'_>, at: &At<'_>, keys: &'static [Key]) -> Inputs {
        let mut inputs = Inputs::default();
        for (nth, key, node) in self.known(node, at, keys).unwrap_or_default() {
            if key.in_defaults {
                self.input(key, node, &at.value(nth, key.name), &mut inputs);
            } else {
                let why = format!("has the key `{}`, which is for one secret alone", key.name);
                self.problems.add(&at.key(nth, ""), why);
            }
        }
        inputs
    }

    fn entries(
        &mut self,
        node: &Node<'_>,
        at: &At<'_>,
        keys: &'static [Key],
        defaults: &Arc<Inputs>,
    ) -> Vec<Entry> {
        let pairs = self.pairs(
            node,
            at,
            "a mapping from names of secrets to what they hold",
        );
        if matches!(node, Node::Mapping(pairs) if pairs.is_empty()) {
            self.problems
                .add(at, "is empty; it needs one secret at least");
        }
        let mut names = HashSet::new();
        let mut targets = Vec::new();
        for (nth, written, node) in pairs.unwrap_or_default() {
            let shown = shown(written);
            let of_key = at.key(nth, shown);
            let name = if written.trim().is_empty() {
                self.problems.add(&of_key, "has no name");
                None
            } else {
                self.replaced(written, &of_key)
            };
            if let Some(name) = &name
                && !names.insert(name.clone().into_owned())
            {
                self.problems.add(
                    &of_key,
                    "is the name of another entry too once variables are replaced",
                );
            }
            let found = self.entry(node, &at.value(nth, shown), keys, defaults);
            if let (Some(name), Some((given, own))) = (name, found) {
                targets.push(Entry {
                    name: name.into_owned(),
                    spec: given,
                    nth,
                    own,
                    defaults: Arc::clone(defaults),
                });
            }
        }
        targets
    }

    fn entry(
        &mut self,
        node: &Node<'_>,
        at: &At<'_>,
        keys: &'static [Key],
        defaults: &Inputs,
    ) -> Option<(ValueSpec, Inputs)> {
        let mut own = Inputs::default();
        let pairs = self.known(node, at, keys)?;
        let find = |name| pairs.iter().find(|(_, key, _)| key.name == name).copied();
        let (value, json, merge) = (find("value"), find("json"), find("merge"));
        let merge = merge.map(|(nth, key, node)| {
            let here = at.value(nth, key.name);
            if json.is_none() {
                self.problems
                    .add(&here, "is given, but no `json` whose keys could be merged");
            }
            self.flag(node, &here)
        });
        let merge = merge.flatten().unwrap_or(false);
        for &(nth, key, node) in &pairs {
            let here = at.value(nth, key.name);
            if !matches!(key.name, "value" | "json" | "merge") {
                self.input(key, node, &here, &mut own);
            }
        }
        if value.is_some() == json.is_some() {
            self.problems
                .add(at, "must have exactly one of `value` and `json`");
        }
        let value = value.and_then(|(nth, key, node)| {
            let reference = self.value(node, &at.value(nth, key.name));
            if matches!(
                reference,
                Some(Reference::Secret(_) | Reference::Generate(_))
            ) && let Some((nth, key, _)) = find("value-encoding")
            {
                self.problems.add(&at.value(nth, key.name), NOT_ENCODED);
            }
            reference.map(ValueSpec::Value)
        });
        let json = json.and_then(|(nth, key, node)| {
            let here = at.value(nth, key.name);
            self.refuse_beside_json(
                at,
                &here,
                &pairs,
                own.text("store-as").or(defaults.text("store-as")),
            );
            let members = self.members(node, &here, merge)?;
            Some(ValueSpec::Json { members, merge })
        });
        Some((value.or(json)?, own))
    }

    fn refuse_beside_json(
        &mut self,
        at: &At<'_>,
        json: &At<'_>,
        pairs: &[Pair<'_, &'static Key>],
        store_as: Option<&str>,
    ) {
        for (nth, key, _) in pairs {
            let why = NOT_WITH_JSON.iter().find(|(name, _)| *name == key.name);
            if let Some((_, why)) = why {
                self.problems.add(&at.value(*nth, key.name), *why);
            }
        }
        if store_as == Some("binary") {
            self.problems
                .add(json, "is text, which does not go with `store-as: binary`");
        }
    }
}
