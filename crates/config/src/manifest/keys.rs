//! The one table of what may stand in a manifest: keys, what each holds, what it means. The file is read
//! by it, `defaults` are, and the JSON Schema is made from it, so the three cannot differ. What a key
//! means that is an input is said where inputs are.

use upsert_secret_core::choices::{
    Choice as _, Compare, IfExists, JsonValueAs, OnRotation, OnScheduledDeletion, ReplicaPolicy,
    StoreAs, TagPolicy, ValueEncoding,
};

use super::given::CharacterClass;
use crate::inputs;

/// A key, and what it holds.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Whether `defaults` may have it.
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
    /// One of these words.
    Choice(fn() -> Vec<&'static str>),
    /// A mapping of text to text.
    Tags,
    /// Text, or a list of texts that become one with this between them.
    Texts(&'static str),
    /// Text, or a mapping that becomes JSON.
    Policy,
    /// The name of a variable.
    Variable,
    /// The path of a file.
    Path,
    /// A whole number between these two.
    Length(usize, usize),
    /// A list of kinds of characters.
    Classes,
    /// Where a value comes from: one of [`SOURCES`].
    Reference,
    /// A mapping from keys of a document to such: each one of [`MEMBER`]'s sources, and what qualifies it.
    Members,
    /// A mapping with these keys.
    Mapping(&'static [Key]),
    /// What a secret has where its entry does not say.
    Defaults(&'static [Key]),
    /// Secrets by name.
    Entries(&'static [Key]),
}

impl Key {
    /// An input that a secret has.
    const fn input(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            shape,
            in_defaults: true,
            required: false,
            help: None,
        }
    }

    /// An input that belongs to one secret alone.
    const fn single(name: &'static str, shape: Shape) -> Self {
        Self {
            in_defaults: false,
            ..Self::input(name, shape)
        }
    }

    /// A key that is no input, or not quite.
    const fn new(name: &'static str, shape: Shape, help: &'static str) -> Self {
        Self {
            help: Some(help),
            ..Self::single(name, shape)
        }
    }

    const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// What it means, in the words of the documents.
    pub(super) fn meaning(&self) -> String {
        let own = self.help.map(str::to_owned);
        own.or_else(|| {
            let input = inputs::all()
                .into_iter()
                .find(|input| input.name == self.name)?;
            Some(match input.default {
                "" => input.help.to_owned(),
                default => format!("{} Default: {default}.", input.help),
            })
        })
        .unwrap_or_default()
    }

    /// Whether it says where a value comes from.
    pub(super) fn is_source(&self) -> bool {
        SOURCES.iter().any(|source| source.name == self.name)
    }
}

/// The whole file.
pub(super) const FILE: &[Key] = &[
    Key::new(
        "defaults",
        Shape::Defaults(ENTRY),
        "What every secret has whose entry does not say otherwise.",
    ),
    Key::new(
        "secrets",
        Shape::Entries(ENTRY),
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

/// One secret, and `defaults`.
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
    Key::input("store-as", Shape::Choice(StoreAs::words)),
    Key::single("json-key", Shape::Text),
    Key::single("json-value-as", Shape::Choice(JsonValueAs::words)),
    Key::input("description", Shape::Expanded),
    Key::input("kms-key-id", Shape::Text),
    Key {
        in_defaults: true,
        ..Key::new(
            "tags",
            Shape::Tags,
            "Tags. Those of a secret are added to those of `defaults`, and win. Default: leave as they are.",
        )
    },
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

const ENV: Key = Key::new(
    "env",
    Shape::Variable,
    "The name of the variable that holds the value.",
);
const FILE_SOURCE: Key = Key::new(
    "file",
    Shape::Path,
    "The path of a file that holds the value, byte for byte. `${NAME}` is replaced by the variable of that name.",
);
const SECRET: Key = Key::new(
    "secret",
    Shape::Mapping(ORIGIN),
    "Another secret of Secrets Manager that holds the value.",
);
const GENERATE: Key = Key::new(
    "generate",
    Shape::Mapping(RECIPE),
    "A random value, made when there is none yet.",
);

/// Where a value comes from.
pub(super) const SOURCES: &[Key] = &[ENV, FILE_SOURCE, SECRET, GENERATE];

/// Where a key of a document comes from, and how it is read.
pub(super) const MEMBER: &[Key] = &[
    ENV,
    FILE_SOURCE,
    SECRET,
    GENERATE,
    Key::single("value-encoding", Shape::Choice(ValueEncoding::words)),
    Key::new(
        "json-value-as",
        Shape::Choice(JsonValueAs::words),
        "`json`: the value is JSON itself, not a string. Default: `string`.",
    ),
];

const ORIGIN: &[Key] = &[
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

const RECIPE: &[Key] = &[
    Key::new("length", Shape::Length(8, 4_096), "How many characters.").required(),
    Key::new(
        "classes",
        Shape::Classes,
        "Which characters, at least one of each kind. Default: `lower`, `upper` and `digits`.",
    ),
];

// A generated value has one of each kind.
const _: () = assert!(CharacterClass::ALL.len() <= 8);

/// What `json` does not go with in the same entry, and why.
pub(super) const NOT_WITH_JSON: &[(&str, &str)] = &[
    (
        "json-key",
        "does not go with `json`, whose keys say where a value goes",
    ),
    (
        "json-value-as",
        "does not go with `json`; it is for one of its members",
    ),
    (
        "value-encoding",
        "does not go with `json`; it is for one of its members",
    ),
];

/// The input with the nearest name, where one is near.
pub(super) fn near(name: &str, keys: &'static [Key]) -> Option<&'static str> {
    // No key is that long, and the comparison takes time.
    if name.len() > 64 {
        return None;
    }
    keys.iter()
        .map(|key| (strsim::levenshtein(key.name, name), key.name))
        .min()
        .filter(|(distance, near)| *distance <= 3 && distance * 2 < near.len())
        .map(|(_, near)| near)
}
