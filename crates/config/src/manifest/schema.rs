//! The JSON Schema of a manifest, for editors, made from the table of keys. It says what a schema can;
//! what only reading tells, such as variables that are not set, is said when the file is read.

use serde_json::{Map, Value, json};

use super::given::CharacterClass;
use super::keys::{self, Key, NOT_WITH_JSON, Shape};
use crate::environment::MAX_NAME;

/// The schema (draft-07, the one that editors know).
#[must_use]
pub fn schema() -> Value {
    let mut schema = mapping(keys::FILE.iter());
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "upsert-secret manifest".into();
    schema["definitions"] = json!({
        "entry": entry(),
        "reference": reference(keys::SOURCES),
        "member": reference(keys::MEMBER),
    });
    schema
}

/// A mapping with these keys and no other.
fn mapping<'k>(keys: impl Iterator<Item = &'k Key>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for key in keys {
        let mut property = shape(key.shape);
        property["description"] = key.meaning().into();
        properties.insert(key.name.to_owned(), property);
        if key.required {
            required.push(key.name);
        }
    }
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Text | Shape::Expanded | Shape::Path => text(),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Choice(words) => json!({ "enum": words() }),
        Shape::Tags => json!({
            "type": "object",
            "additionalProperties": { "type": "string" },
        }),
        Shape::Texts(_) => json!({
            "oneOf": [text(), { "type": "array", "items": text(), "minItems": 1 }],
        }),
        Shape::Policy => json!({ "oneOf": [text(), { "type": "object" }] }),
        Shape::Variable => json!({
            "type": "string",
            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
            "maxLength": MAX_NAME,
        }),
        Shape::Length(least, most) => json!({
            "type": "integer",
            "minimum": least,
            "maximum": most,
        }),
        Shape::Classes => json!({
            "type": "array",
            "items": { "enum": CharacterClass::ALL.map(|(word, _)| word) },
            "minItems": 1,
            "uniqueItems": true,
        }),
        // A `$ref` alone: what stands beside one is ignored.
        Shape::Reference => json!({ "allOf": [{ "$ref": "#/definitions/reference" }] }),
        Shape::Members => json!({
            "type": "object",
            "additionalProperties": { "$ref": "#/definitions/member" },
            "minProperties": 1,
        }),
        Shape::Mapping(keys) => mapping(keys.iter()),
        Shape::Defaults(keys) => mapping(keys.iter().filter(|key| key.in_defaults)),
        Shape::Entries(_) => json!({
            "type": "object",
            "additionalProperties": { "$ref": "#/definitions/entry" },
            "minProperties": 1,
        }),
    }
}

/// Text with something in it.
fn text() -> Value {
    json!({ "type": "string", "pattern": "\\S" })
}

fn entry() -> Value {
    let mut entry = mapping(keys::ENTRY.iter());
    let not_with_json: Vec<_> = NOT_WITH_JSON
        .iter()
        .map(|(name, _)| json!({ "required": [name] }))
        .collect();
    entry["oneOf"] = json!([{ "required": ["value"] }, { "required": ["json"] }]);
    entry["dependencies"] = json!({
        "merge": ["json"],
        "json": { "not": { "anyOf": not_with_json } },
    });
    entry
}

/// A mapping with exactly one source among its keys.
fn reference(keys: &'static [Key]) -> Value {
    let mut reference = mapping(keys.iter());
    reference["oneOf"] = keys
        .iter()
        .filter(|key| key.is_source())
        .map(|key| json!({ "required": [key.name] }))
        .collect();
    reference
}
