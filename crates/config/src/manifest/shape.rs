//! Reads a key by its shape in the table, as JSON: text, in the same form as inputs from the environment, or a structure for
//! serde. Must not check the meaning of an input's text.

use serde_json::{Map, Value};
use upsert_secret_core::json::KeyPath;

use super::keys::{Key, Shape};
use super::model::{CharacterClass, Field};
use super::reader::{NodeRef, Pair, Reader, TAGGED};
use super::tree::Content;
use crate::checks::tags::MAX_TAGS;
use crate::environment::is_variable_name;

impl Reader<'_> {
    /// The content of a key; `None` for a key with a separate reader.
    pub(super) fn read_shape(&mut self, shape: Shape, at: &NodeRef<'_>) -> Option<Value> {
        match shape {
            Shape::Text => self.read_trimmed(at),
            Shape::Expanded => self.read_expanded(at).map(|text| text.trim().into()),
            Shape::Flag => self.read_flag(at).map(Value::from),
            Shape::Choice(words) => self.read_choice(at, &words()).map(Value::from),
            Shape::Tags => self.read_tags(at),
            Shape::Texts(separator) => self.read_text_or_list(at, separator),
            Shape::Policy => self.read_policy(at),
            Shape::Variable => self.read_variable_name(at),
            Shape::Path => self.read_path(at),
            Shape::Pointer => self.read_pointer(at),
            Shape::Length(min, max) => self.read_length(at, min, max),
            Shape::Classes => self.read_classes(at),
            Shape::Mapping(keys) => self.read_mapping(at, keys),
            Shape::Reference | Shape::Members | Shape::Defaults | Shape::Entries => None,
        }
    }

    pub(super) fn read_fields(&mut self, pairs: &[Pair<'_, &'static Key>]) -> Vec<Field> {
        let fields = pairs.iter().map(|pair| Field {
            name: pair.key.name,
            node: pair.value.id,
            content: self.read_shape(pair.key.shape, &pair.value),
        });
        fields.collect()
    }

    /// The keys that are valid.
    fn read_mapping(&mut self, at: &NodeRef<'_>, keys: &'static [Key]) -> Option<Value> {
        let pairs = self.read_known_pairs(at, keys)?;
        let fields = self.read_fields(&pairs).into_iter();
        let valid = fields.filter_map(|field| Some((field.name, field.content?)));
        Some(valid.collect())
    }

    /// Text with white space trimmed, as in the environment: a block of text ends with a line ending that is not part of it.
    fn read_trimmed(&mut self, at: &NodeRef<'_>) -> Option<Value> {
        self.read_text(at).map(|text| text.trim().into())
    }

    fn read_expanded(&mut self, at: &NodeRef<'_>) -> Option<String> {
        let text = self.read_text(at)?;
        self.expand(text, at)
    }

    fn read_tags(&mut self, at: &NodeRef<'_>) -> Option<Value> {
        let pairs = self.read_pairs(at, "a mapping of text to text", |_| "")?;
        if pairs.len() > MAX_TAGS {
            let why = format!("has more than {MAX_TAGS} tags, the most a secret can have");
            self.reject(at, why);
            return None;
        }
        let mut tags = Map::new();
        for pair in pairs {
            let key = self.expand(pair.key, &pair.key_node);
            let value = self
                .read_any_text(&pair.value)
                .and_then(|text| self.expand(text, &pair.value));
            if let (Some(key), Some(value)) = (key, value)
                && tags.insert(key, value.into()).is_some()
            {
                self.reject(
                    &pair.key_node,
                    "has two keys that are equal once variables are replaced",
                );
            }
        }
        Some(tags.into())
    }

    /// Reads text, or a list of texts and joins them.
    fn read_text_or_list(&mut self, at: &NodeRef<'_>, separator: &str) -> Option<Value> {
        match at.content {
            Content::Text(_) => self.read_trimmed(at),
            Content::List(items) if !items.is_empty() => {
                let texts = at.items(items).filter_map(|item| self.read_text(&item));
                Some(texts.collect::<Vec<_>>().join(separator).into())
            }
            _ => self.reject_kind(at, "text, or a list of texts that is not empty"),
        }
    }

    /// Reads a policy: a mapping, which becomes JSON, or text, unchanged.
    fn read_policy(&mut self, at: &NodeRef<'_>) -> Option<Value> {
        match at.content {
            Content::Text(_) => self.read_trimmed(at),
            Content::Mapping(_) => self.read_json(at).map(|json| json.to_string().into()),
            _ => self.reject_kind(at, "a mapping, or text: JSON or `file:PATH`"),
        }
    }

    fn read_json(&mut self, at: &NodeRef<'_>) -> Option<Value> {
        let why = match at.content {
            Content::Text(text) => return Some(text.as_ref().into()),
            Content::Bool(flag) => return Some((*flag).into()),
            Content::Number(Some(number)) => return Some(number.clone().into()),
            Content::List(items) => {
                let items = at.items(items).filter_map(|item| self.read_json(&item));
                return Some(items.collect());
            }
            Content::Mapping(_) => {
                let pairs = self.read_pairs(at, "", |_| "")?.into_iter();
                let pairs = pairs.filter_map(|pair| Some((pair.key, self.read_json(&pair.value)?)));
                return Some(pairs.collect());
            }
            Content::Null => "has nothing here, which no policy needs",
            Content::Number(None) => "has a number that JSON does not have",
            Content::Tagged => TAGGED,
        };
        self.reject(at, why);
        None
    }

    fn read_variable_name(&mut self, at: &NodeRef<'_>) -> Option<Value> {
        let name = self.read_text(at)?;
        if !is_variable_name(name) {
            let why = if name.starts_with(['$', '%']) {
                "is written like a reference; it takes the name of the variable alone, without `$`, `%` or braces: `env: NAME`"
            } else {
                "is not the name of a variable; it takes the name of the variable that holds the value, without `$`, \
                 not the value itself"
            };
            self.reject(at, why);
            return None;
        }
        Some(name.into())
    }

    fn read_path(&mut self, at: &NodeRef<'_>) -> Option<Value> {
        let path = self.read_expanded(at)?;
        if path == "-" {
            self.reject(
                at,
                "is standard input, which is for a single secret; give the path of a file",
            );
            return None;
        }
        Some(path.into())
    }

    /// Reads a JSON pointer byte for byte, because names may start or end with white space.
    fn read_pointer(&mut self, at: &NodeRef<'_>) -> Option<Value> {
        let text = self.read_text(at)?;
        if !text.starts_with('/') {
            self.reject(
                at,
                "must be a JSON pointer, which begins with `/`: `/database/password`",
            );
            return None;
        }
        let checked = KeyPath::parse(text).map_err(|why| self.reject(at, why.to_string()));
        checked.ok().map(|_| text.into())
    }

    fn read_length(&mut self, at: &NodeRef<'_>, min: u64, max: u64) -> Option<Value> {
        if let Content::Number(Some(number)) = at.content
            && number
                .as_u64()
                .is_some_and(|length| (min..=max).contains(&length))
        {
            return Some(number.clone().into());
        }
        let wanted = format!("a whole number from {min} to {max}, without quotes");
        self.reject_kind(at, &wanted)
    }

    fn read_classes(&mut self, at: &NodeRef<'_>) -> Option<Value> {
        let words = CharacterClass::WORDS;
        let items = match at.content {
            Content::List(items) if !items.is_empty() => items,
            _ => {
                let wanted = format!("a list of some of `{}`", words.join("`, `"));
                return self.reject_kind(at, &wanted);
            }
        };
        let mut classes = Vec::new();
        for item in at.items(items) {
            match self.read_choice(&item, &words) {
                Some(word) if classes.contains(&word) => {
                    self.reject(&item, "is listed twice");
                }
                word => classes.extend(word),
            }
        }
        Some(classes.into())
    }
}
