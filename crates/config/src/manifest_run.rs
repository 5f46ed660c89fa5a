//! The secrets of a manifest, checked: everything that is wrong is reported at once, each problem with its position in the
//! file. Only the values of other secrets need the network; the rest of such an entry is checked with a stand-in first.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use glob::Pattern;
use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::{Class, Failure};

use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::files;
use crate::inputs::RawInputs;
use crate::manifest::{self, Manifest};
use crate::resolve::SecretSink;

mod assemble;
mod entries;
mod guard;
mod unresolved;

use assemble::Shared;
use entries::EntryChecker;
pub use unresolved::{Draft, Unresolved};

/// The default time limit: a release can be thousands of secrets, at fifty a second.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_mins(60);
/// Below AWS's 50 calls a second, because others work in the account too.
const DEFAULT_RATE: u32 = 40;
/// More than any quota of AWS; a mistake.
const MAX_RATE: u32 = 1_000;

/// How a manifest run proceeds.
pub struct Pacing {
    /// Calls a second of each family of operations.
    pub rate: u32,
    /// Whether nothing more is started after a failure.
    pub fail_fast: bool,
    /// Whether all secrets become current or none.
    pub all_or_nothing: bool,
}

/// The inputs of a manifest run that need no file.
pub(crate) struct ManifestInputs {
    rate: u32,
    fail_fast: bool,
    all_or_nothing: Option<bool>,
    only: Option<Vec<Pattern>>,
}

impl ManifestInputs {
    pub(crate) fn check(raw: &RawInputs, diagnostics: &mut Diagnostics) -> Self {
        for input in raw.given() {
            if !input.scope.manifest {
                diagnostics.reject(
                    input.name,
                    "is about one secret: with a manifest it is a key of that file",
                );
            }
        }
        crate::request::check_key(raw, diagnostics);
        let rate = match raw.rate.as_deref().map(str::parse) {
            None => DEFAULT_RATE,
            Some(Ok(rate)) if (1..=MAX_RATE).contains(&rate) => rate,
            Some(_) => {
                diagnostics.reject("rate", format!("must be a number from 1 to {MAX_RATE}"));
                DEFAULT_RATE
            }
        };
        Self {
            rate,
            only: raw.only.as_deref().map(|text| patterns(text, diagnostics)),
            fail_fast: diagnostics.choice("fail-fast", raw.fail_fast.as_deref()),
            all_or_nothing: raw
                .all_or_nothing
                .as_deref()
                .map(|text| diagnostics.choice("all-or-nothing", Some(text))),
        }
    }
}

/// Reads the manifest at `path` and checks its entries. Without a sink no value is looked at, and each has a stand-in.
///
/// # Errors
/// Every problem at once, class `bad input`; or `unusable`, the lack of credentials, which comes after problems with
/// inputs.
pub(crate) fn check(
    raw: &RawInputs,
    path: &str,
    inputs: ManifestInputs,
    connection: &Arc<Connection>,
    unusable: Option<Failure>,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
    diagnostics: &mut Diagnostics,
    warnings: &mut Vec<String>,
) -> Result<(Vec<Draft>, Pacing), Failure> {
    let text = read(path).map_err(|why| unreadable(path, &why))?;
    let expanded = RefCell::new(BTreeSet::new());
    let lookup = |name: &str| {
        expanded.borrow_mut().insert(name.to_owned());
        environment.text(name).map(str::to_owned)
    };
    let (manifest, mut wrong) = manifest::read(&text, &lookup);
    let Some(Manifest {
        all_or_nothing,
        mut entries,
    }) = manifest
    else {
        return Err(rejection(path, &wrong));
    };
    // For all entries: what `only` leaves out is no less a secret.
    for why in guard::exposed_variables(&expanded.borrow(), &entries, raw, environment) {
        diagnostics.found.push(format!("{path}: {why}"));
    }
    if let Some(only) = &inputs.only {
        entries.retain(|entry| only.iter().any(|pattern| pattern.matches(&entry.name)));
        if entries.is_empty() && wrong.is_empty() {
            diagnostics.reject("only", "fits no secret of the manifest");
        }
    }
    diagnostics.to_result()?;
    if let Some(why) = unusable {
        return Err(why);
    }
    let all_or_nothing = inputs.all_or_nothing.or(all_or_nothing).unwrap_or_default();
    let shared = Shared {
        connection: Arc::clone(connection),
        key: raw.version_id_key.clone(),
        all_or_nothing,
    };
    let checker = EntryChecker {
        raw,
        environment,
        sink,
        shared: &shared,
        problems: Vec::new(),
        connections: BTreeMap::new(),
        names: BTreeMap::new(),
    };
    let (drafts, found) = checker.check_all(entries, warnings);
    wrong.extend(manifest::locate_problems(&text, found));
    if !wrong.is_empty() {
        // In the file's order; a problem without a position is a count of more.
        wrong.sort_by_key(|problem| (problem.position.is_none(), problem.position));
        return Err(rejection(path, &wrong));
    }
    let pacing = Pacing {
        rate: inputs.rate,
        fail_fast: inputs.fail_fast,
        all_or_nothing,
    };
    Ok((drafts, pacing))
}

fn patterns(text: &str, diagnostics: &mut Diagnostics) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for one in text
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|one| !one.is_empty())
    {
        match Pattern::new(one) {
            Ok(pattern) => patterns.push(pattern),
            Err(_) => diagnostics.reject(
                "only",
                "must be names in which `*` is any text, `?` any character and `[a-m]` one of these",
            ),
        }
    }
    patterns
}

/// One byte more than allowed, so that the parser can say that the file is too large.
fn read(path: &str) -> Result<Vec<u8>, String> {
    let limit = manifest::MAX_BYTES;
    Ok(files::read(path, limit)?.unwrap_or_else(|| vec![b' '; limit + 1]))
}

fn unreadable(path: &str, why: &str) -> Failure {
    Failure::new(
        Class::Input,
        format!("the manifest {path} cannot be read"),
        "give the path of the file, seen from the folder that the step runs in; in GitHub Actions check the repository out first",
    )
    .because(why)
}

fn rejection(path: &str, found: &[manifest::Problem]) -> Failure {
    let lines: Vec<_> = found
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
