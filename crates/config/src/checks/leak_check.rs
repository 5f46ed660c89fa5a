//! Public inputs that contain the value. Names, descriptions and tags are readable for everybody who may list secrets,
//! and appear in logs: a value in one of them was given by mistake. Compares text, and shows none of it.

use std::borrow::Cow;

use upsert_secret_core::connection::{Identity, TokenSource};
use upsert_secret_core::request::Request;

use crate::diagnostics::Diagnostics;

/// The shortest value, in bytes, that does not occur in other text by chance.
pub(crate) const MIN_DISTINCTIVE_BYTES: usize = 16;

/// Rejects public inputs of a request, and of the role it runs with, that contain `value`: the request's value or a
/// part of it.
pub(crate) fn check(
    request: &Request,
    identity: &Identity,
    value: &[u8],
    diagnostics: &mut Diagnostics,
) {
    let value = str::from_utf8(value).unwrap_or_default().trim();
    if value.is_empty() {
        return;
    }
    let is_distinctive = value.len() >= MIN_DISTINCTIVE_BYTES;
    let mut leaking: Vec<&'static str> = public_texts(request)
        .into_iter()
        .chain(role_texts(identity))
        .filter(|(_, text)| text == value || is_distinctive && text.contains(value))
        .map(|(input, _)| input)
        .collect();
    leaking.dedup();
    for input in leaking {
        diagnostics.reject(input, "contains the value, and is not secret itself");
    }
}

/// The texts of the request's public inputs, those of one input together.
fn public_texts(request: &Request) -> Vec<(&'static str, Cow<'_, str>)> {
    let replicas = request.replicas.iter().flatten();
    let replicas = replicas.flat_map(|(region, key)| [Some(region), key.as_ref()]);
    let tags = request.tags.iter().flatten();
    let json_keys = request.json.iter().map(|json| json.path.to_string());
    let mut texts = vec![("name", Cow::from(&request.target.id))];
    let description = request.description.iter().map(Cow::from);
    texts.extend(description.map(|text| ("description", text)));
    let kms_key = request.kms_key_id.iter().map(Cow::from);
    texts.extend(kms_key.map(|text| ("kms-key-id", text)));
    texts.extend(
        replicas
            .flatten()
            .map(|text| ("replica-regions", text.into())),
    );
    let policy = request.policy.iter().map(|policy| policy.text().into());
    texts.extend(policy.map(|text| ("resource-policy", text)));
    texts.extend(
        request
            .stages
            .iter()
            .map(|text| ("version-stages", text.into())),
    );
    texts.extend(json_keys.map(|text| ("json-key", text.into())));
    texts.extend(
        tags.flat_map(|(key, value)| [key, value])
            .map(|text| ("tags", text.into())),
    );
    texts
}

/// The texts of the role, which STS logs.
fn role_texts(identity: &Identity) -> Vec<(&'static str, Cow<'_, str>)> {
    let Some(role) = &identity.role else {
        return Vec::new();
    };
    let mut texts = vec![
        ("role-to-assume", Cow::from(&role.arn)),
        ("role-session-name", Cow::from(&role.session_name)),
    ];
    match &role.source {
        TokenSource::Github(request) => texts.push(("audience", Cow::from(&request.audience))),
        TokenSource::Credentials {
            external_id: Some(id),
        } => texts.push(("role-external-id", Cow::from(id))),
        _ => {}
    }
    texts
}
