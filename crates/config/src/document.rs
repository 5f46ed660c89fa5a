//! JSON documents from the members of a manifest entry.

use upsert_secret_core::json::{self, Edit, Rendered};
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
            let rendered = render(member, found).map_err(|why| (member.key.to_string(), why))?;
            Ok(JsonKey {
                key: member.key.clone(),
                rendered,
                seeds: found.generated,
            })
        })
        .collect()
}

fn render(member: &Member, found: &ResolvedValue) -> Result<Rendered, String> {
    let value = SecretValue::new(found.copy(), Kind::String).map_err(|why| why.to_string())?;
    let text = str::from_utf8(value.expose()).map_err(|_| "is not valid UTF-8".to_owned())?;
    if member.as_json {
        Rendered::json(text).map_err(|_| {
            "is not JSON, as `json-value-as: json` asks; it is not shown here".to_owned()
        })
    } else {
        Ok(Rendered::string(text))
    }
}

/// The document that has these keys and no others.
///
/// # Errors
/// Two keys of which one is inside the other's value.
pub(crate) fn document(keys: &[JsonKey]) -> Result<SecretBytes, String> {
    let keys = keys.iter().map(|key| (&key.key, &key.rendered, false));
    match json::set_all(b"{}", keys) {
        Ok(Edit::Changed(text)) => Ok(SecretBytes::new(text.to_vec())),
        Ok(Edit::Unchanged) => Err("has no keys".to_owned()),
        Err(why) => Err(format!("makes no document: {why}")),
    }
}
