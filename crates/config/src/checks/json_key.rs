//! `json-key` and `json-value-as`, and what they cannot be combined with. Knows nothing of the document in the secret.

use upsert_secret_core::choices::JsonValueAs;
use upsert_secret_core::json::{JsonText, KeyPath};
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::request::JsonKey;
use upsert_secret_core::value::SecretValue;

use crate::diagnostics::Diagnostics;
use crate::inputs::RawInputs;

/// Rejects what writing keys of a document cannot be combined with; `input` is the input that names the keys.
pub(crate) fn check_conflicts(raw: &RawInputs, input: &'static str, diagnostics: &mut Diagnostics) {
    if raw.compare.as_deref() == Some("never") {
        diagnostics.reject(
            input,
            "cannot be set with `compare: never`: the other keys have to be read to be kept",
        );
    }
    if !matches!(raw.version_stages.as_deref(), None | Some(CURRENT)) {
        diagnostics.reject(
            input,
            "cannot be set in a version beside the current one: whoever made that current later would undo what \
             others did to the other keys in the meantime; leave `version-stages` out, or stage the whole document",
        );
    }
}

/// Parses a value that is to be JSON itself. The error does not quote it.
pub(crate) fn parse_json(text: &str) -> Result<JsonText, &'static str> {
    JsonText::json(text)
        .map_err(|_| "is not JSON, as `json-value-as: json` asks; it is not shown here")
}

/// Checks `json-key` and `json-value-as`.
pub(crate) fn check(
    raw: &RawInputs,
    value: Option<&SecretValue>,
    diagnostics: &mut Diagnostics,
) -> Option<JsonKey> {
    let value_as = diagnostics.choice("json-value-as", raw.json_value_as.as_deref());
    let Some(text) = &raw.json_key else {
        if raw.json_value_as.is_some() {
            diagnostics.reject("json-value-as", "is given, but no `json-key`");
        }
        return None;
    };
    check_conflicts(raw, "json-key", diagnostics);
    if raw.store_as.as_deref() == Some("binary") {
        diagnostics.reject("json-key", "is for strings; `store-as: binary` has no keys");
        return None;
    }
    let path = KeyPath::parse(text).map_err(|why| why.to_string());
    let path = diagnostics.accept("json-key", path);
    // A problem with the value itself has been reported already.
    let text = str::from_utf8(value?.expose()).ok()?;
    let text = match value_as {
        JsonValueAs::String => JsonText::string(text),
        JsonValueAs::Json => diagnostics.accept("value", parse_json(text))?,
    };
    Some(JsonKey {
        path: path?,
        text,
        seeds: false,
    })
}
