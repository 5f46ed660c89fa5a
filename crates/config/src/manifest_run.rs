//! The secrets of a manifest, checked. Every problem is reported at once, with its position in the file. Values in
//! other secrets need the network and are read later: until then such an entry is checked with stand-ins.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use glob::Pattern;
use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::{Class, Failure};

use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::files::{self, Unreadable};
use crate::inputs::{RawInputs, RunKind, items, number_or};
use crate::manifest;
use crate::request;
use crate::resolve::SecretSink;

mod assemble;
mod entries;
mod exposure;
mod unresolved;

use assemble::Shared;
pub use unresolved::{Draft, Unresolved};

/// Below AWS's 50 calls a second, because other callers share the account's quota.
const DEFAULT_RATE: u32 = 40;
/// More than any quota of AWS.
const MAX_RATE: u32 = 1_000;

/// How a manifest run proceeds.
pub struct Pacing {
    /// Calls a second for each family of operations.
    pub rate: u32,
    /// Whether nothing more is started after a failure.
    pub fail_fast: bool,
    /// Whether all secrets become current or none.
    pub all_or_nothing: bool,
}

/// Reads the manifest at `path` and checks its entries. Without a sink, values are neither read nor required.
///
/// # Errors
/// Every problem at once, class `bad input`. Unusable credentials come after problems with inputs and before those of
/// entries.
pub(crate) fn check(
    raw: &RawInputs,
    path: &str,
    connection: &Arc<Connection>,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
    diagnostics: &mut Diagnostics,
) -> Result<(Vec<Draft>, Pacing), Failure> {
    let (mut pacing, only) = check_inputs(raw, diagnostics);
    diagnostics.check_problems()?;
    let text = read(path)?;
    let expanded = RefCell::new(BTreeSet::new());
    let lookup = |name: &str| {
        expanded.borrow_mut().insert(name.to_owned());
        environment.text(name).map(str::to_owned)
    };
    let (manifest, mut problems) =
        manifest::parse_partially(&text, &lookup).map_err(|problem| reject(path, &[problem]))?;
    let mut entries = manifest.entries;
    // Of all entries: `only` does not make the values of the others less secret.
    for why in exposure::exposed_variables(&expanded.borrow(), &entries, raw, environment) {
        diagnostics.add_problem(format!("{path}: {why}"));
    }
    if let Some(only) = only {
        entries.retain(|entry| only.iter().any(|pattern| pattern.matches(&entry.name)));
        if entries.is_empty() && problems.is_empty() {
            diagnostics.reject("only", "fits no secret of the manifest");
        }
    }
    diagnostics.check_all()?;
    if raw.all_or_nothing.is_none() {
        pacing.all_or_nothing = manifest.all_or_nothing.unwrap_or_default();
    }
    let shared = Shared {
        connection: Arc::clone(connection),
        version_id_key: raw.version_id_key.clone(),
        all_or_nothing: pacing.all_or_nothing,
    };
    let (drafts, unlocated) = entries::check(entries, raw, environment, sink, shared, diagnostics);
    problems.extend(manifest::locate_problems(&text, unlocated));
    if !problems.is_empty() {
        // In the file's order; a problem without a position is the count of further ones.
        problems.sort_by_key(|problem| (problem.position.is_none(), problem.position));
        return Err(reject(path, &problems));
    }
    Ok((drafts, pacing))
}

/// Checks the inputs that are known before the file is read: how the run proceeds, and the patterns of `only`.
fn check_inputs(raw: &RawInputs, diagnostics: &mut Diagnostics) -> (Pacing, Option<Vec<Pattern>>) {
    for input in raw.given() {
        if !input.applies_to(RunKind::Manifest) {
            diagnostics.reject(
                input.name,
                "is about one secret: with a manifest it is a key of that file",
            );
        }
    }
    request::check_version_id_key(raw, diagnostics);
    let rate = number_or(DEFAULT_RATE, raw.rate.as_deref(), 1..=MAX_RATE);
    let rate = diagnostics.accept("rate", rate).unwrap_or(DEFAULT_RATE);
    let only = raw.only.as_deref();
    let only = only.map(|text| items(text).map(Pattern::new).collect());
    let only = only.transpose().unwrap_or_else(|_| {
        diagnostics.reject(
            "only",
            "must be names in which `*` is any text, `?` any character and `[a-m]` one of these",
        );
        None
    });
    let pacing = Pacing {
        rate,
        fail_fast: diagnostics.choice("fail-fast", raw.fail_fast.as_deref()),
        all_or_nothing: diagnostics.choice("all-or-nothing", raw.all_or_nothing.as_deref()),
    };
    (pacing, only)
}

fn read(path: &str) -> Result<Vec<u8>, Failure> {
    let limit = manifest::MAX_BYTES;
    match files::read(path, limit) {
        Ok(Some(text)) => Ok(text),
        // The parser rejects a file that is too large by its length.
        Ok(None) => Ok(vec![b' '; limit + 1]),
        Err(why) => Err(Failure::new(
            Class::Input,
            format!("the manifest {path} cannot be read"),
            "give the path of the file, seen from the folder that the step runs in; in GitHub Actions check the repository out first",
        )
        .because(match why {
            Unreadable::NotRegular => "it is no regular file".to_owned(),
            Unreadable::Failed(why) => why,
        })),
    }
}

fn reject(path: &str, problems: &[manifest::Problem]) -> Failure {
    let lines: Vec<_> = problems
        .iter()
        .map(|problem| match problem.position {
            Some(_) => format!("{path}:{problem}"),
            None => format!("{path}: {problem}"),
        })
        .collect();
    Failure::new(
        Class::Input,
        lines.join("\n"),
        "correct the manifest; nothing was sent to AWS",
    )
}

#[cfg(test)]
mod tests;
