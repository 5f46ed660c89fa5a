//! Keys of an entry that are inputs: from the shapes that a file has to the text that the input takes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::given::Inputs;
use super::keys::{Key, Shape};
use super::problem::At;
use super::reader::{Reader, TAGGED};
use super::tree::Node;

impl Reader<'_> {
    /// Reads one input.
    pub(super) fn input(
        &mut self,
        key: &'static Key,
        node: &Node<'_>,
        at: &At<'_>,
        inputs: &mut Inputs,
    ) {
        let text = match key.shape {
            Shape::Tags => {
                inputs.tags = self.tags(node, at);
                return;
            }
            // Trimmed, as in the environment: a block of text ends with a line end that nobody meant.
            Shape::Text => self.text(node, at).map(|text| text.trim().to_owned()),
            Shape::Expanded => self.expanded(node, at).map(|text| text.trim().to_owned()),
            Shape::Flag => self.flag(node, at).map(|flag| flag.to_string()),
            Shape::Choice(words) => self.choice(&words(), node, at).map(str::to_owned),
            Shape::Texts(between) => self.texts(node, at, between),
            Shape::Policy => self.policy(node, at),
            _ => None,
        };
        if let Some(text) = text {
            inputs.texts.push((key.name, text));
        }
    }

    fn tags(&mut self, node: &Node<'_>, at: &At<'_>) -> Option<BTreeMap<String, String>> {
        let mut tags = BTreeMap::new();
        for (nth, key, node) in self.pairs(node, at, "a mapping of text to text")? {
            let of_key = at.key(nth, "");
            let of_value = at.value(nth, "");
            let key = self.replaced(key, &of_key).map(Cow::into_owned);
            let value = self
                .any_text(node, &of_value)
                .and_then(|text| self.replaced(text, &of_value));
            if let (Some(key), Some(value)) = (key, value)
                && tags.insert(key, value.into_owned()).is_some()
            {
                self.problems.add(
                    &of_key,
                    "has a key that is another one's too once variables are replaced",
                );
            }
        }
        Some(tags)
    }

    /// A text, or several, with this between them.
    fn texts(&mut self, node: &Node<'_>, at: &At<'_>, between: &str) -> Option<String> {
        let items = match node {
            Node::Text(_) => return self.text(node, at).map(|text| text.trim().to_owned()),
            Node::List(items) if !items.is_empty() => items,
            _ => {
                self.wrong(node, at, "text, or a list of texts that is not empty");
                return None;
            }
        };
        let texts: Vec<_> = items
            .iter()
            .enumerate()
            .filter_map(|(nth, item)| self.text(item, &at.value(nth, "")))
            .collect();
        Some(texts.join(between))
    }

    /// A policy as JSON: text as the input has it, or a mapping.
    fn policy(&mut self, node: &Node<'_>, at: &At<'_>) -> Option<String> {
        match node {
            Node::Text(_) => self.text(node, at).map(|text| text.trim().to_owned()),
            Node::Mapping(_) => self.json(node, at).map(|json| json.to_string()),
            _ => {
                self.wrong(node, at, "a mapping, or text: JSON or `file:PATH`");
                None
            }
        }
    }

    fn json(&mut self, node: &Node<'_>, at: &At<'_>) -> Option<serde_json::Value> {
        use serde_json::Value;
        match node {
            Node::Text(text) => Some(Value::from(text.as_ref())),
            Node::Bool(flag) => Some(Value::from(*flag)),
            Node::Number(Some(number)) => Some(Value::Number(number.clone())),
            Node::List(items) => {
                let items = items.iter().enumerate();
                let items = items.filter_map(|(nth, item)| self.json(item, &at.value(nth, "")));
                Some(items.collect())
            }
            Node::Mapping(_) => {
                let pairs = self.pairs(node, at, "")?.into_iter();
                let pairs = pairs.filter_map(|(nth, key, node)| {
                    Some((key.to_owned(), self.json(node, &at.value(nth, ""))?))
                });
                Some(pairs.collect())
            }
            Node::Null | Node::Number(None) | Node::Tagged => {
                self.problems.add(
                    at,
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
