//! A parsed manifest: secrets, their inputs as text, and references to their values. Plain data with a checked structure. Must
//! never hold a value.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use upsert_secret_core::json;

use super::problem::UnlocatedProblem;
use crate::inputs::RawInputs;

/// A parsed manifest.
#[derive(Debug)]
pub struct Manifest {
    /// `all-or-nothing`, if set in the manifest.
    pub all_or_nothing: Option<bool>,
    /// The entries of `secrets`, in file order.
    pub entries: Vec<Entry>,
}

/// The entry of a secret.
#[derive(Debug)]
pub struct Entry {
    /// The name or ARN, with variables expanded.
    pub name: String,
    /// The source of its value.
    pub spec: ValueSpec,
    /// The path and node of the name.
    pub(super) path: String,
    pub(super) node: usize,
    pub(super) own: Vec<Field>,
    /// Shared, so that a long policy is not copied into each of thousands of entries.
    pub(super) defaults: Arc<Vec<Field>>,
}

/// A key of a mapping, with its content.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) node: usize,
    /// Parsed by its shape; `None` if it is invalid, or has a separate reader.
    pub(super) content: Option<Value>,
}

/// The content of the first valid field with a name.
pub(super) fn content<'f>(
    fields: impl IntoIterator<Item = &'f Field>,
    name: &str,
) -> Option<&'f Value> {
    let mut fields = fields.into_iter().filter(|field| field.name == name);
    fields.find_map(|field| field.content.as_ref())
}

impl Entry {
    /// The inputs of the entry and of `defaults`, in the same form as inputs from the environment. Tags of the entry override
    /// those of `defaults`.
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

    /// A problem that a later check finds with an input of this entry, or with `name`, `value` or `json`. It belongs to
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

/// The source of a secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSpec {
    /// One value.
    Value {
        /// Its source.
        reference: Reference,
        /// The location in the source's JSON document.
        pointer: Option<json::KeyPath>,
    },
    /// A JSON object built from the pairs of a `.env` file.
    Dotenv {
        /// The file, a [`Reference::Dotenv`].
        reference: Reference,
        /// Whether to keep other keys of the secret's object.
        merge: bool,
    },
    /// A JSON object.
    Json {
        /// Its keys, in file order.
        members: Vec<Member>,
        /// Whether to keep other keys of the secret's object.
        merge: bool,
    },
}

impl ValueSpec {
    /// The references, and how to read the value of each unless the entry overrides it.
    pub(crate) fn references(&self) -> Vec<Qualified<'_>> {
        match self {
            Self::Value { reference, pointer } => vec![Qualified {
                pointer: pointer.as_ref(),
                ..Qualified::of(reference)
            }],
            Self::Dotenv { reference, .. } => vec![Qualified::of(reference)],
            Self::Json { members, .. } => members
                .iter()
                .map(|member| Qualified {
                    reference: &member.reference,
                    base64: member.base64,
                    pointer: member.pointer.as_ref(),
                    as_json: member.as_json,
                })
                .collect(),
        }
    }

    /// The key that `json-value-as` belongs next to, for an element of a document.
    pub(crate) fn pointer_neighbor(&self) -> &'static str {
        match self {
            Self::Json { .. } => "pointer",
            Self::Value { .. } | Self::Dotenv { .. } => "value",
        }
    }

    /// Whether to keep other keys of the secret's object.
    pub(crate) fn is_merge(&self) -> bool {
        matches!(
            self,
            Self::Json { merge: true, .. } | Self::Dotenv { merge: true, .. }
        )
    }
}

/// A reference, and how to read its value.
pub(crate) struct Qualified<'s> {
    pub(crate) reference: &'s Reference,
    /// Whether to decode the value from base64.
    pub(crate) base64: bool,
    /// The location in a JSON document.
    pub(crate) pointer: Option<&'s json::KeyPath>,
    /// Whether it is JSON rather than the text of a string.
    pub(crate) as_json: bool,
}

impl<'s> Qualified<'s> {
    fn of(reference: &'s Reference) -> Self {
        Self {
            reference,
            base64: false,
            pointer: None,
            as_json: false,
        }
    }
}

/// A key of a JSON object and the source of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The path in the object.
    pub key: json::KeyPath,
    /// The source of the value.
    pub reference: Reference,
    /// Whether to decode the value from base64.
    pub base64: bool,
    /// The location of the value in the source's JSON document.
    pub pointer: Option<json::KeyPath>,
    /// Whether the value is JSON rather than the text of a string.
    pub as_json: bool,
    /// The node of its source.
    pub(super) node: usize,
}

/// A source of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reference {
    /// The variable with this name.
    Env(String),
    /// The file with this path.
    File(String),
    /// The `.env` file with this path.
    Dotenv(String),
    /// Another secret.
    Secret(SecretRef),
    /// Random text, only for a secret without a value.
    Generate(GenerateSpec),
}

/// A secret to copy a value from; only its format is checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct SecretRef {
    /// Name or ARN.
    pub id: String,
    /// The staging label of the version; defaults to AWSCURRENT.
    pub stage: Option<String>,
    /// Its region, if it differs from the run's.
    pub region: Option<String>,
    /// The ARN of a role for reading it.
    pub role: Option<String>,
}

/// How a value is generated.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct GenerateSpec {
    /// The length in characters.
    pub length: usize,
    /// Classes without duplicates; never more than there are characters.
    #[serde(default = "CharacterClass::defaults")]
    pub classes: Vec<CharacterClass>,
}

/// A class of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
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

    /// The default classes of a value.
    fn defaults() -> Vec<Self> {
        vec![Self::Lower, Self::Upper, Self::Digits]
    }
}
