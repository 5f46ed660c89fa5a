//! The request of a manifest entry, assembled from its inputs and values, and what cannot be combined in one entry.
//! Reads no value itself, and quotes none in a message.

use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::json::{self, JsonText};
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::request::{JsonKey, Request};
use upsert_secret_core::target::Target;
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue};

use crate::checks::{json_key, leak_check};
use crate::diagnostics::{Diagnostics, Spelling};
use crate::inputs::{RawInputs, items};
use crate::manifest::{Entry, Member, ValueSpec};
use crate::request;
use crate::resolve::ResolvedValue;
use crate::value_source::Source;

/// What all entries of a manifest share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) connection: Arc<Connection>,
    pub(super) version_id_key: Option<Arc<SecretBytes>>,
    pub(super) all_or_nothing: bool,
}

/// Checks an entry with `values`, one for each of its references. The request is valid only if there is no problem.
pub(super) fn assemble(
    entry: &Entry,
    values: &[ResolvedValue],
    shared: &Shared,
) -> (Request, Diagnostics) {
    let mut diagnostics = Diagnostics::new(Spelling::Input);
    let mut raw = entry.inputs();
    raw.version_id_key.clone_from(&shared.version_id_key);
    let (bytes, keys) = match &entry.spec {
        ValueSpec::Value(_) => {
            // A binary secret stays one wherever it is copied to.
            if raw.store_as.is_none() && values[0].kind == Some(Kind::Binary) {
                raw.store_as = Some("binary".to_owned());
            }
            (values[0].copy(), Vec::new())
        }
        ValueSpec::Json { members, .. } => compose(members, values).unwrap_or_else(|why| {
            diagnostics.reject("json", why);
            (ResolvedValue::stand_in().copy(), Vec::new())
        }),
    };
    let is_json = matches!(entry.spec, ValueSpec::Json { .. });
    let is_merge = matches!(entry.spec, ValueSpec::Json { merge: true, .. });
    let input = if is_json { "json" } else { "value" };
    let source = Source { bytes, input };
    let is_generated = values.iter().any(|value| value.generated);
    if is_merge {
        json_key::check_conflicts(&raw, "merge", &mut diagnostics);
    }
    check_conflicts(&raw, is_generated, shared.all_or_nothing, &mut diagnostics);
    let connection = &shared.connection;
    let target = check_target(entry, connection, &mut diagnostics);
    let mut request = request::check(raw, target, source, connection, &mut diagnostics);
    if is_json {
        for value in values {
            leak_check::check(&request, connection, value.expose(), &mut diagnostics);
        }
    }
    request.composed = is_json && !is_merge;
    request.seeds = !is_json && is_generated;
    if is_merge {
        request.json = keys;
    }
    (request, diagnostics)
}

/// The document with the keys that members set, each to the value in the same position, and no others; and the keys.
///
/// # Errors
/// Why a value cannot be the value of its key; or two keys of which one is inside the other's value.
fn compose(
    members: &[Member],
    values: &[ResolvedValue],
) -> Result<(SecretBytes, Vec<JsonKey>), String> {
    let mut keys = Vec::with_capacity(members.len());
    for (member, value) in members.iter().zip(values) {
        let text = render(member, value)
            .map_err(|why| format!("has a key {} whose value {why}", member.key))?;
        keys.push(JsonKey {
            path: member.key.clone(),
            text,
            seeds: value.generated,
        });
    }
    match json::apply_edits(b"{}", &keys) {
        Ok(Some(text)) => {
            let document = SecretBytes::new(text.as_bytes().to_vec());
            Ok((document, keys))
        }
        Ok(None) => Err("has no keys".to_owned()),
        Err(why) => Err(format!("makes no document: {why}")),
    }
}

fn render(member: &Member, value: &ResolvedValue) -> Result<JsonText, String> {
    let value = SecretValue::new(value.copy(), Kind::String).map_err(|why| why.to_string())?;
    let text = str::from_utf8(value.expose()).map_err(|_| "is not valid UTF-8".to_owned())?;
    if member.as_json {
        Ok(json_key::parse_json(text)?)
    } else {
        Ok(JsonText::string(text))
    }
}

fn check_target(
    entry: &Entry,
    connection: &Connection,
    diagnostics: &mut Diagnostics,
) -> Option<Target> {
    let target = diagnostics.accept("name", Target::parse(&entry.name))?;
    let region = connection.region.as_deref();
    if let Some(of_arn) = target.region()
        && region != Some(of_arn)
    {
        let region = region.unwrap_or("the profile's region");
        diagnostics.reject(
            "name",
            format!("is an ARN of {of_arn}, but this run is about {region}"),
        );
    }
    Some(target)
}

/// Rejects what generated values and `all-or-nothing` cannot be combined with.
fn check_conflicts(
    raw: &RawInputs,
    is_generated: bool,
    all_or_nothing: bool,
    diagnostics: &mut Diagnostics,
) {
    let stages = raw.version_stages.as_deref();
    let excludes_current =
        stages.is_some_and(|stages| !items(stages).any(|stage| stage == CURRENT));
    if excludes_current && is_generated {
        diagnostics.reject(
            "version-stages",
            "must have AWSCURRENT where a value is generated: it is for a secret that has none yet",
        );
    }
    if is_generated && raw.expected_version_id.is_some() {
        diagnostics.reject(
            "expected-version-id",
            "expects a version, and `generate` is for a secret that has none",
        );
    }
    if excludes_current && all_or_nothing {
        diagnostics.reject(
            "version-stages",
            "must have AWSCURRENT with `all-or-nothing`, which is about what becomes current",
        );
    }
}
