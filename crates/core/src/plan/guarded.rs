//! Decisions of guarded writes, `expected-version-id`, `json-key` and generated values: what is written, on which version it
//! builds, and when another run goes first.

use super::common::{Rejected, version};
use super::document::edited;
use super::rejections::rotation;
use super::step::{Plan, Step};
use crate::attempt::Attempt;
use crate::failure::{Class, Failure};
use crate::labels::{CURRENT, LabelState, label_state};
use crate::request::Request;
use crate::state::{Present, SecretMetadata};

/// How often a private label of another run is seen on the same version before this run goes on all the same. A living
/// run holds it for three calls only. Going on costs a version at worst, never an update.
const MAX_SIGHTINGS: u32 = 5;

pub(super) fn plan(
    request: &Request,
    present: &Present,
    done: &Attempt,
    plan: &mut Plan,
) -> Result<(), Rejected> {
    let secret = &present.secret;
    let holder = secret.holder(CURRENT);
    if let (Some(denied), true) = (&present.unread, !request.json.is_empty()) {
        return Err(Rejected::Denied(denied.clone()));
    }
    // Before any guard: a re-run finds its own work.
    let same = if request.seeds {
        holder.is_some()
    } else if request.json.is_empty() {
        present
            .value
            .as_ref()
            .is_some_and(|value| request.is_met_by(value))
    } else {
        plan.document = edited(&request.json, present.value.as_ref(), &secret.name)?;
        plan.document.is_none()
    };
    if same {
        plan.keep = holder.map(|id| version(secret, id));
        return Ok(());
    }
    // What was written under the same token, and cannot be read: AWS compares it.
    let may_be_ours = present.value.is_none() && holder.is_some() && done.own.as_deref() == holder;
    let base = match request.expected.as_deref() {
        Some(expected) if may_be_ours => Some(expected),
        Some(expected) if holder != Some(expected) => {
            return Err(not_current(&secret.name, expected, holder).into());
        }
        _ => holder,
    };
    if has_rivals(present, done) {
        plan.steps = vec![Step::Yield];
        return Ok(());
    }
    if let Some(text) = rotation(secret) {
        plan.note(text);
    }
    if present.unread.is_some() {
        plan.note("reading the current value (GetSecretValue) is denied: it is written without comparing, and so may make a version that changes nothing");
    }
    plan.add(Step::Swap {
        base: base.map(str::to_owned),
    });
    Ok(())
}

/// `expected-version-id` is not met.
pub(super) fn not_current(name: &str, expected: &str, holder: Option<&str>) -> Failure {
    let (why, next) = match holder {
        Some(holder) => (
            format!("AWSCURRENT is on version {holder}"),
            "somebody wrote since that version was looked at: look at theirs, and run again with its id where this shall replace it",
        ),
        None => (
            "there is no current version".to_owned(),
            "leave `expected-version-id` out to write a first version",
        ),
    };
    Failure::new(
        Class::Conflict,
        format!("version {expected}, which is expected, is not current in {name}"),
        next,
    )
    .because(why)
}

/// Runs that are about to move AWSCURRENT, as far as labels tell.
fn has_rivals(present: &Present, done: &Attempt) -> bool {
    other_labels(&present.secret, done).any(|(label, version)| {
        label_state(label, present.at) == LabelState::Living
            && done
                .rivals
                .get(&sighting(label, version))
                .copied()
                .unwrap_or(0)
                < MAX_SIGHTINGS
    })
}

/// The key under which sightings of a private label on a version are counted.
#[must_use]
pub fn sighting(label: &str, version: &str) -> String {
    format!("{label} {version}")
}

/// Labels that are not this run's own, and the versions that hold them.
pub fn other_labels<'a>(
    secret: &'a SecretMetadata,
    done: &'a Attempt,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let own = done.write_label.as_ref().map(|lease| lease.label.as_str());
    secret
        .versions
        .iter()
        .flat_map(|(id, labels)| {
            labels
                .iter()
                .map(move |label| (label.as_str(), id.as_str()))
        })
        .filter(move |(label, _)| Some(*label) != own)
}

/// Private labels of runs that were killed: taken off by the next guarded one.
pub(super) fn sweep(request: &Request, present: &Present, done: &Attempt, plan: &mut Plan) {
    if request.expected.is_none() && request.json.is_empty() {
        return;
    }
    let expired: Vec<_> = other_labels(&present.secret, done)
        .filter(|(label, _)| label_state(label, present.at) == LabelState::Expired)
        .map(|(label, version)| (label.to_owned(), version.to_owned()))
        .collect();
    if !expired.is_empty() {
        plan.add(Step::Sweep(expired));
    }
}

/// What AWS does with the first version of a secret, whatever labels are asked for.
pub(super) fn first_is_current(request: &Request, plan: &mut Plan) {
    plan.warn(format!(
        "{} has no version yet: AWS makes the first one current as well",
        request.target.id
    ));
}
