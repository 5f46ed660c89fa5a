//! The reader of a manifest's tree, and what all keys have in common: mappings without duplicate or unknown keys, kinds
//! of scalars. The other modules add what their keys hold.

use std::borrow::Cow;
use std::collections::HashSet;

use super::expand::Expander;
use super::keys::{ENTRY, Key, nearest_key};
use super::problem::{NodePath, Problems};
use super::tree::Node;
use crate::inputs::{self, Input};

/// Reads a tree and collects its problems.
pub(super) struct Reader<'l> {
    pub(super) problems: Problems,
    expander: Expander<'l>,
}

/// A pair of a mapping: its index, key and value.
pub(super) type Pair<'n, K> = (usize, K, &'n Node<'n>);

impl<'l> Reader<'l> {
    pub(super) fn new(lookup: &'l dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            problems: Problems::default(),
            expander: Expander::new(lookup),
        }
    }

    /// The pairs of a mapping with keys that are text and no duplicates.
    pub(super) fn read_pairs<'n>(
        &mut self,
        node: &'n Node<'n>,
        path: &NodePath<'_>,
        wanted: &str,
    ) -> Option<Vec<Pair<'n, &'n str>>> {
        let Node::Mapping(all) = node else {
            self.reject_kind(node, path, wanted);
            return None;
        };
        let mut seen = HashSet::new();
        let mut pairs = Vec::with_capacity(all.len());
        for (index, (key, value)) in all.iter().enumerate() {
            let why = match key {
                Node::Text(key) if key == "<<" => {
                    "has a YAML merge key (`<<`), which a manifest does not use; `defaults` holds what all secrets share"
                }
                Node::Text(key) if seen.insert(key.as_ref()) => {
                    pairs.push((index, key.as_ref(), value));
                    continue;
                }
                Node::Text(_) => "has this key twice",
                Node::Tagged => TAGGED,
                _ => "has a key that is not text; a number, `true` or `null` needs quotes",
            };
            self.problems.add(&path.key(index, ""), why);
        }
        Some(pairs)
    }

    /// The pairs of a mapping with the given keys.
    pub(super) fn read_known_pairs<'n>(
        &mut self,
        node: &'n Node<'n>,
        path: &NodePath<'_>,
        keys: &'static [Key],
    ) -> Option<Vec<Pair<'n, &'static Key>>> {
        let names: Vec<_> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
        let wanted = match names.len() {
            ..=4 => format!("a mapping with the keys {}", names.join(", ")),
            _ => "a mapping".to_owned(),
        };
        let mut known = Vec::new();
        for (index, name, node) in self.read_pairs(node, path, &wanted)? {
            match keys.iter().find(|key| key.name == name) {
                Some(key) => known.push((index, key, node)),
                None => {
                    let why = describe_unknown(name, keys);
                    self.problems.add(&path.key(index, ""), why);
                }
            }
        }
        for key in keys.iter().filter(|key| key.required) {
            if !known.iter().any(|(_, present, _)| present.name == key.name) {
                self.problems
                    .add(path, format!("lacks the key `{}`", key.name));
            }
        }
        Some(known)
    }

    /// Text that is not blank.
    pub(super) fn read_text<'n>(
        &mut self,
        node: &'n Node<'n>,
        path: &NodePath<'_>,
    ) -> Option<&'n str> {
        let text = self.read_any_text(node, path)?;
        if text.trim().is_empty() {
            self.problems
                .add(path, "is empty; give it text, or leave the key out");
            return None;
        }
        Some(text)
    }

    /// Text that may be empty.
    pub(super) fn read_any_text<'n>(
        &mut self,
        node: &'n Node<'n>,
        path: &NodePath<'_>,
    ) -> Option<&'n str> {
        match node {
            Node::Text(text) => return Some(text),
            Node::Bool(_) | Node::Number(_) => self.problems.add(
                path,
                "must be text, and a number, `true` or `false` needs quotes to be text",
            ),
            _ => self.reject_kind(node, path, "text"),
        }
        None
    }

    /// Text that is not blank, with its variables replaced.
    pub(super) fn read_expanded<'n>(
        &mut self,
        node: &'n Node<'n>,
        path: &NodePath<'_>,
    ) -> Option<Cow<'n, str>> {
        let text = self.read_text(node, path)?;
        self.expand(text, path)
    }

    /// The text with its variables replaced.
    pub(super) fn expand<'t>(
        &mut self,
        text: &'t str,
        path: &NodePath<'_>,
    ) -> Option<Cow<'t, str>> {
        self.expander
            .expand(text)
            .map_err(|why| self.problems.add(path, why))
            .ok()
    }

    pub(super) fn read_flag(&mut self, node: &Node<'_>, path: &NodePath<'_>) -> Option<bool> {
        let Node::Bool(flag) = node else {
            self.reject_kind(node, path, "`true` or `false`, without quotes");
            return None;
        };
        Some(*flag)
    }

    pub(super) fn read_choice(
        &mut self,
        words: &[&'static str],
        node: &Node<'_>,
        path: &NodePath<'_>,
    ) -> Option<&'static str> {
        if let Node::Text(text) = node
            && let Some(word) = words.iter().find(|word| *word == text)
        {
            return Some(word);
        }
        let list: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
        self.reject_kind(node, path, &list.join(" or "));
        None
    }

    /// Adds the problem that a node is of another kind.
    pub(super) fn reject_kind(&mut self, node: &Node<'_>, path: &NodePath<'_>, wanted: &str) {
        match node {
            Node::Null => self.problems.add(path, NO_VALUE),
            Node::Tagged => self.problems.add(path, TAGGED),
            _ => self.problems.add(path, format!("must be {wanted}")),
        }
    }
}

const NO_VALUE: &str = "has no value; give it one, or leave the key out";
pub(super) const TAGGED: &str =
    "has a YAML tag (`!…`), which a manifest does not use; text that begins with `!` needs quotes";

/// Why a key is rejected. An unknown one is not shown: it may be the value, given by mistake.
fn describe_unknown(name: &str, keys: &'static [Key]) -> String {
    if let Some(nearest) = nearest_key(name, keys) {
        return format!("has a key that it cannot have; did you mean `{nearest}`?");
    }
    if let Some(key) = ENTRY.iter().find(|key| key.name == name) {
        return format!(
            "has the key `{}`, which belongs into the entry of a secret, not here",
            key.name
        );
    }
    match inputs::all().iter().find(|input| input.name == name) {
        Some(Input {
            name: name @ ("value-env" | "value-file"),
            ..
        }) => format!(
            "has the key `{name}`; in a manifest that is `value: {{ env: NAME }}` or `value: {{ file: PATH }}`"
        ),
        Some(Input { name, .. }) => {
            format!("has the key `{name}`, which is an input of the run, not of a manifest")
        }
        None => "has a key that it cannot have".to_owned(),
    }
}
