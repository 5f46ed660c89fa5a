//! The table of a manifest's keys: the content and meaning of each. Entries, `defaults` and the JSON Schema all use it, so they
//! cannot differ. The table of inputs describes keys that are inputs.

use upsert_secret_core::choices::{
    Choice as _, Compare, IfExists, JsonValueAs, OnRotation, OnScheduledDeletion,
    OnValueInMetadata, ReplicaPolicy, TagPolicy, ValueEncoding,
};
use upsert_secret_core::value::Kind;

use super::model::CharacterClass;
use crate::inputs;

/// A key of a manifest.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Whether it may be in `defaults`.
    pub(super) in_defaults: bool,
    /// Whether its mapping requires it.
    pub(super) required: bool,
    help: Option<&'static str>,
}

/// The content of a key.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Text.
    Text,
    /// Text in which `${NAME}` is expanded.
    Expanded,
    /// `true` or `false`.
    Flag,
    /// One of a fixed set of words.
    Choice(fn() -> Vec<&'static str>),
    /// A mapping of text to text.
    Tags,
    /// Text, or a list of texts to join with this separator.
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
    /// A JSON pointer.
    Pointer,
    /// A mapping with one of [`SOURCES`].
    Reference,
    /// A mapping from keys of a document to mappings with keys of [`MEMBER`].
    Members,
    /// A mapping with the given keys.
    Mapping(&'static [Key]),
    /// A mapping with the keys of [`ENTRY`] that are allowed in `defaults`.
    Defaults,
    /// A mapping from secret names to mappings with the keys of [`ENTRY`].
    Entries,
}

impl Key {
    /// An input that is only allowed in entries.
    const fn single(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            shape,
            in_defaults: false,
            required: false,
            help: None,
        }
    }

    /// An input that is allowed in entries and in `defaults`.
    const fn input(name: &'static str, shape: Shape) -> Self {
        Self::single(name, shape).in_defaults()
    }

    /// A key that is not an input.
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

    /// The description in the documentation and the JSON Schema.
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
        "Defaults for all secrets; an entry overrides them.",
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
        "`true`: make either every new version current or none.",
    ),
    Key::new(
        "$schema",
        Shape::Text,
        "URL of the manifest schema, for editors; ignored.",
    ),
];

/// The keys of an entry; those allowed in `defaults` are marked.
pub(super) const ENTRY: &[Key] = &[
    Key::new(
        "value",
        Shape::Reference,
        "Source of the value; never the value itself.",
    ),
    Key::new(
        "json",
        Shape::Members,
        "The value is a JSON object; each key, or JSON pointer (`/database/password`) to a nested key, \
         names the source of its value.",
    ),
    Key::new(
        "merge",
        Shape::Flag,
        "`true`: set the keys of `json` or of the `dotenv` file, and keep the other keys of the object. \
         Default: `false`: the object has exactly these keys.",
    ),
    ENCODING,
    Key::input("store-as", Shape::Choice(Kind::words)),
    Key::single("json-key", Shape::Text),
    Key::new(
        "json-value-as",
        Shape::Choice(JsonValueAs::words),
        "`json`: the value of `json-key`, or of `pointer`, is JSON, not a string. Default: `string`.",
    ),
    Key::input("description", Shape::Expanded),
    Key::input("kms-key-id", Shape::Text),
    Key::new(
        "tags",
        Shape::Tags,
        "Tags, added to those of `defaults`, over which they take precedence. Default: leave unchanged.",
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
    Key::input(
        "on-value-in-metadata",
        Shape::Choice(OnValueInMetadata::words),
    ),
];

/// The encoding of a single value. A `.env` file is a separate source.
const ENCODING: Key = Key::new(
    "value-encoding",
    Shape::Choice(|| {
        let mut words = ValueEncoding::words();
        words.retain(|word| *word != "dotenv");
        words
    }),
    "`base64`: decode the value before storing it. Default: `text`.",
);

/// The sources of a value.
pub(super) const SOURCES: &[Key] = REFERENCE.split_at(5).0;

/// The keys of `value`: its source, and the element to extract from it.
pub(super) const VALUE: &[Key] = REFERENCE.split_at(6).0;

/// The keys of a member of `json`: its source, which is a single value, and how to read it.
pub(super) const MEMBER: &[Key] = REFERENCE.split_at(1).1;

/// All keys of a reference, ordered so that the other lists are slices of it.
const REFERENCE: &[Key] = &[
    Key::new(
        "dotenv",
        Shape::Path,
        "The path of a `.env` file whose pairs become a JSON object. `${NAME}` is replaced by the variable of that name.",
    ),
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
        "A random value, generated if the secret has no value yet.",
    ),
    Key::new(
        "pointer",
        Shape::Pointer,
        "With `env`, `file` and `secret`: a JSON pointer (`/database/password`) to the value inside a JSON document. A \
         string is used as text; with `json-value-as: json`, any value is used as JSON.",
    ),
    ENCODING,
    Key::new(
        "json-value-as",
        Shape::Choice(JsonValueAs::words),
        "`json`: the value is JSON, not a string. Default: `string`.",
    ),
];

const SECRET_REF: &[Key] = &[
    Key::new(
        "id",
        Shape::Expanded,
        "Name or ARN of the secret. `${NAME}` is replaced by the variable of that name.",
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
        "Region of the secret. Default: the region of the run.",
    ),
    Key::new(
        "role",
        Shape::Text,
        "ARN of a role to read the secret with. Default: the credentials of the run.",
    ),
];

const GENERATE_SPEC: &[Key] = &[
    Key::new("length", Shape::Length(8, 4_096), "Number of characters.").required(),
    Key::new(
        "classes",
        Shape::Classes,
        "Kinds of characters, at least one of each. Default: `lower`, `upper` and `digits`.",
    ),
];

// A generated value has at least one character of each class.
const _: () = assert!(CharacterClass::WORDS.len() <= 8);

const OF_MEMBERS: &str = "cannot be combined with `json`; it is for one of its members";

/// The keys that `json` cannot be combined with, and the reasons.
pub(super) const NOT_WITH_JSON: &[(&str, &str)] = &[
    (
        "json-key",
        "cannot be combined with `json`, whose keys determine where a value goes",
    ),
    ("json-value-as", OF_MEMBERS),
    ("value-encoding", OF_MEMBERS),
];

/// The keys that `dotenv` cannot be combined with, and the reasons.
pub(super) const NOT_WITH_DOTENV: &[(&str, &str)] = &[
    (
        "json-key",
        "cannot be combined with `dotenv`, whose pairs are the keys of the document",
    ),
    (
        "json-value-as",
        "cannot be combined with `dotenv`, whose values are strings",
    ),
    (
        "value-encoding",
        "cannot be combined with `dotenv`, whose values are text",
    ),
];

/// The key with the most similar name, if any is similar.
pub(super) fn nearest_key(name: &str, keys: &'static [Key]) -> Option<&'static str> {
    // No key is that long, and the comparison time grows with the length.
    if name.len() > 64 {
        return None;
    }
    keys.iter()
        .map(|key| (strsim::levenshtein(key.name, name), key.name))
        .min()
        .filter(|(distance, nearest)| *distance <= 3 && distance * 2 < nearest.len())
        .map(|(_, nearest)| nearest)
}
