//! Checks the secrets of a manifest. All problems are reported at once, with their positions in the file. Values in other
//! secrets require the network and are read later; until then, their entries are checked with placeholders.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::rate::Rate;
use upsert_secret_core::request::Direction;

use crate::checks::only::Only;
use crate::checks::settings::check_rate;
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::files::{self, Unreadable};
use crate::inputs::{FOR_IMPORT, RawInputs, RunKind};
use crate::manifest::{self, Entry, UnlocatedProblem};
use crate::request;
use crate::resolve::SecretSink;

mod assemble;
mod entries;
mod exposure;
mod moves;
mod unresolved;

use assemble::Shared;
pub use unresolved::{Draft, Unresolved};

/// How a manifest run proceeds.
pub struct Pacing {
    /// Calls per second for each family of operations.
    pub rate: Rate,
    /// Whether to start nothing more after a failure.
    pub fail_fast: bool,
    /// Whether either all new versions become current or none.
    pub all_or_nothing: bool,
}

/// Reads the manifest at `path` and checks its entries. Without a sink, values are neither read nor required.
///
/// # Errors
/// All problems at once, class `bad input`. Unusable credentials are reported after problems with inputs and before those with
/// entries.
pub(crate) fn check(
    raw: &RawInputs,
    path: &str,
    connection: &Arc<Connection>,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
    diagnostics: &mut Diagnostics,
) -> Result<(Vec<Draft>, Pacing), Failure> {
    check_scope(raw, RunKind::Manifest, diagnostics);
    request::check_version_id_key(raw, diagnostics);
    let file = File::load(raw, path, environment, false, diagnostics)?;
    let shared = Shared {
        connection: Arc::clone(connection),
        version_id_key: raw.version_id_key.clone(),
        all_or_nothing: file.pacing.all_or_nothing,
    };
    file.check(|entries| entries::check(entries, raw, environment, sink, shared, diagnostics))
}

/// Reads the manifest at `path` for moving AWSCURRENT in its secrets. Does not look up values.
///
/// # Errors
/// The same as for [`check`].
pub(crate) fn check_moves(
    raw: &RawInputs,
    path: &str,
    direction: &Direction,
    connection: &Arc<Connection>,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Result<(Vec<Draft>, Pacing), Failure> {
    check_scope(raw, RunKind::Promotion, diagnostics);
    let file = File::load(raw, path, environment, true, diagnostics)?;
    file.check(|entries| moves::check(&entries, direction, connection))
}

/// Rejects inputs that must be keys of the manifest.
fn check_scope(raw: &RawInputs, kind: RunKind, diagnostics: &mut Diagnostics) {
    for input in raw.given() {
        if input.applies_to(kind) {
            continue;
        }
        if input.applies_to(RunKind::Manifest) {
            diagnostics.warn(format!("`{}` has no effect on `promote`", input.name));
            continue;
        }
        let why = match input.name {
            "version-id" => "applies to one secret; with a manifest, `stage` selects the versions",
            "release" => "is for the command `rollback`",
            _ if input.is_for_import_alone() => FOR_IMPORT,
            "name" | "value" | "value-env" | "value-file" => {
                "applies to one secret; the manifest names its secrets and the sources of their values"
            }
            _ => "applies to one secret; with a manifest, it is a key of that file",
        };
        diagnostics.reject(input.name, why);
    }
}

/// A manifest that has been read, and the inputs about the run.
struct File<'a> {
    path: &'a str,
    text: Vec<u8>,
    /// The entries that `only` selects.
    entries: Vec<Entry>,
    problems: Vec<manifest::Problem>,
    pacing: Pacing,
}

impl<'a> File<'a> {
    /// Reads the file. `names_only` means that only the names of its secrets matter: variables in other texts need not be set.
    fn load(
        raw: &RawInputs,
        path: &'a str,
        environment: &Environment,
        names_only: bool,
        diagnostics: &mut Diagnostics,
    ) -> Result<Self, Failure> {
        let (mut pacing, only) = check_pacing(raw, diagnostics);
        diagnostics.check_problems()?;
        let text = read(path)?;
        let expanded = RefCell::new(BTreeSet::new());
        let lookup = |name: &str| {
            expanded.borrow_mut().insert(name.to_owned());
            let text = environment.text(name).map(str::to_owned);
            text.or_else(|| names_only.then(|| moves::NOT_SET.to_owned()))
        };
        let (manifest, problems) = manifest::parse_partially(&text, &lookup)
            .map_err(|problem| reject(path, &[problem]))?;
        let mut entries = manifest.entries;
        // For all entries: `only` does not make the values of the others less secret.
        for why in exposure::exposed_variables(&expanded.borrow(), &entries, raw, environment) {
            diagnostics.add_problem(format!("{path}: {why}"));
        }
        if let Some(only) = only {
            entries.retain(|entry| only.matches(&entry.name));
            if entries.is_empty() && problems.is_empty() {
                diagnostics.reject("only", "matches no secret in the manifest");
            }
        }
        diagnostics.check_all()?;
        if raw.all_or_nothing.is_none() {
            pacing.all_or_nothing = manifest.all_or_nothing.unwrap_or_default();
        }
        Ok(Self {
            path,
            text,
            entries,
            problems,
            pacing,
        })
    }

    /// Checks the entries, and reports their problems together with those of the file.
    fn check(
        self,
        check: impl FnOnce(Vec<Entry>) -> (Vec<Draft>, Vec<UnlocatedProblem>),
    ) -> Result<(Vec<Draft>, Pacing), Failure> {
        let mut problems = self.problems;
        let (drafts, unlocated) = check(self.entries);
        problems.extend(manifest::locate_problems(&self.text, unlocated));
        if !problems.is_empty() {
            // In file order; a problem without a position is the number of remaining ones.
            problems.sort_by_key(|problem| (problem.position.is_none(), problem.position));
            return Err(reject(self.path, &problems));
        }
        Ok((drafts, self.pacing))
    }
}

/// Checks the inputs for runs with many secrets, and the patterns of `only`.
pub(crate) fn check_pacing(
    raw: &RawInputs,
    diagnostics: &mut Diagnostics,
) -> (Pacing, Option<Only>) {
    let rate = check_rate(raw, diagnostics);
    let only = raw.only.as_deref().map(Only::parse);
    let only = only.and_then(|only| diagnostics.accept("only", only));
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
            "give the path relative to the working directory of the step; in GitHub Actions, check out the \
             repository first",
        )
        .because(match why {
            Unreadable::NotRegular => "it is not a regular file".to_owned(),
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
        "fix this in the manifest or in the job; nothing was sent to AWS",
    )
}

#[cfg(test)]
mod tests;
