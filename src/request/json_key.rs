//! `json-key` and `json-value-as`, checked, with what they do not go with.

use super::choices::JsonValueAs;
use super::{CURRENT, Problems};
use crate::inputs::RawInputs;
use crate::json::{JsonText, KeyEdit, KeyPath};
use crate::value::SecretValue;

/// `json-key` and what is put there.
pub struct JsonKey {
    /// Where.
    pub key: KeyPath,
    /// The value, as JSON.
    pub rendered: JsonText,
    /// It is for a document that does not have the key yet; what is there stays.
    pub seeds: bool,
}

impl JsonKey {
    /// As `json` takes it.
    #[must_use]
    pub fn edit(&self) -> KeyEdit<'_> {
        KeyEdit {
            path: &self.key,
            value: &self.rendered,
            only_if_absent: self.seeds,
        }
    }
}

/// `json-key` and `json-value-as`, and what they do not go with.
pub(super) fn check(
    raw: &RawInputs,
    value: Option<&SecretValue>,
    problems: &mut Problems,
) -> Vec<JsonKey> {
    one(raw, value, problems).into_iter().collect()
}

/// What keys of a document do not go with; `input` is what asks for them.
pub(super) fn conflicts(raw: &RawInputs, input: &'static str, problems: &mut Problems) {
    if raw.compare.as_deref() == Some("never") {
        problems.add(
            input,
            "cannot be set with `compare: never`: the other keys have to be read to be kept",
        );
    }
    if raw
        .version_stages
        .as_deref()
        .is_some_and(|stages| stages != CURRENT)
    {
        problems.add(
            input,
            "cannot be set in a version beside the current one: whoever made that current later would undo what \
             others did to the other keys in the meantime; leave `version-stages` out, or stage the whole document",
        );
    }
}

fn one(raw: &RawInputs, value: Option<&SecretValue>, problems: &mut Problems) -> Option<JsonKey> {
    let how = problems.choice(
        "json-value-as",
        raw.json_value_as.as_deref(),
        &[("string", JsonValueAs::String), ("json", JsonValueAs::Json)],
    );
    let Some(text) = &raw.json_key else {
        if raw.json_value_as.is_some() {
            problems.add("json-value-as", "is given, but no `json-key`");
        }
        return None;
    };
    conflicts(raw, "json-key", problems);
    if raw.store_as.as_deref() == Some("binary") {
        problems.add("json-key", "is for strings; `store-as: binary` has no keys");
        return None;
    }
    let key = KeyPath::parse(text)
        .map_err(|why| problems.add("json-key", why.to_string()))
        .ok();
    // What is wrong with the value itself has been said.
    let text = str::from_utf8(value?.expose()).ok()?;
    let rendered = match how {
        JsonValueAs::String => JsonText::string(text),
        JsonValueAs::Json => JsonText::json(text)
            .map_err(|_| {
                problems.add(
                    "value",
                    "is not JSON, as `json-value-as: json` asks; it is not shown here",
                );
            })
            .ok()?,
    };
    Some(JsonKey {
        key: key?,
        rendered,
        seeds: false,
    })
}
