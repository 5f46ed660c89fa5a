//! Reading of an entry's inputs: from the shapes that a file can have to the text that an input takes. Does not check
//! the text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::keys::{Key, Shape};
use super::model::Inputs;
use super::problem::NodePath;
use super::reader::{Reader, TAGGED};
use super::tree::Node;

impl Reader<'_> {
    pub(super) fn read_input(
        &mut self,
        key: &'static Key,
        node: &Node<'_>,
        path: &NodePath<'_>,
        inputs: &mut Inputs,
    ) {
        let text = match key.shape {
            Shape::Tags => {
                inputs.tags = self.read_tags(node, path);
                return;
            }
            Shape::Text => self.read_trimmed(node, path),
            Shape::Expanded => self
                .read_expanded(node, path)
                .map(|text| text.trim().to_owned()),
            Shape::Flag => self.read_flag(node, path).map(|flag| flag.to_string()),
            Shape::Choice(words) => self.read_choice(&words(), node, path).map(str::to_owned),
            Shape::Texts(separator) => self.read_text_or_list(node, path, separator),
            Shape::Policy => self.read_policy(node, path),
            _ => None,
        };
        if let Some(text) = text {
            inputs.texts.push((key.name, text));
        }
    }

    /// Text without white space around it, as in the environment: a block of text ends with a line ending that is no
    /// part of it.
    fn read_trimmed(&mut self, node: &Node<'_>, path: &NodePath<'_>) -> Option<String> {
        self.read_text(node, path)
            .map(|text| text.trim().to_owned())
    }

    fn read_tags(
        &mut self,
        node: &Node<'_>,
        path: &NodePath<'_>,
    ) -> Option<BTreeMap<String, String>> {
        let mut tags = BTreeMap::new();
        for (index, key, node) in self.read_pairs(node, path, "a mapping of text to text")? {
            let key_path = path.key(index, "");
            let value_path = path.value(index, "");
            let key = self.expand(key, &key_path).map(Cow::into_owned);
            let value = self
                .read_any_text(node, &value_path)
                .and_then(|text| self.expand(text, &value_path));
            if let (Some(key), Some(value)) = (key, value)
                && tags.insert(key, value.into_owned()).is_some()
            {
                self.problems.add(
                    &key_path,
                    "has a key that is another one's too once variables are replaced",
                );
            }
        }
        Some(tags)
    }

    /// Reads text, or a list of texts and joins them.
    fn read_text_or_list(
        &mut self,
        node: &Node<'_>,
        path: &NodePath<'_>,
        separator: &str,
    ) -> Option<String> {
        let items = match node {
            Node::Text(_) => {
                return self.read_trimmed(node, path);
            }
            Node::List(items) if !items.is_empty() => items,
            _ => {
                self.reject_kind(node, path, "text, or a list of texts that is not empty");
                return None;
            }
        };
        let texts: Vec<_> = items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| self.read_text(item, &path.value(index, "")))
            .collect();
        Some(texts.join(separator))
    }

    /// Reads a policy: a mapping, which becomes JSON, or text, unchanged.
    fn read_policy(&mut self, node: &Node<'_>, path: &NodePath<'_>) -> Option<String> {
        match node {
            Node::Text(_) => self.read_trimmed(node, path),
            Node::Mapping(_) => self.read_json(node, path).map(|json| json.to_string()),
            _ => {
                self.reject_kind(node, path, "a mapping, or text: JSON or `file:PATH`");
                None
            }
        }
    }

    fn read_json(&mut self, node: &Node<'_>, path: &NodePath<'_>) -> Option<serde_json::Value> {
        use serde_json::Value;
        match node {
            Node::Text(text) => Some(Value::from(text.as_ref())),
            Node::Bool(flag) => Some(Value::from(*flag)),
            Node::Number(Some(number)) => Some(Value::Number(number.clone())),
            Node::List(items) => {
                let items = items.iter().enumerate();
                let items =
                    items.filter_map(|(index, item)| self.read_json(item, &path.value(index, "")));
                Some(items.collect())
            }
            Node::Mapping(_) => {
                let pairs = self.read_pairs(node, path, "")?.into_iter();
                let pairs = pairs.filter_map(|(index, key, node)| {
                    Some((
                        key.to_owned(),
                        self.read_json(node, &path.value(index, ""))?,
                    ))
                });
                Some(pairs.collect())
            }
            Node::Null | Node::Number(None) | Node::Tagged => {
                self.problems.add(
                    path,
                    match node {
                        Node::Tagged => TAGGED,
                        Node::Null => "has nothing here, which no policy needs",
                        _ => "has a number that JSON does not have",
                    },
                );
                None
            }
        }
    }
}
