//! Walks the tree and collects everything that is wrong with it. Here is what every key has in common:
//! mappings without a key twice, known keys, kinds of scalars.

use std::borrow::Cow;
use std::collections::HashSet;

use super::expand::Expand;
use super::keys::{ENTRY, Key, near};
use super::problem::{At, Problems};
use super::tree::Node;
use crate::inputs::{self, Input};

/// Reads a tree.
pub(super) struct Reader<'l> {
    pub(super) problems: Problems,
    expand: Expand<'l>,
}

/// One pair of a mapping: which it is, its key, its value.
pub(super) type Pair<'n, K> = (usize, K, &'n Node<'n>);

impl<'l> Reader<'l> {
    pub(super) fn new(lookup: &'l dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            problems: Problems::default(),
            expand: Expand::new(lookup),
        }
    }

    /// The pairs of a mapping whose keys are text, each once; the others are problems.
    pub(super) fn pairs<'n>(
        &mut self,
        node: &'n Node<'n>,
        at: &At<'_>,
        wanted: &str,
    ) -> Option<Vec<Pair<'n, &'n str>>> {
        let Node::Mapping(all) = node else {
            self.wrong(node, at, wanted);
            return None;
        };
        let mut seen = HashSet::new();
        let mut pairs = Vec::with_capacity(all.len());
        for (nth, (key, value)) in all.iter().enumerate() {
            let why = match key {
                Node::Text(key) if key == "<<" => {
                    "has a YAML merge key (`<<`), which a manifest does not use; `defaults` holds what all secrets share"
                }
                Node::Text(key) if seen.insert(key.as_ref()) => {
                    pairs.push((nth, key.as_ref(), value));
                    continue;
                }
                Node::Text(_) => "has this key twice",
                Node::Tagged => TAGGED,
                _ => "has a key that is not text; a number, `true` or `null` needs quotes",
            };
            self.problems.add(&at.key(nth, ""), why);
        }
        Some(pairs)
    }

    /// The pairs of a mapping that has keys of ours and no other.
    pub(super) fn known<'n>(
        &mut self,
        node: &'n Node<'n>,
        at: &At<'_>,
        keys: &'static [Key],
    ) -> Option<Vec<Pair<'n, &'static Key>>> {
        let names: Vec<_> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
        let wanted = match names.len() {
            ..=4 => format!("a mapping with the keys {}", names.join(", ")),
            _ => "a mapping".to_owned(),
        };
        let mut known = Vec::new();
        for (nth, name, node) in self.pairs(node, at, &wanted)? {
            match keys.iter().find(|key| key.name == name) {
                Some(key) => known.push((nth, key, node)),
                None => self.problems.add(&at.key(nth, ""), unknown(name, keys)),
            }
        }
        for key in keys.iter().filter(|key| key.required) {
            if !known.iter().any(|(_, given, _)| given.name == key.name) {
                self.problems
                    .add(at, format!("lacks the key `{}`", key.name));
            }
        }
        Some(known)
    }

    /// Text that says something.
    pub(super) fn text<'n>(&mut self, node: &'n Node<'n>, at: &At<'_>) -> Option<&'n str> {
        let text = self.any_text(node, at)?;
        if text.trim().is_empty() {
            self.problems
                .add(at, "is empty; give it text, or leave the key out");
            return None;
        }
        Some(text)
    }

    /// Text, perhaps empty.
    pub(super) fn any_text<'n>(&mut self, node: &'n Node<'n>, at: &At<'_>) -> Option<&'n str> {
        match node {
            Node::Text(text) => return Some(text),
            Node::Bool(_) | Node::Number(_) => self.problems.add(
                at,
                "must be text, and a number, `true` or `false` needs quotes to be text",
            ),
            _ => self.wrong(node, at, "text"),
        }
        None
    }

    /// Text with its variables replaced.
    pub(super) fn expanded<'n>(&mut self, node: &'n Node<'n>, at: &At<'_>) -> Option<Cow<'n, str>> {
        let text = self.text(node, at)?;
        self.replaced(text, at)
    }

    /// The text with its variables replaced.
    pub(super) fn replaced<'t>(&mut self, text: &'t str, at: &At<'_>) -> Option<Cow<'t, str>> {
        self.expand
            .text(text)
            .map_err(|why| self.problems.add(at, why))
            .ok()
    }

    pub(super) fn flag(&mut self, node: &Node<'_>, at: &At<'_>) -> Option<bool> {
        let Node::Bool(flag) = node else {
            self.wrong(node, at, "`true` or `false`, without quotes");
            return None;
        };
        Some(*flag)
    }

    pub(super) fn choice(
        &mut self,
        words: &[&'static str],
        node: &Node<'_>,
        at: &At<'_>,
    ) -> Option<&'static str> {
        if let Node::Text(text) = node
            && let Some(word) = words.iter().find(|word| *word == text)
        {
            return Some(word);
        }
        let list: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
        self.wrong(node, at, &list.join(" or "));
        None
    }

    /// What stands there is of another kind.
    pub(super) fn wrong(&mut self, node: &Node<'_>, at: &At<'_>, wanted: &str) {
        match node {
            Node::Null => self.problems.add(at, NO_VALUE),
            Node::Tagged => self.problems.add(at, TAGGED),
            _ => self.problems.add(at, format!("must be {wanted}")),
        }
    }
}

const NO_VALUE: &str = "has no value; give it one, or leave the key out";
pub(super) const TAGGED: &str =
    "has a YAML tag (`!…`), which a manifest does not use; text that begins with `!` needs quotes";

/// The key itself is not shown: somebody may have put the value there.
fn unknown(name: &str, keys: &'static [Key]) -> String {
    if let Some(near) = near(name, keys) {
        return format!("has a key that it cannot have; did you mean `{near}`?");
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
