//! Public inputs that contain the value. Names, descriptions and tags are readable for everybody who may list secrets,
//! and appear in logs: a value in one of them was given by mistake. Compares text, and shows none of it.

use std::borrow::Cow;
use std::iter;

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
    let is_leak = |text: &Cow<'_, str>| text == value || is_distinctive && text.contains(value);
    for (input, texts) in public_texts(request)
        .into_iter()
        .chain(role_texts(identity))
    {
        if texts.iter().any(is_leak) {
            diagnostics.reject(input, "contains the value, and is not secret itself");
        }
    }
}

type InputTexts<'a> = (&'static str, Vec<Cow<'a, str>>);

fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> Vec<Cow<'a, str>> {
    texts.into_iter().map(Cow::from).collect()
}

/// The public inputs of a request.
fn public_texts(request: &Request) -> Vec<InputTexts<'_>> {
    let replicas = request.replicas.iter().flatten();
    let tags = request.tags.iter().flatten();
    let policy = request.policy.iter().map(|policy| policy.text().into());
    let json_keys = request.json.iter().map(|key| key.path.to_string().into());
    vec![
        ("name", texts([&request.target.id])),
        ("description", texts(&request.description)),
        ("kms-key-id", texts(&request.kms_key_id)),
        (
            "replica-regions",
            texts(replicas.flat_map(|(region, key)| iter::once(region).chain(key))),
        ),
        ("resource-policy", policy.collect()),
        ("version-stages", texts(&request.stages)),
        ("json-key", json_keys.collect()),
        ("tags", texts(tags.flat_map(|(key, value)| [key, value]))),
    ]
}

/// The inputs of a role that STS logs.
fn role_texts(identity: &Identity) -> Vec<InputTexts<'_>> {
    let Some(role) = &identity.role else {
        return Vec::new();
    };
    let source = match &role.source {
        TokenSource::Github(request) => ("audience", texts([&request.audience])),
        TokenSource::Credentials { external_id } => ("role-external-id", texts(external_id)),
        TokenSource::Token(_) | TokenSource::TokenFile(_) => ("role-to-assume", Vec::new()),
    };
    vec![
        ("role-to-assume", texts([&role.arn])),
        ("role-session-name", texts([&role.session_name])),
        source,
    ]
}
