//! Public inputs that contain the value. Names, descriptions and tags can be read by everyone who may list secrets, and
//! appear in every log: a value in one of them was mixed up with it.

use upsert_secret_core::connection::{Identity, TokenSource};
use upsert_secret_core::request::Request;

use crate::diagnostics::Diagnostics;

/// From this length on a value does not occur in a name by chance.
pub(crate) const MIN_TELLING_BYTES: usize = 16;

/// Rejects public inputs of a request, and of the role it runs with, that contain `value`: its own value or a part of
/// it.
pub(crate) fn check(
    request: &Request,
    identity: &Identity,
    value: &[u8],
    diagnostics: &mut Diagnostics,
) {
    let Ok(value) = str::from_utf8(value) else {
        return;
    };
    let value = value.trim();
    let shows = |text: &str| {
        !value.is_empty()
            && (text == value || value.len() >= MIN_TELLING_BYTES && text.contains(value))
    };
    let tags = request.tags.iter().flatten();
    let public = [
        ("name", shows(&request.target.id)),
        (
            "description",
            request.description.as_deref().is_some_and(shows),
        ),
        (
            "kms-key-id",
            request.kms_key_id.as_deref().is_some_and(shows),
        ),
        (
            "replica-regions",
            request
                .replicas
                .iter()
                .flatten()
                .any(|(region, key)| shows(region) || key.as_deref().is_some_and(shows)),
        ),
        (
            "resource-policy",
            request
                .policy
                .as_ref()
                .is_some_and(|policy| shows(policy.text())),
        ),
        (
            "version-stages",
            request.stages.iter().any(|label| shows(label)),
        ),
        (
            "json-key",
            request
                .json
                .iter()
                .any(|json| shows(&json.path.to_string())),
        ),
        (
            "tags",
            tags.flat_map(|(key, value)| [key, value])
                .any(|text| shows(text)),
        ),
    ];
    // STS's log keeps these.
    let role = identity.role.as_ref();
    let of_role = role.map(|role| {
        let (audience, external_id) = match &role.source {
            TokenSource::Github(request) => (Some(&request.audience), None),
            TokenSource::Credentials { external_id } => (None, external_id.as_ref()),
            _ => (None, None),
        };
        [
            ("role-to-assume", Some(&role.arn)),
            ("role-session-name", Some(&role.session_name)),
            ("audience", audience),
            ("role-external-id", external_id),
        ]
        .map(|(input, text)| (input, text.is_some_and(|text| shows(text))))
    });
    for (input, shown) in public.into_iter().chain(of_role.into_iter().flatten()) {
        if shown {
            diagnostics.reject(input, "contains the value, and is not secret itself");
        }
    }
}
