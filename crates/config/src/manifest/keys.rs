//! The table of a manifest's keys: what each holds and means. Entries, `defaults` and the JSON Schema all follow it, so
//! they cannot differ. The meaning of a key that is an input is in the table of inputs.

use upsert_secret_core::choices::{
    Choice as _, Compare, IfExists, JsonValueAs, OnRotation, OnScheduledDeletion, ReplicaPolicy,
    TagPolicy, ValueEncoding,
};
use upsert_secret_core::value::Kind;

use super::model::CharacterClass;
use crate::inputs;

/// A key of a manifest.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Whether `defaults` can have it.
    pub(super) in_defaults: bool,
    /// Whether its mapping must have it.
    pub(super) required: bool,
    help: Option<&'static str>,
}

/// What a key holds.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Text.
    Text,
    /// Text in which `${NAME}` is replaced.
    Expanded,
    /// `true` or `false`.
    Flag,
    /// One of a few words.
    Choice(fn() -> Vec<&'static str>),
    /// A mapping of text to text.
    Tags,
    /// Text, or a list of texts that are joined with this separator.
    Texts(&'static str),
    /// Text, or a mapping that becomes JSON.
    Policy,
    /// The name of a variable.
    Variable,
    /// The path of a file.
    Path,
    /// A whole number from a minimum to a maximum.
    Length(u64, u64),
    /// A list of character classes.
    Classes,
    /// A mapping with one of [`SOURCES`].
    Reference,
    /// A mapping from keys of a document to mappings with keys of [`MEMBER`].
    Members,
    /// A mapping with the given keys.
    Mapping(&'static [Key]),
    /// A mapping with the keys of [`ENTRY`] that `defaults` can have.
    Defaults,
    /// A mapping from names of secrets to mappings with the keys of [`ENTRY`].
    Entries,
}

impl Key {
    /// An input that only entries can have.
    const fn single(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            shape,
            in_defaults: false,
            required: false,
            help: None,
        }
    }

    /// An input, which entries and `defaults` can have.
    const fn input(name: &'static str, shape: Shape) -> Self {
        Self::single(name, shape).in_defaults()
    }

    /// A key with a meaning of its own in a manifest.
    const fn new(name: &'static str, shape: Shape, help: &'static str) -> Self {
        let mut key = Self::single(name, shape);
        key.help = Some(help);
        key
    }

    const fn in_defaults(mut self) -> Self {
        self.in_defaults = true;
        self
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The description in the documents and the JSON Schema.
    pub(super) fn meaning(&self) -> String {
        if let Some(help) = self.help {
            return help.to_owned();
        }
        match inputs::all().iter().find(|input| input.name == self.name) {
            None => String::new(),
            Some(input) if input.default.is_empty() => input.help.to_owned(),
            Some(input) => format!("{} Default: {}.", input.help, input.default),
        }
    }
}

/// The keys at the top level.
pub(super) const FILE: &[Key] = &[
    Key::new(
        "defaults",
        Shape::Defaults,
        "What every secret has whose entry does not say otherwise.",
    ),
    Key::new(
        "secrets",
        Shape::Entries,
        "The secrets by name or ARN. `${NAME}` is replaced by the variable of that name.",
    )
    .required(),
    Key::new(
        "all-or-nothing",
        Shape::Flag,
        "`true`: nothing is written unless every secret can be.",
    ),
    Key::new(
        "$schema",
        Shape::Text,
        "Where the schema of manifests is, for editors; ignored.",
    ),
];

/// The keys of an entry; those that `defaults` can have are marked.
pub(super) const ENTRY: &[Key] = &[
    Key::new(
        "value",
        Shape::Reference,
        "Where the value comes from; never the value itself.",
    ),
    Key::new(
        "json",
        Shape::Members,
        "The value is a JSON object, and this is where each of its keys comes from: a key, or a JSON pointer \
         (`/database/password`) for a nested one.",
    ),
    Key::new(
        "merge",
        Shape::Flag,
        "`true`: set the keys of `json`, and leave the others of the object as they are. Default: `false`, the object has \
         these keys and no other.",
    ),
    Key::single("value-encoding", Shape::Choice(ValueEncoding::words)),
    Key::input("store-as", Shape::Choice(Kind::words)),
    Key::single("json-key", Shape::Text),
    Key::single("json-value-as", Shape::Choice(JsonValueAs::words)),
    Key::input("description", Shape::Expanded),
    Key::input("kms-key-id", Shape::Text),
    Key::new(
        "tags",
        Shape::Tags,
        "Tags. Those of a secret are added to those of `defaults`, and win. Default: leave as they are.",
    )
    .in_defaults(),
    Key::input("tag-policy", Shape::Choice(TagPolicy::words)),
    Key::input("replica-regions", Shape::Texts("\n")),
    Key::input("replica-policy", Shape::Choice(ReplicaPolicy::words)),
    Key::input("resource-policy", Shape::Policy),
    Key::input("allow-public-policy", Shape::Flag),
    Key::input("if-exists", Shape::Choice(IfExists::words)),
    Key::input("compare", Shape::Choice(Compare::words)),
    Key::input("version-stages", Shape::Texts(",")),
    Key::single("expected-version-id", Shape::Text),
    Key::input(
        "on-scheduled-deletion",
        Shape::Choice(OnScheduledDeletion::words),
    ),
    Key::input("on-rotation", Shape::Choice(OnRotation::words)),
];

/// The sources of a value.
pub(super) const SOURCES: &[Key] = MEMBER.split_at(4).0;

/// The keys of a member of `json`: its source, and how the value is read.
pub(super) const MEMBER: &[Key] = &[
    Key::new(
        "env",
        Shape::Variable,
        "The name of the variable that holds the value.",
    ),
    Key::new(
        "file",
        Shape::Path,
        "The path of a file that holds the value, byte for byte. `${NAME}` is replaced by the variable of that name.",
    ),
    Key::new(
        "secret",
        Shape::Mapping(SECRET_REF),
        "Another secret of Secrets Manager that holds the value.",
    ),
    Key::new(
        "generate",
        Shape::Mapping(GENERATE_SPEC),
        "A random value, made when there is none yet.",
    ),
    Key::single("value-encoding", Shape::Choice(ValueEncoding::words)),
    Key::new(
        "json-value-as",
        Shape::Choice(JsonValueAs::words),
        "`json`: the value is JSON itself, not a string. Default: `string`.",
    ),
];

const SECRET_REF: &[Key] = &[
    Key::new(
        "id",
        Shape::Expanded,
        "Its name or ARN. `${NAME}` is replaced by the variable of that name.",
    )
    .required(),
    Key::new(
        "stage",
        Shape::Text,
        "The staging label of the version. Default: `AWSCURRENT`.",
    ),
    Key::new(
        "region",
        Shape::Text,
        "Its region. Default: that of the run.",
    ),
    Key::new(
        "role",
        Shape::Text,
        "ARN of a role to read it with. Default: the credentials of the run.",
    ),
];

const GENERATE_SPEC: &[Key] = &[
    Key::new("length", Shape::Length(8, 4_096), "How many characters.").required(),
    Key::new(
        "classes",
        Shape::Classes,
        "Which characters, at least one of each kind. Default: `lower`, `upper` and `digits`.",
    ),
];

// A generated value has at least one character of each class.
const _: () = assert!(CharacterClass::WORDS.len() <= 8);

const OF_MEMBERS: &str = "does not go with `json`; it is for one of its members";

/// The keys that `json` cannot be combined with, and why.
pub(super) const NOT_WITH_JSON: &[(&str, &str)] = &[
    (
        "json-key",
        "does not go with `json`, whose keys say where a value goes",
    ),
    ("json-value-as", OF_MEMBERS),
    ("value-encoding", OF_MEMBERS),
];

/// The key with the most similar name, if one is similar.
pub(super) fn nearest_key(name: &str, keys: &'static [Key]) -> Option<&'static str> {
    // No key is that long, and the time of the comparison grows with the length.
    if name.len() > 64 {
        return None;
    }
    keys.iter()
        .map(|key| (strsim::levenshtein(key.name, name), key.name))
        .min()
        .filter(|(distance, nearest)| *distance <= 3 && distance * 2 < nearest.len())
        .map(|(_, nearest)| nearest)
}
