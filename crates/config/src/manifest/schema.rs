//! The JSON Schema of a manifest, for editors, generated from the table of keys. It cannot express every rule: for example,
//! variables are checked when the manifest is read.

use serde_json::{Map, Value, json};

use super::keys::{self, Key, NOT_WITH_DOTENV, NOT_WITH_JSON, Shape};
use super::model::CharacterClass;
use crate::environment::MAX_NAME;

/// Generates the JSON Schema (draft-07, which editors support).
pub fn schema() -> Value {
    let mut schema = mapping_schema(keys::FILE.iter());
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "upsert-secret manifest".into();
    schema["definitions"] = json!({
        "entry": entry_schema(),
        "reference": source_schema(keys::VALUE),
        "member": source_schema(keys::MEMBER),
    });
    schema
}

fn mapping_schema<'k>(keys: impl Iterator<Item = &'k Key>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for key in keys {
        let mut property = shape_schema(key.shape);
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

fn shape_schema(shape: Shape) -> Value {
    match shape {
        Shape::Text | Shape::Expanded | Shape::Path => text_schema(),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Choice(words) => json!({ "enum": words() }),
        Shape::Tags => json!({
            "type": "object",
            "additionalProperties": { "type": "string" },
        }),
        Shape::Texts(_) => json!({
            "oneOf": [text_schema(), { "type": "array", "items": text_schema(), "minItems": 1 }],
        }),
        Shape::Policy => json!({ "oneOf": [text_schema(), { "type": "object" }] }),
        Shape::Pointer => json!({ "type": "string", "pattern": "^/" }),
        Shape::Variable => json!({
            "type": "string",
            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
            "maxLength": MAX_NAME,
        }),
        Shape::Length(min, max) => json!({
            "type": "integer",
            "minimum": min,
            "maximum": max,
        }),
        Shape::Classes => json!({
            "type": "array",
            "items": { "enum": CharacterClass::WORDS },
            "minItems": 1,
            "uniqueItems": true,
        }),
        // In `allOf`, because a `$ref` hides its siblings, such as the description.
        Shape::Reference => json!({ "allOf": [{ "$ref": "#/definitions/reference" }] }),
        Shape::Members => json!({
            "type": "object",
            "additionalProperties": { "$ref": "#/definitions/member" },
            "minProperties": 1,
        }),
        Shape::Mapping(keys) => mapping_schema(keys.iter()),
        Shape::Defaults => mapping_schema(keys::ENTRY.iter().filter(|key| key.in_defaults)),
        Shape::Entries => json!({
            "type": "object",
            "additionalProperties": { "$ref": "#/definitions/entry" },
            "minProperties": 1,
        }),
    }
}

/// Text that is not blank.
fn text_schema() -> Value {
    json!({ "type": "string", "pattern": "\\S" })
}

fn entry_schema() -> Value {
    let mut entry = mapping_schema(keys::ENTRY.iter());
    let none_of = |rejected: &[(&str, &str)]| {
        let names = rejected.iter().map(|(name, _)| name);
        let any: Vec<_> = names.map(|name| json!({ "required": [name] })).collect();
        json!({ "not": { "anyOf": any } })
    };
    let has_dotenv = json!({
        "required": ["value"],
        "properties": { "value": { "required": ["dotenv"] } },
    });
    entry["oneOf"] = json!([{ "required": ["value"] }, { "required": ["json"] }]);
    entry["dependencies"] = json!({
        "merge": { "anyOf": [{ "required": ["json"] }, has_dotenv] },
        "json": none_of(NOT_WITH_JSON),
    });
    entry["if"] = has_dotenv;
    entry["then"] = none_of(NOT_WITH_DOTENV);
    entry
}

/// A mapping with exactly one source among its keys.
fn source_schema(keys: &'static [Key]) -> Value {
    let mut reference = mapping_schema(keys.iter());
    let is_source = |key: &&Key| keys::SOURCES.iter().any(|source| source.name == key.name);
    reference["oneOf"] = keys
        .iter()
        .filter(is_source)
        .map(|key| json!({ "required": [key.name] }))
        .collect();
    reference
}
