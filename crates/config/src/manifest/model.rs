//! A parsed manifest: secrets, their inputs as text, and references to their values. Plain data, checked for its shape
//! only. It never holds a value.

use std::collections::BTreeMap;
use std::sync::Arc;

use upsert_secret_core::json;

use super::problem::InputProblem;
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
    /// Position among the entries of the file, which counts invalid ones.
    pub(super) index: usize,
    pub(super) own: Inputs,
    pub(super) defaults: Arc<Inputs>,
}

/// Inputs as text. An entry has its own and shares the defaults, so that a long policy is not copied into each of
/// thousands of entries.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub(super) texts: Vec<(&'static str, String)>,
    pub(super) tags: Option<BTreeMap<String, String>>,
}

impl Inputs {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let (_, text) = self.texts.iter().find(|(input, _)| *input == name)?;
        Some(text)
    }
}

impl Entry {
    /// The inputs of the entry and of `defaults`, in the form that inputs from the environment have.
    pub fn inputs(&self) -> RawInputs {
        let texts = self.defaults.texts.iter().chain(&self.own.texts);
        RawInputs {
            name: Some(self.name.clone()),
            tags: self.tags(),
            ..RawInputs::from_texts(texts.cloned())
        }
    }

    /// The tags of the entry and of `defaults` as a JSON object. The entry's override those of `defaults`.
    fn tags(&self) -> Option<String> {
        if self.own.tags.is_none() && self.defaults.tags.is_none() {
            return None;
        }
        let own = self.own.tags.iter().flatten();
        let tags: serde_json::Map<_, _> = (self.defaults.tags.iter().flatten())
            .chain(own)
            .map(|(key, value)| (key.clone(), value.clone().into()))
            .collect();
        Some(serde_json::Value::from(tags).to_string())
    }

    /// A problem that a later check finds with an input of this entry, or with `name`, `value` or `json`.
    pub fn problem(&self, input: &'static str, text: impl Into<String>) -> InputProblem {
        InputProblem {
            entry_index: self.index,
            input,
            member: None,
            text: text.into(),
        }
    }

    /// A problem that a later check finds with a member of `json`.
    pub fn member_problem(&self, member: usize, text: impl Into<String>) -> InputProblem {
        InputProblem {
            member: Some(member),
            ..self.problem("json", text)
        }
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
}

/// A source of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerateSpec {
    /// The length in characters.
    pub length: usize,
    /// Classes without duplicates; never more than characters.
    pub classes: Vec<CharacterClass>,
}

/// A class of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Every class, and its word in a manifest.
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("lower", Self::Lower),
        ("upper", Self::Upper),
        ("digits", Self::Digits),
        ("symbols", Self::Symbols),
    ];
    /// The classes of a value whose entry names none.
    pub(super) const DEFAULT: [Self; 3] = [Self::Lower, Self::Upper, Self::Digits];
}
