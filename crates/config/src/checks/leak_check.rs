//! Public inputs that contain the value. Names, descriptions and tags are readable for everybody who may list secrets,
//! and appear in logs: a value in one of them was given by mistake. Compares text, and shows none of it.

use std::iter;

use upsert_secret_core::connection::{Connection, TokenSource};
use upsert_secret_core::request::Request;
use upsert_secret_core::resource_policy::ResourcePolicy;

use crate::diagnostics::Diagnostics;

/// The shortest value, in bytes, that does not occur in other text by chance.
pub(crate) const MIN_DISTINCTIVE_BYTES: usize = 16;

/// Rejects public inputs of a request, and of the role it runs with, that contain `value`: the request's value or a
/// part of it.
pub(crate) fn check(
    request: &Request,
    connection: &Connection,
    value: &[u8],
    diagnostics: &mut Diagnostics,
) {
    let value = str::from_utf8(value).unwrap_or_default().trim();
    if value.is_empty() {
        return;
    }
    let mut check = LeakCheck { value, diagnostics };
    let replicas = request.replicas.iter().flatten();
    let tags = request.tags.iter().flatten();
    let policy = request.policy.as_ref().map(ResourcePolicy::text);
    let json_keys = request.json.iter().map(|key| key.path.to_string());
    check.input("name", [&request.target.id]);
    check.input("description", &request.description);
    check.input("kms-key-id", &request.kms_key_id);
    check.input(
        "replica-regions",
        replicas.flat_map(|(region, key)| iter::once(region).chain(key)),
    );
    check.input("resource-policy", policy);
    check.input("version-stages", &request.stages);
    check.input("json-key", json_keys);
    check.input("tags", tags.flat_map(|(key, value)| [key, value]));
    // STS logs these.
    let Some(role) = &connection.identity.role else {
        return;
    };
    check.input("role-to-assume", [&role.arn]);
    check.input("role-session-name", [&role.session_name]);
    match &role.source {
        TokenSource::Github(request) => check.input("audience", [&request.audience]),
        TokenSource::Credentials { external_id } => check.input("role-external-id", external_id),
        TokenSource::Token(_) | TokenSource::TokenFile(_) => {}
    }
}

struct LeakCheck<'a> {
    value: &'a str,
    diagnostics: &'a mut Diagnostics,
}

impl LeakCheck<'_> {
    fn input(&mut self, input: &'static str, texts: impl IntoIterator<Item = impl AsRef<str>>) {
        let is_distinctive = self.value.len() >= MIN_DISTINCTIVE_BYTES;
        let is_leak =
            |text: &str| text == self.value || is_distinctive && text.contains(self.value);
        if texts.into_iter().any(|text| is_leak(text.as_ref())) {
            let why = "contains the value, and is not secret itself";
            self.diagnostics.reject(input, why);
        }
    }
}
