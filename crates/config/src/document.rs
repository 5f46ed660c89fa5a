//! JSON documents from the members of a manifest entry and their values. No value is ever in a message.

use upsert_secret_core::json::{self, JsonText};
use upsert_secret_core::request::JsonKey;
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue};

use crate::manifest::Member;
use crate::resolve::ResolvedValue;

/// The keys that members set, each with the value in the same position.
///
/// # Errors
/// Why a value cannot be the value of its key.
pub(crate) fn keys(members: &[Member], values: &[ResolvedValue]) -> Result<Vec<JsonKey>, String> {
    members
        .iter()
        .zip(values)
        .map(|(member, value)| {
            let text = render(member, value)
                .map_err(|why| format!("has a key {} whose value {why}", member.key))?;
            Ok(JsonKey {
                path: member.key.clone(),
                text,
                seeds: value.generated,
            })
        })
        .collect()
}

fn render(member: &Member, value: &ResolvedValue) -> Result<JsonText, String> {
    let value = SecretValue::new(value.copy(), Kind::String).map_err(|why| why.to_string())?;
    let text = str::from_utf8(value.expose()).map_err(|_| "is not valid UTF-8".to_owned())?;
    if member.as_json {
        JsonText::json(text).map_err(|_| {
            "is not JSON, as `json-value-as: json` asks; it is not shown here".to_owned()
        })
    } else {
        Ok(JsonText::string(text))
    }
}

/// The document that has these keys and no others.
///
/// # Errors
/// Two keys of which one is inside the other's value.
pub(crate) fn compose(keys: &[JsonKey]) -> Result<SecretBytes, String> {
    match json::apply_edits(b"{}", keys) {
        Ok(Some(text)) => Ok(SecretBytes::new(text.as_bytes().to_vec())),
        Ok(None) => Err("has no keys".to_owned()),
        Err(why) => Err(format!("makes no document: {why}")),
    }
}
