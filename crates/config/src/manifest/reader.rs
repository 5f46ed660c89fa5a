//! The reader of a manifest's tree, and the functions shared by all keys: mappings without duplicate or unknown keys, kinds of
//! scalars. Other modules add the content of their keys.

use std::collections::HashSet;

use super::expand::Expander;
use super::keys::{ENTRY, Key, nearest_key};
use super::problem::{Problems, UnlocatedProblem};
use super::tree::{Content, Node};
use crate::inputs;

const NO_VALUE: &str = "has no value; give it one, or omit the key";
pub(super) const TAGGED: &str =
    "has a YAML tag (`!…`), which a manifest does not use; text that begins with `!` needs quotes";

/// The maximum length of a text, in bytes: a resource policy. Text in `defaults` is checked once for each of thousands of
/// entries.
const MAX_TEXT: usize = 4 * 20_480;

/// A node and the path to it. The path allocates nothing until there is a problem.
#[derive(Clone, Copy)]
pub(super) struct NodeRef<'a> {
    pub(super) id: usize,
    pub(super) content: &'a Content<'a>,
    parent: Option<&'a Self>,
    /// Empty if the key must not be shown.
    pub(super) label: &'a str,
}

impl<'a> NodeRef<'a> {
    pub(super) fn root(node: &'a Node<'a>) -> Self {
        Self {
            id: node.id,
            content: &node.content,
            parent: None,
            label: "",
        }
    }

    fn child(&'a self, node: &'a Node<'a>, label: &'a str) -> Self {
        Self {
            parent: Some(self),
            label,
            ..Self::root(node)
        }
    }

    /// The items of this list.
    pub(super) fn items(&'a self, items: &'a [Node<'a>]) -> impl Iterator<Item = Self> {
        items.iter().map(|node| self.child(node, ""))
    }

    /// The readable path.
    pub(super) fn path(&self) -> String {
        let parent = self.parent.map(Self::path).unwrap_or_default();
        match (parent.as_str(), self.label) {
            (_, "") => parent,
            ("", label) => label.to_owned(),
            (parent, label) => format!("{parent}.{label}"),
        }
    }
}

/// A pair of a mapping: the key as text or from the table, its node, and the value.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a, K> {
    pub(super) key: K,
    pub(super) key_node: NodeRef<'a>,
    pub(super) value: NodeRef<'a>,
}

/// The value of a known key.
pub(super) fn find<'p, 'a>(
    pairs: &'p [Pair<'a, &'static Key>],
    name: &str,
) -> Option<&'p NodeRef<'a>> {
    let pair = pairs.iter().find(|pair| pair.key.name == name)?;
    Some(&pair.value)
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

    /// Adds a problem with a node.
    pub(super) fn reject(&mut self, at: &NodeRef<'_>, why: impl Into<String>) {
        self.problems.add(UnlocatedProblem {
            node: at.id,
            path: at.path(),
            text: why.into(),
        });
    }

    /// Adds the problem that a node has the wrong kind, so there is nothing to return.
    pub(super) fn reject_kind<T>(&mut self, at: &NodeRef<'_>, wanted: &str) -> Option<T> {
        match at.content {
            Content::Null => self.reject(at, NO_VALUE),
            Content::Tagged => self.reject(at, TAGGED),
            _ => self.reject(at, format!("must be {wanted}")),
        }
        None
    }

    /// The pairs of a mapping. Keys must be text without duplicates. `label` returns the part of a key shown in messages.
    pub(super) fn read_pairs<'a>(
        &mut self,
        at: &'a NodeRef<'a>,
        wanted: &str,
        label: fn(&str) -> &str,
    ) -> Option<Vec<Pair<'a, &'a str>>> {
        let Content::Mapping(all) = at.content else {
            return self.reject_kind(at, wanted);
        };
        let mut seen = HashSet::new();
        let mut pairs = Vec::with_capacity(all.len());
        for (key, value) in all {
            let why = match &key.content {
                Content::Text(text) if text == "<<" => {
                    "has a YAML merge key (`<<`), which a manifest does not use; `defaults` holds what all secrets share"
                }
                Content::Text(text) if seen.insert(text.as_ref()) => {
                    pairs.push(Pair {
                        key: text.as_ref(),
                        key_node: at.child(key, label(text)),
                        value: at.child(value, label(text)),
                    });
                    continue;
                }
                Content::Text(_) => "has this key twice",
                Content::Tagged => TAGGED,
                _ => "has a key that is not text; a number, `true` or `null` needs quotes",
            };
            self.reject(&at.child(key, ""), why);
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
            ..=6 => format!("a mapping with the keys {}", names.join(", ")),
            _ => "a mapping".to_owned(),
        };
        let mut known: Vec<Pair<'a, &'static Key>> = Vec::new();
        for pair in self.read_pairs(at, &wanted, |_| "")? {
            let Some(key) = keys.iter().find(|key| key.name == pair.key) else {
                self.reject(&pair.key_node, describe_unknown(pair.key, keys));
                continue;
            };
            known.push(Pair {
                key,
                key_node: pair.key_node,
                value: NodeRef {
                    label: key.name,
                    ..pair.value
                },
            });
        }
        for key in keys.iter().filter(|key| key.required) {
            if find(&known, key.name).is_none() {
                self.reject(at, format!("lacks the key `{}`", key.name));
            }
        }
        Some(known)
    }

    /// Text that is not blank.
    pub(super) fn read_text<'a>(&mut self, at: &NodeRef<'a>) -> Option<&'a str> {
        let text = self.read_any_text(at)?;
        if text.trim().is_empty() {
            self.reject(at, "is empty; give it text, or omit the key");
            return None;
        }
        if text.len() > MAX_TEXT {
            self.reject(
                at,
                format!("is longer than {MAX_TEXT} bytes, the limit for text in a manifest"),
            );
            return None;
        }
        Some(text)
    }

    /// Text that may be empty.
    pub(super) fn read_any_text<'a>(&mut self, at: &NodeRef<'a>) -> Option<&'a str> {
        match at.content {
            Content::Text(text) => Some(text),
            Content::Bool(_) | Content::Number(_) => {
                self.reject(
                    at,
                    "must be text, and a number, `true` or `false` needs quotes to be text",
                );
                None
            }
            _ => self.reject_kind(at, "text"),
        }
    }

    /// The text of a node with its variables expanded.
    pub(super) fn expand(&mut self, text: &str, at: &NodeRef<'_>) -> Option<String> {
        self.expander
            .expand(text)
            .map_err(|why| self.reject(at, why))
            .ok()
    }

    pub(super) fn read_flag(&mut self, at: &NodeRef<'_>) -> Option<bool> {
        let Content::Bool(flag) = at.content else {
            return self.reject_kind(at, "`true` or `false`, without quotes");
        };
        Some(*flag)
    }

    pub(super) fn read_choice(
        &mut self,
        at: &NodeRef<'_>,
        words: &[&'static str],
    ) -> Option<&'static str> {
        if let Content::Text(text) = at.content
            && let Some(word) = words.iter().find(|word| *word == text)
        {
            return Some(word);
        }
        let list: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
        self.reject_kind(at, &list.join(" or "))
    }
}

/// The reason a key is rejected. Does not show an unknown key: it may be the value, given by mistake.
fn describe_unknown(name: &str, keys: &'static [Key]) -> String {
    if let Some(nearest) = nearest_key(name, keys) {
        return format!("has a key that it cannot have; did you mean `{nearest}`?");
    }
    match name {
        _ if ENTRY.iter().any(|key| key.name == name) => {
            format!("has the key `{name}`, which belongs in the entry of a secret, not here")
        }
        "dotenv" => {
            "has the key `dotenv`, which is for `value` only: `value: { dotenv: PATH }`".to_owned()
        }
        "value-env" | "value-file" => format!(
            "has the key `{name}`; in a manifest that is `value: {{ env: NAME }}` or `value: {{ file: PATH }}`"
        ),
        _ if inputs::all().iter().any(|input| input.name == name) => {
            format!("has the key `{name}`, which is an input of the run, not of a manifest")
        }
        _ => "has a key that it cannot have".to_owned(),
    }
}
