//! What a manifest comes to: secrets, their inputs as text, and where their values come from. Plain
//! data, none of it checked beyond its shape; no value is ever in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::problem::InputProblem;
use crate::inputs::RawInputs;
use upsert_secret_core::json;

/// A manifest.
#[derive(Debug)]
pub struct Manifest {
    /// ValueSpec only.
    pub all_or_nothing: Option<bool>,
    /// One for each entry of `secrets`, in the file's order.
    pub entries: Vec<Entry>,
}

/// One secret.
#[derive(Debug)]
pub struct Entry {
    /// The name or ARN, with variables replaced.
    pub name: String,
    /// What it shall hold.
    pub spec: ValueSpec,
    /// Which pair of `secrets` it is.
    pub(super) nth: usize,
    pub(super) own: Inputs,
    pub(super) defaults: Arc<Inputs>,
}

/// Inputs as text. A target keeps its own and shares the defaults: a long policy there would
/// otherwise be held once for each of thousands of secrets.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub(super) texts: Vec<(&'static str, String)>,
    pub(super) tags: Option<BTreeMap<String, String>>,
}

impl Inputs {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let (_, text) = self.texts.iter().find(|(given, _)| *given == name)?;
        Some(text)
    }
}

impl Entry {
    /// The inputs of this secret, with those of `defaults`, as the environment would give them.
    #[must_use]
    pub fn inputs(&self) -> RawInputs {
        let mut inputs = RawInputs {
            name: Some(self.name.clone()),
            tags: self.tags(),
            ..RawInputs::default()
        };
        for (name, text) in self.defaults.texts.iter().chain(&self.own.texts) {
            inputs.set(name, text.clone());
        }
        inputs
    }

    /// A JSON object; what the entry says wins.
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

    /// A problem that a later check finds with an input of this secret, by the input's name; also with
    /// `name`, `value` or `json`.
    #[must_use]
    pub fn problem(&self, input: &'static str, text: impl Into<String>) -> InputProblem {
        InputProblem {
            nth: self.nth,
            input,
            member: None,
            text: text.into(),
        }
    }

    /// The same, with one of the members of `json`.
    #[must_use]
    pub fn member_problem(&self, member: usize, text: impl Into<String>) -> InputProblem {
        InputProblem {
            member: Some(member),
            ..self.problem("json", text)
        }
    }
}

/// What a secret shall hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSpec {
    /// One value.
    Value(Reference),
    /// A JSON object.
    Json {
        /// Its keys, in the file's order.
        members: Vec<Member>,
        /// Whether the other keys that the secret has stay.
        merge: bool,
    },
}

impl ValueSpec {
    /// The references, and whether each is base64 by itself.
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

/// One key of a JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Where in the object.
    pub key: json::KeyPath,
    /// Where its value comes from.
    pub reference: Reference,
    /// Whether that is base64 and to be decoded.
    pub base64: bool,
    /// Whether that is JSON itself rather than the text of a string.
    pub as_json: bool,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The variable of this name.
    Env(String),
    /// The file with this path.
    File(String),
    /// Another secret.
    Secret(SecretRef),
    /// Nowhere: it is made.
    Generate(GenerateSpec),
}

/// A secret that a value is taken from. Nothing but shape is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRef {
    /// Name or ARN.
    pub id: String,
    /// The staging label of the version.
    pub stage: Option<String>,
    /// Where it is.
    pub region: Option<String>,
    /// Who may read it.
    pub role: Option<String>,
}

/// How a value is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerateSpec {
    /// In characters.
    pub length: usize,
    /// Kinds of characters, each once; there are never more of them than characters.
    pub classes: Vec<CharacterClass>,
}

/// A kind of characters.
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
    /// Every kind, and its word in a manifest.
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("lower", Self::Lower),
        ("upper", Self::Upper),
        ("digits", Self::Digits),
        ("symbols", Self::Symbols),
    ];
    /// Those of a value whose entry does not say.
    pub(super) const USUAL: [Self; 3] = [Self::Lower, Self::Upper, Self::Digits];
}
