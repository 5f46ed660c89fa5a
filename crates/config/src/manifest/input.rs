//! Reading of an entry's inputs: from the shapes that a file can have to the text that an input takes. Does not check
//! the text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::keys::{Key, Shape};
use super::model::Inputs;
use super::reader::{NodeRef, Reader, TAGGED};
use super::tree::Node;

impl Reader<'_> {
    pub(super) fn read_input(&mut self, key: &Key, at: &NodeRef<'_>, inputs: &mut Inputs) {
        let text = match key.shape {
            Shape::Tags => {
                inputs.tags = self.read_tags(at);
                return;
            }
            Shape::Text => self.read_trimmed(at),
            Shape::Expanded => self.read_expanded(at).map(|text| text.trim().to_owned()),
            Shape::Flag => self.read_flag(at).map(|flag| flag.to_string()),
            Shape::Choice(words) => self.read_choice(at, &words()).map(str::to_owned),
            Shape::Texts(separator) => self.read_text_or_list(at, separator),
            Shape::Policy => self.read_policy(at),
            _ => None,
        };
        if let Some(text) = text {
            inputs.texts.push((key.name, text));
        }
    }

    fn read_tags(&mut self, at: &NodeRef<'_>) -> Option<BTreeMap<String, String>> {
        let mut tags = BTreeMap::new();
        for pair in self.read_pairs(at, "a mapping of text to text", |_| "")? {
            let key = self.expand(pair.key, &pair.key_path).map(Cow::into_owned);
            let value = self
                .read_any_text(&pair.value)
                .and_then(|text| self.expand(text, &pair.value.path));
            if let (Some(key), Some(value)) = (key, value)
                && tags.insert(key, value.into_owned()).is_some()
            {
                self.problems.add(
                    &pair.key_path,
                    "has a key that is another one's too once variables are replaced",
                );
            }
        }
        Some(tags)
    }

    /// Reads text, or a list of texts and joins them.
    fn read_text_or_list(&mut self, at: &NodeRef<'_>, separator: &str) -> Option<String> {
        match at.node {
            Node::Text(_) => self.read_trimmed(at),
            Node::List(items) if !items.is_empty() => {
                let texts = at.items().filter_map(|item| self.read_text(&item));
                Some(texts.collect::<Vec<_>>().join(separator))
            }
            _ => {
                self.reject_kind(at, "text, or a list of texts that is not empty");
                None
            }
        }
    }

    /// Reads a policy: a mapping, which becomes JSON, or text, unchanged.
    fn read_policy(&mut self, at: &NodeRef<'_>) -> Option<String> {
        match at.node {
            Node::Text(_) => self.read_trimmed(at),
            Node::Mapping(_) => self.read_json(at).map(|json| json.to_string()),
            _ => {
                self.reject_kind(at, "a mapping, or text: JSON or `file:PATH`");
                None
            }
        }
    }

    fn read_json(&mut self, at: &NodeRef<'_>) -> Option<Value> {
        let why = match at.node {
            Node::Text(text) => return Some(Value::from(text.as_ref())),
            Node::Bool(flag) => return Some(Value::from(*flag)),
            Node::Number(Some(number)) => return Some(Value::Number(number.clone())),
            Node::List(_) => {
                return Some(
                    at.items()
                        .filter_map(|item| self.read_json(&item))
                        .collect(),
                );
            }
            Node::Mapping(_) => {
                let pairs = self.read_pairs(at, "", |_| "")?.into_iter();
                let pairs = pairs
                    .filter_map(|pair| Some((pair.key.to_owned(), self.read_json(&pair.value)?)));
                return Some(pairs.collect());
            }
            Node::Null => "has nothing here, which no policy needs",
            Node::Number(None) => "has a number that JSON does not have",
            Node::Tagged => TAGGED,
        };
        self.reject(at, why);
        None
    }
}
