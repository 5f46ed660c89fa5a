//! The reader of a manifest's tree, and what all keys have in common: mappings without duplicate or unknown keys, kinds
//! of scalars. The other modules add what their keys hold.

use std::borrow::Cow;
use std::collections::HashSet;

use super::expand::Expander;
use super::keys::{ENTRY, Key, nearest_key};
use super::problem::{NodePath, Problems};
use super::tree::Node;
use crate::inputs::{self, Input};

const NO_VALUE: &str = "has no value; give it one, or leave the key out";
pub(super) const TAGGED: &str =
    "has a YAML tag (`!…`), which a manifest does not use; text that begins with `!` needs quotes";

/// A node and the path to it.
#[derive(Clone, Copy)]
pub(super) struct NodeRef<'a> {
    pub(super) node: &'a Node<'a>,
    pub(super) path: NodePath<'a>,
}

impl<'a> NodeRef<'a> {
    /// The items of a list; none if the node is not one.
    pub(super) fn items(&'a self) -> impl Iterator<Item = Self> {
        let items = match self.node {
            Node::List(items) => &items[..],
            _ => &[],
        };
        items.iter().enumerate().map(|(index, node)| Self {
            node,
            path: self.path.value(index, ""),
        })
    }
}

/// A pair of a mapping.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a, K> {
    pub(super) key: K,
    pub(super) key_path: NodePath<'a>,
    pub(super) value: NodeRef<'a>,
}

/// Reads a tree and collects its problems.
pub(super) struct Reader<'l> {
    pub(super) problems: Problems,
    expander: Expander<'l>,
}

impl<'l> Reader<'l> {
    pub(super) fn new(lookup: &'l dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            problems: Problems::default(),
            expander: Expander::new(lookup),
        }
    }

    /// Adds a problem of a node.
    pub(super) fn reject(&mut self, at: &NodeRef<'_>, why: impl Into<String>) {
        self.problems.add(&at.path, why);
    }

    /// Adds the problem that a node is of another kind.
    pub(super) fn reject_kind(&mut self, at: &NodeRef<'_>, wanted: &str) {
        match at.node {
            Node::Null => self.reject(at, NO_VALUE),
            Node::Tagged => self.reject(at, TAGGED),
            _ => self.reject(at, format!("must be {wanted}")),
        }
    }

    /// The pairs of a mapping with keys that are text and no duplicates. `label` is what messages show of a key.
    pub(super) fn read_pairs<'a>(
        &mut self,
        at: &'a NodeRef<'a>,
        wanted: &str,
        label: fn(&str) -> &str,
    ) -> Option<Vec<Pair<'a, &'a str>>> {
        let Node::Mapping(all) = at.node else {
            self.reject_kind(at, wanted);
            return None;
        };
        let mut seen = HashSet::new();
        let mut pairs = Vec::with_capacity(all.len());
        for (index, (key, node)) in all.iter().enumerate() {
            let why = match key {
                Node::Text(key) if key == "<<" => {
                    "has a YAML merge key (`<<`), which a manifest does not use; `defaults` holds what all secrets share"
                }
                Node::Text(key) if seen.insert(key.as_ref()) => {
                    let path = at.path.value(index, label(key));
                    pairs.push(Pair {
                        key: key.as_ref(),
                        key_path: at.path.key(index, label(key)),
                        value: NodeRef { node, path },
                    });
                    continue;
                }
                Node::Text(_) => "has this key twice",
                Node::Tagged => TAGGED,
                _ => "has a key that is not text; a number, `true` or `null` needs quotes",
            };
            self.problems.add(&at.path.key(index, ""), why);
        }
        Some(pairs)
    }

    /// The pairs of a mapping with the given keys.
    pub(super) fn read_known_pairs<'a>(
        &mut self,
        at: &'a NodeRef<'a>,
        keys: &'static [Key],
    ) -> Option<Vec<Pair<'a, &'static Key>>> {
        let names: Vec<_> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
        let wanted = match names.len() {
            ..=4 => format!("a mapping with the keys {}", names.join(", ")),
            _ => "a mapping".to_owned(),
        };
        let mut known: Vec<Pair<'a, &'static Key>> = Vec::new();
        for Pair {
            key: name,
            key_path,
            mut value,
        } in self.read_pairs(at, &wanted, |_| "")?
        {
            let Some(key) = keys.iter().find(|key| key.name == name) else {
                self.problems.add(&key_path, describe_unknown(name, keys));
                continue;
            };
            value.path.label = key.name;
            known.push(Pair {
                key,
                key_path,
                value,
            });
        }
        for key in keys.iter().filter(|key| key.required) {
            if !known.iter().any(|pair| pair.key.name == key.name) {
                self.reject(at, format!("lacks the key `{}`", key.name));
            }
        }
        Some(known)
    }

    /// Text that is not blank.
    pub(super) fn read_text<'a>(&mut self, at: &NodeRef<'a>) -> Option<&'a str> {
        let text = self.read_any_text(at)?;
        if text.trim().is_empty() {
            self.reject(at, "is empty; give it text, or leave the key out");
            return None;
        }
        Some(text)
    }

    /// Text that may be empty.
    pub(super) fn read_any_text<'a>(&mut self, at: &NodeRef<'a>) -> Option<&'a str> {
        match at.node {
            Node::Text(text) => return Some(text),
            Node::Bool(_) | Node::Number(_) => self.reject(
                at,
                "must be text, and a number, `true` or `false` needs quotes to be text",
            ),
            _ => self.reject_kind(at, "text"),
        }
        None
    }

    /// Text without white space around it, as in the environment: a block of text ends with a line ending that is no
    /// part of it.
    pub(super) fn read_trimmed(&mut self, at: &NodeRef<'_>) -> Option<String> {
        self.read_text(at).map(|text| text.trim().to_owned())
    }

    /// Text that is not blank, with its variables replaced.
    pub(super) fn read_expanded<'a>(&mut self, at: &NodeRef<'a>) -> Option<Cow<'a, str>> {
        let text = self.read_text(at)?;
        self.expand(text, &at.path)
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

    pub(super) fn read_flag(&mut self, at: &NodeRef<'_>) -> Option<bool> {
        let Node::Bool(flag) = at.node else {
            self.reject_kind(at, "`true` or `false`, without quotes");
            return None;
        };
        Some(*flag)
    }

    pub(super) fn read_choice(
        &mut self,
        at: &NodeRef<'_>,
        words: &[&'static str],
    ) -> Option<&'static str> {
        if let Node::Text(text) = at.node
            && let Some(word) = words.iter().find(|word| *word == text)
        {
            return Some(word);
        }
        let list: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
        self.reject_kind(at, &list.join(" or "));
        None
    }
}

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
