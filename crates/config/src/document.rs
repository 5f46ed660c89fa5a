//! JSON documents from the members of a manifest entry.

use upsert_secret_core::json::{self, JsonText, KeyEdit};
use upsert_secret_core::request::JsonKey;
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue};

use crate::manifest::Member;
use crate::resolve::ResolvedValue;

/// The members of a document as keys to be set.
///
/// # Errors
/// What is wrong with which of them.
pub(crate) fn keys(
    members: &[Member],
    found: &[ResolvedValue],
) -> Result<Vec<JsonKey>, (String, String)> {
    members
        .iter()
        .zip(found)
        .map(|(member, found)| {
            let text = render(member, found).map_err(|why| (member.key.to_string(), why))?;
            Ok(JsonKey {
                path: member.key.clone(),
                text,
                seeds: found.generated,
            })
        })
        .collect()
}

fn render(member: &Member, found: &ResolvedValue) -> Result<JsonText, String> {
    let value = SecretValue::new(found.copy(), Kind::String).map_err(|why| why.to_string())?;
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
pub(crate) fn document(keys: &[JsonKey]) -> Result<SecretBytes, String> {
    let edits = keys.iter().map(|key| KeyEdit {
        only_if_absent: false,
        ..key.edit()
    });
    match json::apply_edits(b"{}", edits) {
        Ok(Some(text)) => Ok(SecretBytes::new(text.as_bytes().to_vec())),
        Ok(None) => Err("has no keys".to_owned()),
        Err(why) => Err(format!("makes no document: {why}")),
    }
}
