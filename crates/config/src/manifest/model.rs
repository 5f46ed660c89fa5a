//! A parsed manifest: secrets, their inputs as text, and references to their values. Plain data, checked for its shape
//! only. It never holds a value.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use upsert_secret_core::json;

use super::problem::UnlocatedProblem;
use crate::inputs::RawInputs;

/// A parsed manifest.
#[derive(Debug)]
pub struct Manifest {
    /// `all-or-nothing`, if the manifest sets it.
    pub all_or_nothing: Option<bool>,
    /// One for each entry of `secrets`, in the file's order.
    pub entries: Vec<Entry>,
}

/// The entry of a secret.
#[derive(Debug)]
pub struct Entry {
    /// The name or ARN, with variables replaced.
    pub name: String,
    /// Where its value comes from.
    pub spec: ValueSpec,
    /// The path and the node of the name.
    pub(super) path: String,
    pub(super) node: usize,
    pub(super) own: Vec<Field>,
    /// Shared, so that a long policy is not copied into each of thousands of entries.
    pub(super) defaults: Arc<Vec<Field>>,
}

/// A key of a mapping, and what it holds.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) node: usize,
    /// As its shape is read; `None` if it is invalid, or has a reader of its own.
    pub(super) content: Option<Value>,
}

/// The content of the first valid field of a name.
pub(super) fn content<'f>(
    fields: impl IntoIterator<Item = &'f Field>,
    name: &str,
) -> Option<&'f Value> {
    let mut fields = fields.into_iter().filter(|field| field.name == name);
    fields.find_map(|field| field.content.as_ref())
}

impl Entry {
    /// The inputs of the entry and of `defaults`, in the form that inputs from the environment have. Tags of the entry
    /// override those of `defaults`.
    pub fn inputs(&self) -> RawInputs {
        let mut texts = Vec::new();
        let mut tags: Option<Map<_, _>> = None;
        for field in self.defaults.iter().chain(&self.own) {
            match &field.content {
                Some(Value::Object(own)) => tags.get_or_insert_default().extend(own.clone()),
                Some(Value::String(text)) => texts.push((field.name, text.clone())),
                Some(flag) => texts.push((field.name, flag.to_string())),
                None => {}
            }
        }
        RawInputs {
            name: Some(self.name.clone()),
            tags: tags.map(|tags| Value::from(tags).to_string()),
            ..RawInputs::from_texts(texts)
        }
    }

    /// A problem that a later check finds with an input of this entry, or with `name`, `value` or `json`. It is one of
    /// `defaults` if the entry inherits the input.
    pub fn problem(&self, input: &'static str, text: impl Into<String>) -> UnlocatedProblem {
        let find = |fields: &[Field]| Some(fields.iter().find(|field| field.name == input)?.node);
        let (node, parent) = match (find(&self.own), find(&self.defaults)) {
            (Some(own), _) => (own, self.path.as_str()),
            (None, Some(inherited)) => (inherited, "defaults"),
            (None, None) => (self.node, self.path.as_str()),
        };
        UnlocatedProblem {
            node,
            path: match input {
                "name" => self.path.clone(),
                _ => format!("{parent}.{input}"),
            },
            text: text.into(),
        }
    }

    /// A problem that a later check finds with a member of `json`.
    pub fn member_problem(&self, member: usize, text: impl Into<String>) -> UnlocatedProblem {
        let mut problem = self.problem("json", text);
        if let ValueSpec::Json { members, .. } = &self.spec
            && let Some(member) = members.get(member)
        {
            problem.node = member.node;
            problem.path.push_str(".*");
        }
        problem
    }
}

/// Where the value of a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSpec {
    /// One value.
    Value(Reference),
    /// A JSON object.
    Json {
        /// Its keys, in the file's order.
        members: Vec<Member>,
        /// Whether other keys of the secret's object are kept.
        merge: bool,
    },
}

impl ValueSpec {
    /// The references, and whether each has its own `value-encoding: base64`.
    pub(crate) fn references(&self) -> Vec<(&Reference, bool)> {
        match self {
            Self::Value(reference) => vec![(reference, false)],
            Self::Json { members, .. } => members
                .iter()
                .map(|member| (&member.reference, member.base64))
                .collect(),
        }
    }
}

/// A key of a JSON object and where its value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The path in the object.
    pub key: json::KeyPath,
    /// The source of the value.
    pub reference: Reference,
    /// Whether the value is decoded from base64.
    pub base64: bool,
    /// Whether the value is JSON rather than the text of a string.
    pub as_json: bool,
    /// The node of its source.
    pub(super) node: usize,
}

/// A source of a value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reference {
    /// The variable of this name.
    Env(String),
    /// The file with this path.
    File(String),
    /// Another secret.
    Secret(SecretRef),
    /// Random text, for a secret without a value.
    Generate(GenerateSpec),
}

/// A secret that a value is copied from; only its shape is checked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SecretRef {
    /// Name or ARN.
    pub id: String,
    /// The staging label of the version; AWSCURRENT by default.
    pub stage: Option<String>,
    /// Its region, if not the run's.
    pub region: Option<String>,
    /// ARN of a role to read it with.
    pub role: Option<String>,
}

/// How a value is generated.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GenerateSpec {
    /// The length in characters.
    pub length: usize,
    /// Classes without duplicates; never more than characters.
    #[serde(default = "CharacterClass::defaults")]
    pub classes: Vec<CharacterClass>,
}

/// A class of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CharacterClass {
    /// `a` to `z`
    Lower,
    /// `A` to `Z`
    Upper,
    /// `0` to `9`
    Digits,
    /// Punctuation.
    Symbols,
}

impl CharacterClass {
    /// The words of all classes.
    pub(super) const WORDS: [&'static str; 4] = ["lower", "upper", "digits", "symbols"];

    /// The classes of a value whose entry names none.
    fn defaults() -> Vec<Self> {
        vec![Self::Lower, Self::Upper, Self::Digits]
    }
}
