//! Reading of references to values: `value`, and the members of `json`. A manifest never holds a value itself: what
//! looks like one is rejected, and not shown.

use std::collections::BTreeMap;

use upsert_secret_core::json;

use super::keys::{Key, MEMBER, SOURCES, Shape};
use super::model::{CharacterClass, GenerateSpec, Member, Reference, SecretRef};
use super::problem::NodePath;
use super::reader::Reader;
use super::tree::Node;
use crate::environment::is_variable_name;

/// A reference, and how its value is read.
struct Qualified {
    reference: Reference,
    base64: bool,
    as_json: bool,
}

impl Reader<'_> {
    pub(super) fn read_value(&mut self, node: &Node<'_>, path: &NodePath<'_>) -> Option<Reference> {
        self.read_reference(node, path, SOURCES)
            .map(|qualified| qualified.reference)
    }

    pub(super) fn read_members(
        &mut self,
        node: &Node<'_>,
        path: &NodePath<'_>,
        merge: bool,
    ) -> Option<Vec<Member>> {
        if matches!(node, Node::Text(_) | Node::Bool(_) | Node::Number(_)) {
            self.problems.add(path, "holds a value itself, which a manifest never does; say for each key where it comes from: `{ user: { env: NAME } }`");
            return None;
        }
        let pairs = self.read_pairs(node, path, "a mapping from keys to where they come from")?;
        if matches!(node, Node::Mapping(pairs) if pairs.is_empty()) {
            self.problems
                .add(path, "is empty; it needs one key at least");
        }
        let mut members = Vec::with_capacity(pairs.len());
        let mut indexes = BTreeMap::new();
        for (index, name, node) in pairs {
            let key_path = path.key(index, "*");
            let child_path = path.value(index, "*");
            let key = json::KeyPath::parse(name)
                .map_err(|why| self.problems.add(&key_path, why.to_string()))
                .ok();
            if key.is_some() && indexes.insert(json_pointer(name), index).is_some() {
                self.problems
                    .add(&key_path, "is the same key as another member");
            }
            let Some(qualified) = self.read_reference(node, &child_path, MEMBER) else {
                continue;
            };
            let Qualified {
                reference,
                base64,
                as_json,
            } = qualified;
            if !merge && matches!(reference, Reference::Generate(_)) {
                self.problems.add(
                    &child_path,
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
        for (pointer, index) in &indexes {
            let is_inside = pointer
                .match_indices('/')
                .skip(1)
                .any(|(end, _)| indexes.contains_key(&pointer[..end]));
            if is_inside {
                self.problems.add(
                    &path.key(*index, "*"),
                    "is inside the key of another member",
                );
            }
        }
        Some(members)
    }

    fn read_reference(
        &mut self,
        node: &Node<'_>,
        path: &NodePath<'_>,
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
            self.problems.add(path, why);
            return None;
        }
        let before = self.problems.count();
        let pairs = self.read_known_pairs(node, path, keys)?;
        let mut references = Vec::new();
        let (mut encoding, mut as_json) = (None, false);
        for (index, key, node) in pairs {
            let child_path = path.value(index, key.name);
            match key.shape {
                Shape::Choice(words) => {
                    let word = self.read_choice(&words(), node, &child_path);
                    if key.name == "value-encoding" {
                        encoding = Some((index, word == Some("base64")));
                    } else {
                        as_json = word == Some("json");
                    }
                }
                _ => references.push((key.name, self.read_source(key, node, &child_path))),
            }
        }
        let [(source, reference)] = &mut references[..] else {
            // A misspelled key has been reported already.
            if self.problems.count() == before || references.len() > 1 {
                self.problems.add(
                    path,
                    "must have exactly one of `env`, `file`, `secret` and `generate`",
                );
            }
            return None;
        };
        if let Some((index, _)) = encoding
            && !is_encoded(source)
        {
            self.problems
                .add(&path.value(index, "value-encoding"), NOT_ENCODED);
        }
        if as_json && *source == "generate" {
            self.problems.add(
                path,
                "is generated, and what is generated is text: `json-value-as: json` does not go with it",
            );
        }
        Some(Qualified {
            reference: reference.take()?,
            base64: encoding.is_some_and(|(_, base64)| base64),
            as_json,
        })
    }

    fn read_source(
        &mut self,
        key: &Key,
        node: &Node<'_>,
        path: &NodePath<'_>,
    ) -> Option<Reference> {
        match (key.name, key.shape) {
            (_, Shape::Variable) => self.read_variable_name(node, path).map(Reference::Env),
            (_, Shape::Path) => self.read_path(node, path).map(Reference::File),
            ("secret", Shape::Mapping(keys)) => self
                .read_secret_ref(node, path, keys)
                .map(Reference::Secret),
            (_, Shape::Mapping(keys)) => self
                .read_generate_spec(node, path, keys)
                .map(Reference::Generate),
            _ => None,
        }
    }

    fn read_variable_name(&mut self, node: &Node<'_>, path: &NodePath<'_>) -> Option<String> {
        let name = self.read_text(node, path)?;
        if !is_variable_name(name) {
            self.problems.add(
                path,
                "is not the name of a variable; it takes the name of the variable that holds the value, without `$`, \
                 not the value itself",
            );
            return None;
        }
        Some(name.to_owned())
    }

    fn read_path(&mut self, node: &Node<'_>, path: &NodePath<'_>) -> Option<String> {
        let file = self.read_expanded(node, path)?;
        if file == "-" {
            self.problems.add(
                path,
                "is standard input, which is for a single secret; give the path of a file",
            );
            return None;
        }
        Some(file.into_owned())
    }

    fn read_secret_ref(
        &mut self,
        node: &Node<'_>,
        path: &NodePath<'_>,
        keys: &'static [Key],
    ) -> Option<SecretRef> {
        let (mut id, mut stage, mut region, mut role) = (None, None, None, None);
        for (index, key, node) in self.read_known_pairs(node, path, keys)? {
            let child_path = path.value(index, key.name);
            let text = match key.shape {
                Shape::Expanded => self.read_expanded(node, &child_path),
                _ => self.read_text(node, &child_path).map(Into::into),
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

    fn read_generate_spec(
        &mut self,
        node: &Node<'_>,
        path: &NodePath<'_>,
        keys: &'static [Key],
    ) -> Option<GenerateSpec> {
        let (mut length, mut classes) = (None, Some(CharacterClass::DEFAULT.to_vec()));
        for (index, key, node) in self.read_known_pairs(node, path, keys)? {
            let child_path = path.value(index, key.name);
            match key.shape {
                Shape::Length(min, max) => length = self.read_length(node, &child_path, min, max),
                _ => classes = self.read_classes(node, &child_path),
            }
        }
        Some(GenerateSpec {
            length: length?,
            classes: classes?,
        })
    }

    fn read_length(
        &mut self,
        node: &Node<'_>,
        path: &NodePath<'_>,
        min: usize,
        max: usize,
    ) -> Option<usize> {
        let length = match node {
            Node::Number(Some(number)) => number.as_u64(),
            _ => None,
        };
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|length| (min..=max).contains(length));
        if length.is_none() {
            let wanted = format!("a whole number from {min} to {max}, without quotes");
            self.reject_kind(node, path, &wanted);
        }
        length
    }

    fn read_classes(
        &mut self,
        node: &Node<'_>,
        path: &NodePath<'_>,
    ) -> Option<Vec<CharacterClass>> {
        let words = CharacterClass::ALL.map(|(word, _)| word);
        let items = match node {
            Node::List(items) if !items.is_empty() => items,
            _ => {
                let wanted = format!("a list of some of `{}`", words.join("`, `"));
                self.reject_kind(node, path, &wanted);
                return None;
            }
        };
        let mut classes = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let child_path = path.value(index, "");
            let Some(word) = self.read_choice(&words, item, &child_path) else {
                continue;
            };
            let (_, class) = CharacterClass::ALL
                .into_iter()
                .find(|(known, _)| *known == word)?;
            if classes.contains(&class) {
                self.problems.add(&child_path, "is in the list already");
            } else {
                classes.push(class);
            }
        }
        Some(classes)
    }
}

/// Why `value-encoding` is rejected beside `secret` and `generate`.
pub(super) const NOT_ENCODED: &str = "goes with `env` and `file` only: another secret is taken as it is, and a generated value is text";

fn is_encoded(source: &str) -> bool {
    matches!(source, "env" | "file")
}

/// A key as a JSON pointer, which has one spelling only.
fn json_pointer(key: &str) -> String {
    if key.starts_with('/') {
        return key.to_owned();
    }
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}
