//! Assembles the request of a manifest entry from its inputs and values, and rejects invalid combinations in an entry. Must not
//! read values itself, or quote one in a message.

use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::request::Request;
use upsert_secret_core::target::Target;
use upsert_secret_core::value::{Kind, SecretBytes};

use crate::checks::json_key;
use crate::diagnostics::Diagnostics;
use crate::document::{self, Part};
use crate::dotenv::Pair;
use crate::files::PATH_OF_FILE;
use crate::inputs::{RawInputs, items};
use crate::manifest::{Entry, ValueSpec};
use crate::request;
use crate::resolve::ResolvedValue;
use crate::spelling::Spelling;
use crate::value_source::Source;

/// Settings shared by all entries of a manifest.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) connection: Arc<Connection>,
    pub(super) version_id_key: Option<Arc<SecretBytes>>,
    pub(super) all_or_nothing: bool,
}

/// Checks an entry with `values`, one per reference. The request is valid only if there is no problem.
pub(super) fn assemble(
    entry: &Entry,
    values: &[ResolvedValue],
    shared: &Shared,
) -> (Request, Diagnostics) {
    let mut diagnostics = Diagnostics::new(Spelling::Input);
    let mut raw = entry.inputs();
    raw.version_id_key.clone_from(&shared.version_id_key);
    if let ValueSpec::Value { pointer, .. } = &entry.spec {
        // A binary secret stays binary when it is copied.
        if raw.store_as.is_none() && values[0].kind == Some(Kind::Binary) {
            raw.store_as = Some("binary".to_owned());
        }
        // The element has already been extracted from a document.
        if pointer.is_some() && raw.json_key.is_none() {
            raw.json_value_as = None;
        }
    }
    let input = match entry.spec {
        ValueSpec::Json { .. } => "json",
        ValueSpec::Value { .. } | ValueSpec::Dotenv { .. } => "value",
    };
    let is_single = matches!(entry.spec, ValueSpec::Value { .. });
    let (bytes, keys) = if is_single {
        (values[0].bytes(), Vec::new())
    } else {
        let parts = parts(entry, values);
        let composed = document::compose(&parts);
        if composed.is_ok() {
            for warning in document::warnings(&parts) {
                diagnostics.warn(warning);
            }
        }
        composed.unwrap_or_else(|why| {
            diagnostics.reject(input, why);
            (ResolvedValue::stand_in().bytes(), Vec::new())
        })
    };
    let is_merge = entry.spec.is_merge();
    let is_path = is_single && values[0].is_path_of_file;
    let source = Source {
        bytes,
        input,
        warnings: Vec::from_iter(is_path.then(|| format!("the value {PATH_OF_FILE}"))),
        composed: Vec::new(),
    };
    let is_generated = values.iter().any(|value| value.generated);
    if is_merge {
        json_key::check_conflicts(&raw, "merge", &mut diagnostics);
    }
    check_conflicts(&raw, is_generated, shared.all_or_nothing, &mut diagnostics);
    let connection = &shared.connection;
    let target = check_target(entry, connection, &mut diagnostics);
    let mut request = request::check(raw, target, source, values, connection, &mut diagnostics);
    request.seeds = is_single && is_generated;
    if is_merge {
        request.json = keys;
    } else {
        request.composed = keys.into_iter().map(|key| key.path).collect();
    }
    (request, diagnostics)
}

/// The parts of the document that an entry composes.
fn parts<'e>(entry: &'e Entry, values: &'e [ResolvedValue]) -> Vec<Part<'e>> {
    match &entry.spec {
        ValueSpec::Value { .. } => Vec::new(),
        ValueSpec::Dotenv { .. } => pairs(values).map(Part::of_pair).collect(),
        ValueSpec::Json { members, .. } => {
            let parts = members.iter().zip(values).map(|(member, value)| Part {
                key: &member.key,
                value: value.bytes(),
                as_json: member.as_json,
                seeds: value.generated,
                is_path_of_file: value.is_path_of_file,
                pair: None,
            });
            parts.collect()
        }
    }
}

fn pairs(values: &[ResolvedValue]) -> impl Iterator<Item = &Pair> {
    values
        .iter()
        .flat_map(|value| value.pairs.iter().flat_map(|pairs| pairs.iter()))
}

pub(super) fn check_target(
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
            format!("is an ARN of {of_arn}, but this run is for {region}"),
        );
    }
    Some(target)
}

/// Rejects settings that cannot be combined with generated values or `all-or-nothing`.
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
            "must include AWSCURRENT if the value is generated, because `generate` is for secrets without \
             a value",
        );
    }
    if is_generated && raw.expected_version_id.is_some() {
        diagnostics.reject(
            "expected-version-id",
            "requires an existing version, but `generate` is for secrets without a value",
        );
    }
    if excludes_current && all_or_nothing {
        diagnostics.reject(
            "version-stages",
            "must include AWSCURRENT with `all-or-nothing`",
        );
    }
}
