//! Moves of AWSCURRENT for the entries of a manifest. Needs only their names and guards. Must not look up values.

use std::collections::BTreeMap;
use std::sync::Arc;

use upsert_secret_core::choices::Compare;
use upsert_secret_core::connection::Connection;
use upsert_secret_core::request::{Direction, Job, LabelMove};

use super::assemble::check_target;
use super::unresolved::Draft;
use crate::checks::labels;
use crate::diagnostics::Diagnostics;
use crate::manifest::{Entry, UnlocatedProblem};
use crate::spelling::Spelling;

/// Replaces a variable that is not set. A secret name cannot contain this character.
pub(super) const NOT_SET: &str = "\u{fffd}";

/// The move of each entry, and all problems.
pub(super) fn check(
    entries: &[Entry],
    direction: &Direction,
    connection: &Arc<Connection>,
) -> (Vec<Draft>, Vec<UnlocatedProblem>) {
    let (mut drafts, mut problems) = (Vec::new(), Vec::new());
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for entry in entries {
        if entry.name.contains(NOT_SET) {
            let why = "has a variable that is not set: define it for this job";
            problems.push(entry.problem("name", why));
            continue;
        }
        let mut diagnostics = Diagnostics::new(Spelling::Input);
        let raw = entry.inputs();
        let compare: Compare = diagnostics.choice("compare", raw.compare.as_deref());
        let target = check_target(entry, connection, &mut diagnostics).unwrap_or_default();
        let label_move = LabelMove {
            direction: direction.clone(),
            expected: labels::check_expected(&raw, &mut diagnostics),
            on_rotation: diagnostics.choice("on-rotation", raw.on_rotation.as_deref()),
            reads: compare != Compare::Never,
            target,
        };
        let (rejections, _) = diagnostics.into_rejections();
        let is_valid = rejections.is_empty();
        let rejections = rejections.into_iter();
        problems.extend(rejections.map(|(key, why)| entry.problem(key, why)));
        if !is_valid {
            continue;
        }
        if let Some(other) = names.insert(label_move.target.name.clone(), &entry.name) {
            let why = format!("is the same secret as {other}");
            problems.push(entry.problem("name", why));
        }
        drafts.push(Draft::Ready(Job::Move(Box::new(label_move))));
    }
    (drafts, problems)
}
