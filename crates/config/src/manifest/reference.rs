//! Where values come from: `value`, and the members of `json`. A value itself never stands in a manifest,
//! so what looks like one is refused, and not shown.

use std::collections::BTreeMap;

use upsert_secret_core::json;

use super::given::{CharacterClass, GenerateSpec, Member, Reference, SecretRef};
use super::keys::{Key, MEMBER, SOURCES, Shape};
use super::problem::At;
use super::reader::Reader;
use super::tree::Node;
use crate::environment::is_variable_name;

/// A reference, and what qualifies it.
struct Qualified {
    reference: Reference,
    base64: bool,
    as_json: bool,
}

impl Reader<'_> {
    /// What `value` holds.
    pub(super) fn value(&mut self, node: &Node<'_>, at: &At<'_>) -> Option<Reference> {
        self.reference(node, at, SOURCES)
            .map(|qualified| qualified.reference)
    }

    /// What `json` holds.
    pub(super) fn members(
        &mut self,
        node: &Node<'_>,
        at: &At<'_>,
        merge: bool,
    ) -> Option<Vec<Member>> {
        if matches!(node, Node::Text(_) | Node::Bool(_) | Node::Number(_)) {
            self.problems.add(at, "holds a value itself, which a manifest never does; say for each key where it comes from: `{ user: { env: NAME } }`");
            return None;
        }
        let pairs = self.pairs(node, at, "a mapping from keys to where they come from")?;
        if matches!(node, Node::Mapping(pairs) if pairs.is_empty()) {
            self.problems.add(at, "is empty; it needs one key at least");
        }
        let mut members = Vec::with_capacity(pairs.len());
        let mut places = BTreeMap::new();
        for (nth, name, node) in pairs {
            let of_key = at.key(nth, "*");
            let here = at.value(nth, "*");
            let key = json::KeyPath::parse(name)
                .map_err(|why| self.problems.add(&of_key, why.to_string()))
                .ok();
            if key.is_some() && places.insert(pointer(name), nth).is_some() {
                self.problems
                    .add(&of_key, "is the same key as another member");
            }
            let Some(qualified) = self.reference(node, &here, MEMBER) else {
                continue;
            };
            let Qualified {
                reference,
                base64,
                as_json,
            } = qualified;
            if !merge && matches!(reference, Reference::Generate(_)) {
                self.problems.add(
                    &here,
                    "is generated, which needs `merge: true`: without it the whole document is written, \
                     and this would be new in every run",
                );
            }
            members.extend(key.map(|key| Member {
                key,
                reference,
                base64,
                as_json,
            }));
        }
        for (pointer, nth) in &places {
            let inside = pointer
                .match_indices('/')
                .skip(1)
                .any(|(end, _)| places.contains_key(&pointer[..end]));
            if inside {
                self.problems
                    .add(&at.key(*nth, "*"), "is inside the key of another member");
            }
        }
        Some(members)
    }

    fn reference(
        &mut self,
        node: &Node<'_>,
        at: &At<'_>,
        keys: &'static [Key],
    ) -> Option<Qualified> {
        let why = match node {
            Node::Text(_) | Node::Bool(_) | Node::Number(_) => {
                "holds a value itself, which a manifest never does; say where it comes from: `{ env: NAME }`"
            }
            Node::Null => "has no value; say where it comes from: `{ env: NAME }`",
            _ => "",
        };
        if !why.is_empty() {
            self.problems.add(at, why);
            return None;
        }
        let before = self.problems.count();
        let pairs = self.known(node, at, keys)?;
        let mut references = Vec::new();
        let (mut encoding, mut as_json) = (None, false);
        for (nth, key, node) in pairs {
            let here = at.value(nth, key.name);
            match key.shape {
                Shape::Choice(words) => {
                    let word = self.choice(&words(), node, &here);
                    if key.name == "value-encoding" {
                        encoding = Some((nth, word == Some("base64")));
                    } else {
                        as_json = word == Some("json");
                    }
                }
                _ => references.push((key.name, self.source(key, node, &here))),
            }
        }
        let [(source, reference)] = &mut references[..] else {
            // Not besides a key that was misspelt.
            if self.problems.count() == before || references.len() > 1 {
                self.problems.add(
                    at,
                    "must have exactly one of `env`, `file`, `secret` and `generate`",
                );
            }
            return None;
        };
        if let Some((nth, _)) = encoding
            && !is_encoded(source)
        {
            self.problems
                .add(&at.value(nth, "value-encoding"), NOT_ENCODED);
        }
        if as_json && *source == "generate" {
            self.problems.add(
                at,
                "is generated, and what is generated is text: `json-value-as: json` does not go with it",
            );
        }
        Some(Qualified {
            reference: reference.take()?,
            base64: encoding.is_some_and(|(_, base64)| base64),
            as_json,
        })
    }

    fn source(&mut self, key: &Key, node: &Node<'_>, at: &At<'_>) -> Option<Reference> {
        match (key.name, key.shape) {
            (_, Shape::Variable) => self.variable(node, at).map(Reference::Env),
            (_, Shape::Path) => self.path(node, at).map(Reference::File),
            ("secret", Shape::Mapping(keys)) => self.origin(node, at, keys).map(Reference::Secret),
            (_, Shape::Mapping(keys)) => self.recipe(node, at, keys).map(Reference::Generate),
            _ => None,
        }
    }

    fn variable(&mut self, node: &Node<'_>, at: &At<'_>) -> Option<String> {
        let name = self.text(node, at)?;
        if !is_variable_name(name) {
            self.problems.add(
                at,
                "is not the name of a variable; it takes the name of the variable that holds the value, without `$`, \
                 not the value itself",
            );
            return None;
        }
        Some(name.to_owned())
    }

    fn path(&mut self, node: &Node<'_>, at: &At<'_>) -> Option<String> {
        let path = self.expanded(node, at)?;
        if path == "-" {
            self.problems.add(
                at,
                "is standard input, which is for a single secret; give the path of a file",
            );
            return None;
        }
        Some(path.into_owned())
    }

    fn origin(&mut self, node: &Node<'_>, at: &At<'_>, keys: &'static [Key]) -> Option<SecretRef> {
        let (mut id, mut stage, mut region, mut role) = (None, None, None, None);
        for (nth, key, node) in self.known(node, at, keys)? {
            let here = at.value(nth, key.name);
            let text = match key.shape {
                Shape::Expanded => self.expanded(node, &here),
                _ => self.text(node, &here).map(Into::into),
            };
            let text = text.map(|text| text.trim().to_owned());
            match key.name {
                "id" => id = text,
                "stage" => stage = text,
                "region" => region = text,
                _ => role = text,
            }
        }
        Some(SecretRef {
            id: id?,
            stage,
            region,
            role,
        })
    }

    fn recipe(
        &mut self,
        node: &Node<'_>,
        at: &At<'_>,
        keys: &'static [Key],
    ) -> Option<GenerateSpec> {
        let (mut length, mut classes) = (None, Some(CharacterClass::USUAL.to_vec()));
        for (nth, key, node) in self.known(node, at, keys)? {
            let here = at.value(nth, key.name);
            match key.shape {
                Shape::Length(least, most) => length = self.length(node, &here, least, most),
                _ => classes = self.classes(node, &here),
            }
        }
        Some(GenerateSpec {
            length: length?,
            classes: classes?,
        })
    }

    fn length(&mut self, node: &Node<'_>, at: &At<'_>, least: usize, most: usize) -> Option<usize> {
        let length = match node {
            Node::Number(Some(number)) => number.as_u64(),
            _ => None,
        };
        let length = length.and_then(|length| usize::try_from(length).ok());
        let fits = length.filter(|length| (least..=most).contains(length));
        if fits.is_none() {
            let wanted = format!("a whole number from {least} to {most}, without quotes");
            self.wrong(node, at, &wanted);
        }
        fits
    }

    fn classes(&mut self, node: &Node<'_>, at: &At<'_>) -> Option<Vec<CharacterClass>> {
        let words = CharacterClass::ALL.map(|(word, _)| word);
        let items = match node {
            Node::List(items) if !items.is_empty() => items,
            _ => {
                let wanted = format!("a list of some of `{}`", words.join("`, `"));
                self.wrong(node, at, &wanted);
                return None;
            }
        };
        let mut classes = Vec::new();
        for (nth, item) in items.iter().enumerate() {
            let here = at.value(nth, "");
            let Some(word) = self.choice(&words, item, &here) else {
                continue;
            };
            let (_, class) = CharacterClass::ALL
                .into_iter()
                .find(|(known, _)| *known == word)?;
            if classes.contains(&class) {
                self.problems.add(&here, "is in the list already");
            } else {
                classes.push(class);
            }
        }
        Some(classes)
    }
}

/// Why `value-encoding` does not stand beside `secret` and `generate`.
pub(super) const NOT_ENCODED: &str = "goes with `env` and `file` only: another secret is taken as it is, and a generated value is text";

fn is_encoded(source: &str) -> bool {
    matches!(source, "env" | "file")
}

/// The one way to write a key as a JSON pointer.
fn pointer(key: &str) -> String {
    if key.starts_with('/') {
        return key.to_owned();
    }
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}
