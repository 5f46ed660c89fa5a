//! From an entry and its values to a request, and what does not go together in one.

use super::Around;
use crate::inputs::RawInputs;
use crate::manifest::{self, Given};
use crate::request::material::{self, Found};
use crate::request::{CURRENT, Problems, Request, Source, Spelling, Target, json_key};
use crate::value::Kind;

/// The request of an entry, and what is wrong with which key.
pub(super) fn assemble(
    target: &manifest::Target,
    found: &[Found],
    around: &Around,
) -> (Request, Vec<(&'static str, String)>) {
    let mut problems = Problems::new(Spelling::Key);
    let mut raw = target.inputs();
    raw.version_id_key.clone_from(&around.key);
    // Decoded already.
    raw.value_encoding = None;
    let mut keys = Vec::new();
    let mut seeds = false;
    let (composed, merge) = match &target.given {
        Given::Value(_) => (false, false),
        Given::Json { merge, .. } => (!merge, *merge),
    };
    let (bytes, input) = match &target.given {
        Given::Value(_) => {
            let one = found.first();
            seeds = one.is_some_and(|found| found.made);
            // A binary secret stays one wherever it is promoted to.
            if raw.store_as.is_none() && one.is_some_and(|found| found.kind == Some(Kind::Binary)) {
                raw.store_as = Some("binary".to_owned());
            }
            (one.map(Found::take), "value")
        }
        Given::Json { members, .. } => {
            let bytes = material::keys(members, found)
                .map_err(|(key, why)| {
                    problems.add("json", format!("has a key {key} whose value {why}"));
                })
                .and_then(|made| {
                    let document =
                        material::document(&made).map_err(|why| problems.add("json", why));
                    keys = made;
                    document
                });
            (bytes.ok(), "json")
        }
    };
    if merge {
        json_key::conflicts(&raw, "merge", &mut problems);
    }
    if seeds || keys.iter().any(|key| key.seeds) {
        seed_conflicts(&raw, &mut problems);
    }
    if around.all_or_nothing {
        together_conflicts(&raw, &mut problems);
    }
    let id = Target::parse(&target.name)
        .map_err(|why| problems.add("name", why))
        .ok();
    let region = around.reach.region.as_deref();
    if let Some(own) = id.as_ref().and_then(Target::region)
        && region != Some(own)
    {
        let here = region.unwrap_or("the profile's region");
        problems.add(
            "name",
            format!("is an ARN of {own}, but this run is about {here}"),
        );
    }
    let broken = bytes.is_none();
    let source = Source {
        bytes: bytes.unwrap_or_else(|| Found::stand_in().take()),
        input,
        unmasked: true,
    };
    let mut request = Request::describe(raw, id, source, &around.reach, &mut problems, Vec::new());
    if broken {
        // What was said of the stand-in is not about the manifest.
        problems.of_keys.retain(|(key, _)| *key != "value");
    }
    request.composed = composed;
    request.seeds = seeds;
    if matches!(target.given, Given::Json { .. }) {
        for part in found {
            request.refuse_public(part.expose(), &mut problems);
        }
    }
    if merge {
        request.json = keys;
    }
    (request, problems.of_keys)
}

fn seed_conflicts(raw: &RawInputs, problems: &mut Problems) {
    if names_others_than_current(raw) {
        problems.add(
            "version-stages",
            "must have AWSCURRENT where a value is generated: it is for a secret that has none yet",
        );
    }
    if raw.expected_version_id.is_some() {
        problems.add(
            "expected-version-id",
            "expects a version, and `generate` is for a secret that has none",
        );
    }
}

fn together_conflicts(raw: &RawInputs, problems: &mut Problems) {
    if names_others_than_current(raw) {
        problems.add(
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
