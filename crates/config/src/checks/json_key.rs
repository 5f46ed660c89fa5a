//! `json-key` and `json-value-as`, and the inputs that they cannot be combined with. Does not access the document in the
//! secret.

use upsert_secret_core::choices::JsonValueAs;
use upsert_secret_core::json::{JsonText, KeyPath};
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::request::JsonKey;
use upsert_secret_core::value::SecretValue;

use crate::diagnostics::Diagnostics;
use crate::inputs::RawInputs;

/// Rejects inputs that cannot be combined with writing keys of a document; `input` is the input that names the keys.
pub(crate) fn check_conflicts(raw: &RawInputs, input: &'static str, diagnostics: &mut Diagnostics) {
    if raw.compare.as_deref() == Some("never") {
        diagnostics.reject(
            input,
            "cannot be used with `compare: never`: the other keys must be read to be kept",
        );
    }
    if !matches!(raw.version_stages.as_deref(), None | Some(CURRENT)) {
        diagnostics.reject(
            input,
            "cannot be set in a staged version: promoting it later would revert changes that other writers \
             made to other keys; omit `version-stages`, or stage the whole document",
        );
    }
}

/// Parses a value that must itself be JSON. The error does not quote it.
pub(crate) fn parse_json(text: &str) -> Result<JsonText, &'static str> {
    JsonText::json(text).map_err(|why| {
        if why.byte_order_mark {
            "begins with a byte order mark (U+FEFF), which JSON (`json-value-as: json`) does not allow"
        } else {
            "is not JSON, which `json-value-as: json` requires; it is not shown here"
        }
    })
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
            diagnostics.reject("json-value-as", "is set, but `json-key` is not");
        }
        return None;
    };
    if raw.value_encoding.as_deref() == Some("dotenv") {
        diagnostics.reject(
            "json-key",
            "cannot be combined with `value-encoding: dotenv`, whose pairs are the keys of the document",
        );
    }
    check_conflicts(raw, "json-key", diagnostics);
    if raw.store_as.as_deref() == Some("binary") {
        diagnostics.reject("json-key", "is for strings; `store-as: binary` has no keys");
        return None;
    }
    let path = KeyPath::parse(text).map_err(|why| why.to_string());
    let path = diagnostics.accept("json-key", path);
    // A problem with the value itself has already been reported.
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
