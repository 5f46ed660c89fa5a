//! From an entry and its values to a request, and what cannot be combined in one.

use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::request::Request;
use upsert_secret_core::target::Target;
use upsert_secret_core::value::{Kind, SecretBytes};

use crate::checks::{json_key, leak_check};
use crate::diagnostics::{Diagnostics, Spelling};
use crate::document;
use crate::inputs::RawInputs;
use crate::manifest::{Entry, ValueSpec};
use crate::request;
use crate::resolve::ResolvedValue;
use crate::value_source::Source;

/// What all entries share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) connection: Arc<Connection>,
    pub(super) key: Option<Arc<SecretBytes>>,
    pub(super) all_or_nothing: bool,
}

/// A request, and what is wrong with which key of its entry.
pub(super) struct Assembled {
    pub(super) request: Request,
    pub(super) problems: Vec<(&'static str, String)>,
    pub(super) warnings: Vec<String>,
}

/// The request of an entry, and what is wrong with which key.
pub(super) fn assemble(entry: &Entry, found: &[ResolvedValue], shared: &Shared) -> Assembled {
    let mut diagnostics = Diagnostics::new(Spelling::Key);
    let mut raw = entry.inputs();
    raw.version_id_key.clone_from(&shared.key);
    // Decoded already.
    raw.value_encoding = None;
    let mut keys = Vec::new();
    let mut seeds = false;
    let (composed, merge) = match &entry.spec {
        ValueSpec::Value(_) => (false, false),
        ValueSpec::Json { merge, .. } => (!merge, *merge),
    };
    let (bytes, input) = match &entry.spec {
        ValueSpec::Value(_) => {
            let one = found.first();
            seeds = one.is_some_and(|found| found.generated);
            // A binary secret stays one wherever it is promoted to.
            if raw.store_as.is_none() && one.is_some_and(|found| found.kind == Some(Kind::Binary)) {
                raw.store_as = Some("binary".to_owned());
            }
            (one.map(ResolvedValue::copy), "value")
        }
        ValueSpec::Json { members, .. } => {
            let bytes = document::keys(members, found)
                .map_err(|(key, why)| {
                    diagnostics.reject("json", format!("has a key {key} whose value {why}"));
                })
                .and_then(|made| {
                    let document =
                        document::document(&made).map_err(|why| diagnostics.reject("json", why));
                    keys = made;
                    document
                });
            (bytes.ok(), "json")
        }
    };
    if merge {
        json_key::conflicts(&raw, "merge", &mut diagnostics);
    }
    if seeds || keys.iter().any(|key| key.seeds) {
        seed_conflicts(&raw, &mut diagnostics);
    }
    if shared.all_or_nothing {
        transaction_conflicts(&raw, &mut diagnostics);
    }
    let id = Target::parse(&entry.name)
        .map_err(|why| diagnostics.reject("name", why))
        .ok();
    let region = shared.connection.region.as_deref();
    if let Some(own) = id.as_ref().and_then(Target::region)
        && region != Some(own)
    {
        let here = region.unwrap_or("the profile's region");
        diagnostics.reject(
            "name",
            format!("is an ARN of {own}, but this run is about {here}"),
        );
    }
    let broken = bytes.is_none();
    let source = Source {
        bytes: bytes.unwrap_or_else(|| ResolvedValue::stand_in().copy()),
        input,
        unmasked: true,
    };
    let mut warnings = Vec::new();
    let mut request = request::check(
        raw,
        id,
        source,
        &shared.connection,
        &mut diagnostics,
        &mut warnings,
    );
    if broken {
        // What was said of the stand-in is not about the manifest.
        diagnostics.of_keys.retain(|(key, _)| *key != "value");
    }
    request.composed = composed;
    request.seeds = seeds;
    if matches!(entry.spec, ValueSpec::Json { .. }) {
        for part in found {
            leak_check::check(
                &request,
                &shared.connection.identity,
                part.expose(),
                &mut diagnostics,
            );
        }
    }
    if merge {
        request.json = keys;
    }
    Assembled {
        request,
        problems: diagnostics.of_keys,
        warnings,
    }
}

fn seed_conflicts(raw: &RawInputs, diagnostics: &mut Diagnostics) {
    if names_others_than_current(raw) {
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

fn transaction_conflicts(raw: &RawInputs, diagnostics: &mut Diagnostics) {
    if names_others_than_current(raw) {
        diagnostics.reject(
            "version-stages",
            "must have AWSCURRENT with `all-or-nothing`, which is about what becomes current",
        );
    }
}

fn names_others_than_current(raw: &RawInputs) -> bool {
    raw.version_stages.as_deref().is_some_and(|stages| {
        !stages
            .split(|c: char| c == ',' || c.is_whitespace())
            .any(|stage| stage == CURRENT)
    })
}
