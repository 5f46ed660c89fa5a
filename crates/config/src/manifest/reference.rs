//! Reading of references to values: `value`, and the members of `json`. A manifest never holds a value itself: what
//! looks like one is rejected, and not shown.

use std::collections::BTreeMap;

use upsert_secret_core::json::KeyPath;

use super::keys::{Key, MEMBER, SOURCES, Shape};
use super::model::{CharacterClass, GenerateSpec, Member, Reference, SecretRef};
use super::reader::{NodeRef, Reader};
use super::tree::Node;
use crate::environment::is_variable_name;

/// Why `value-encoding` is rejected beside `secret` and `generate`.
pub(super) const NOT_ENCODED: &str = "goes with `env` and `file` only: another secret is taken as it is, and a generated value is text";

/// A reference, and how its value is read.
struct Qualified {
    reference: Reference,
    base64: bool,
    as_json: bool,
}

impl Reader<'_> {
    pub(super) fn read_value(&mut self, at: &NodeRef<'_>) -> Option<Reference> {
        self.read_reference(at, SOURCES)
            .map(|qualified| qualified.reference)
    }

    pub(super) fn read_members(&mut self, at: &NodeRef<'_>, merge: bool) -> Option<Vec<Member>> {
        if is_scalar(at.node) {
            self.reject(at, "holds a value itself, which a manifest never does; say for each key where it comes from: `{ user: { env: NAME } }`");
            return None;
        }
        let wanted = "a mapping from keys to where they come from";
        let pairs = self.read_pairs(at, wanted, |_| "*")?;
        if matches!(at.node, Node::Mapping(pairs) if pairs.is_empty()) {
            self.reject(at, "is empty; it needs one key at least");
        }
        let mut members = Vec::with_capacity(pairs.len());
        let mut key_paths = BTreeMap::new();
        for pair in &pairs {
            let key = KeyPath::parse(pair.key)
                .map_err(|why| self.problems.add(&pair.key_path, why.to_string()))
                .ok();
            let pointer = json_pointer(pair.key);
            if key.is_some() && key_paths.insert(pointer, pair.key_path).is_some() {
                self.problems
                    .add(&pair.key_path, "is the same key as another member");
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
            }));
        }
        for (pointer, key_path) in &key_paths {
            let is_inside = pointer
                .match_indices('/')
                .skip(1)
                .any(|(end, _)| key_paths.contains_key(&pointer[..end]));
            if is_inside {
                self.problems
                    .add(key_path, "is inside the key of another member");
            }
        }
        Some(members)
    }

    fn read_reference(&mut self, at: &NodeRef<'_>, keys: &'static [Key]) -> Option<Qualified> {
        if is_scalar(at.node) {
            self.reject(at, "holds a value itself, which a manifest never does; say where it comes from: `{ env: NAME }`");
            return None;
        }
        if matches!(at.node, Node::Null) {
            self.reject(at, "has no value; say where it comes from: `{ env: NAME }`");
            return None;
        }
        let problems_before = self.problems.count();
        let pairs = self.read_known_pairs(at, keys)?;
        let mut references = Vec::new();
        let (mut encoding, mut as_json) = (None, false);
        for pair in &pairs {
            match pair.key.shape {
                Shape::Choice(words) => {
                    let word = self.read_choice(&pair.value, &words());
                    if pair.key.name == "value-encoding" {
                        encoding = Some((&pair.value, word));
                    } else {
                        as_json = word == Some("json");
                    }
                }
                _ => references.push((pair.key.name, self.read_source(pair.key, &pair.value))),
            }
        }
        let [(source, reference)] = &mut references[..] else {
            // A misspelled key has been reported already.
            if self.problems.count() == problems_before || references.len() > 1 {
                self.reject(
                    at,
                    "must have exactly one of `env`, `file`, `secret` and `generate`",
                );
            }
            return None;
        };
        if let Some((encoding, _)) = encoding
            && !matches!(*source, "env" | "file")
        {
            self.reject(encoding, NOT_ENCODED);
        }
        if as_json && *source == "generate" {
            self.reject(
                at,
                "is generated, and what is generated is text: `json-value-as: json` does not go with it",
            );
        }
        Some(Qualified {
            reference: reference.take()?,
            base64: encoding.is_some_and(|(_, word)| word == Some("base64")),
            as_json,
        })
    }

    fn read_source(&mut self, key: &Key, at: &NodeRef<'_>) -> Option<Reference> {
        match (key.name, key.shape) {
            (_, Shape::Variable) => self.read_variable_name(at).map(Reference::Env),
            (_, Shape::Path) => self.read_path(at).map(Reference::File),
            ("secret", Shape::Mapping(keys)) => {
                self.read_secret_ref(at, keys).map(Reference::Secret)
            }
            (_, Shape::Mapping(keys)) => self.read_generate_spec(at, keys).map(Reference::Generate),
            _ => None,
        }
    }

    fn read_variable_name(&mut self, at: &NodeRef<'_>) -> Option<String> {
        let name = self.read_text(at)?;
        if !is_variable_name(name) {
            self.reject(
                at,
                "is not the name of a variable; it takes the name of the variable that holds the value, without `$`, \
                 not the value itself",
            );
            return None;
        }
        Some(name.to_owned())
    }

    fn read_path(&mut self, at: &NodeRef<'_>) -> Option<String> {
        let path = self.read_expanded(at)?;
        if path == "-" {
            self.reject(
                at,
                "is standard input, which is for a single secret; give the path of a file",
            );
            return None;
        }
        Some(path.into_owned())
    }

    fn read_secret_ref(&mut self, at: &NodeRef<'_>, keys: &'static [Key]) -> Option<SecretRef> {
        let (mut id, mut stage, mut region, mut role) = (None, None, None, None);
        for pair in self.read_known_pairs(at, keys)? {
            let text = match pair.key.shape {
                Shape::Expanded => self.read_expanded(&pair.value),
                _ => self.read_text(&pair.value).map(Into::into),
            };
            let text = text.map(|text| text.trim().to_owned());
            match pair.key.name {
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

    fn read_generate_spec(
        &mut self,
        at: &NodeRef<'_>,
        keys: &'static [Key],
    ) -> Option<GenerateSpec> {
        let (mut length, mut classes) = (None, Some(CharacterClass::DEFAULT.to_vec()));
        for pair in self.read_known_pairs(at, keys)? {
            match pair.key.shape {
                Shape::Length(min, max) => length = self.read_length(&pair.value, min, max),
                _ => classes = self.read_classes(&pair.value),
            }
        }
        Some(GenerateSpec {
            length: length?,
            classes: classes?,
        })
    }

    fn read_length(&mut self, at: &NodeRef<'_>, min: usize, max: usize) -> Option<usize> {
        let length = match at.node {
            Node::Number(Some(number)) => number.as_u64(),
            _ => None,
        };
        let length = length
            .and_then(|length| usize::try_from(length).ok())
            .filter(|length| (min..=max).contains(length));
        if length.is_none() {
            let wanted = format!("a whole number from {min} to {max}, without quotes");
            self.reject_kind(at, &wanted);
        }
        length
    }

    fn read_classes(&mut self, at: &NodeRef<'_>) -> Option<Vec<CharacterClass>> {
        let words = CharacterClass::ALL.map(|(word, _)| word);
        if !matches!(at.node, Node::List(items) if !items.is_empty()) {
            let wanted = format!("a list of some of `{}`", words.join("`, `"));
            self.reject_kind(at, &wanted);
            return None;
        }
        let mut classes = Vec::new();
        for item in at.items() {
            let Some(word) = self.read_choice(&item, &words) else {
                continue;
            };
            let (_, class) = CharacterClass::ALL
                .into_iter()
                .find(|(known, _)| *known == word)?;
            if classes.contains(&class) {
                self.reject(&item, "is in the list already");
            } else {
                classes.push(class);
            }
        }
        Some(classes)
    }
}

/// Whether a node is what a value itself would look like.
fn is_scalar(node: &Node<'_>) -> bool {
    matches!(node, Node::Text(_) | Node::Bool(_) | Node::Number(_))
}

/// A key as a JSON pointer, which has one spelling only.
fn json_pointer(key: &str) -> String {
    if key.starts_with('/') {
        return key.to_owned();
    }
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}
