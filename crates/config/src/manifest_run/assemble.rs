//! The request of a manifest entry, assembled from its inputs and values, and what cannot be combined in one entry.
//! Reads no value itself.

use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::request::{JsonKey, Request};
use upsert_secret_core::target::Target;
use upsert_secret_core::value::{Kind, SecretBytes};

use crate::checks::{json_key, leak_check};
use crate::diagnostics::{Diagnostics, Spelling};
use crate::document;
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
    // The values are decoded already.
    raw.value_encoding = None;
    let mut keys = Vec::new();
    let source = match &entry.spec {
        ValueSpec::Value(_) => {
            // A binary secret stays one wherever it is copied to.
            if raw.store_as.is_none() && values[0].kind == Some(Kind::Binary) {
                raw.store_as = Some("binary".to_owned());
            }
            Source {
                bytes: values[0].copy(),
                input: "value",
            }
        }
        ValueSpec::Json { members, .. } => {
            let (json_keys, bytes) = compose(members, values, &mut diagnostics);
            keys = json_keys;
            Source {
                bytes,
                input: "json",
            }
        }
    };
    let is_json = matches!(entry.spec, ValueSpec::Json { .. });
    let is_merge = matches!(entry.spec, ValueSpec::Json { merge: true, .. });
    if is_merge {
        json_key::check_conflicts(&raw, "merge", &mut diagnostics);
    }
    if values.iter().any(|value| value.generated) {
        check_seed_conflicts(&raw, &mut diagnostics);
    }
    if shared.all_or_nothing {
        check_transaction_conflicts(&raw, &mut diagnostics);
    }
    let target = check_target(entry, &shared.connection, &mut diagnostics);
    let connection = &shared.connection;
    let mut request = request::check(raw, target, source, connection, &mut diagnostics);
    if is_json {
        for value in values {
            leak_check::check(&request, connection, value.expose(), &mut diagnostics);
        }
    }
    request.composed = is_json && !is_merge;
    request.seeds = !is_json && values[0].generated;
    if is_merge {
        request.json = keys;
    }
    (request, diagnostics)
}

/// The keys of a document and the document itself; a stand-in for one that cannot be composed.
fn compose(
    members: &[Member],
    values: &[ResolvedValue],
    diagnostics: &mut Diagnostics,
) -> (Vec<JsonKey>, SecretBytes) {
    document::keys(members, values)
        .and_then(|keys| {
            let document = document::compose(&keys)?;
            Ok((keys, document))
        })
        .unwrap_or_else(|why| {
            diagnostics.reject("json", why);
            (Vec::new(), ResolvedValue::stand_in().copy())
        })
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

/// A generated value is for a secret without a current value.
fn check_seed_conflicts(raw: &RawInputs, diagnostics: &mut Diagnostics) {
    if excludes_current(raw) {
        diagnostics.reject(
            "version-stages",
            "must have AWSCURRENT where a value is generated: it is for a secret that has none yet",
        );
    }
    if raw.expected_version_id.is_some() {
        diagnostics.reject(
            "expected-version-id",
            "expects a version, and `generate` is for a secret that has none",
        );
    }
}

fn check_transaction_conflicts(raw: &RawInputs, diagnostics: &mut Diagnostics) {
    if excludes_current(raw) {
        diagnostics.reject(
            "version-stages",
            "must have AWSCURRENT with `all-or-nothing`, which is about what becomes current",
        );
    }
}

fn excludes_current(raw: &RawInputs) -> bool {
    raw.version_stages
        .as_deref()
        .is_some_and(|stages| !items(stages).any(|stage| stage == CURRENT))
}
