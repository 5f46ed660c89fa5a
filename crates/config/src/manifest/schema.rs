//! The JSON Schema of a manifest, for editors, generated from the table of keys. It cannot express every rule:
//! variables, for example, are checked when the manifest is read.

use serde_json::{Map, Value, json};

use super::keys::{self, Key, NOT_WITH_JSON, Shape};
use super::model::CharacterClass;
use crate::environment::MAX_NAME;

/// Generates the JSON Schema in draft-07, which editors support.
pub fn schema() -> Value {
    let mut schema = mapping_schema(keys::FILE.iter());
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "upsert-secret manifest".into();
    schema["definitions"] = json!({
        "entry": entry_schema(),
        "reference": source_schema(keys::SOURCES),
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
fn source_schema(keys: &'static [Key]) -> Value {
    let mut reference = mapping_schema(keys.iter());
    reference["oneOf"] = keys::SOURCES
        .iter()
        .map(|key| json!({ "required": [key.name] }))
        .collect();
    reference
}
