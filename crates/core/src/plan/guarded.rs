//! Decisions about compare-and-swap writes (`expected-version-id`, `json-key`, `if-exists: skip`, generated values): what to
//! write, which version to base it on, and whether another run goes first. Identifies other runs only by their private labels.

use super::document::edited;
use super::notices::{kind_change, rotation, unread};
use super::rejections::{Rejected, not_current};
use super::step::{Plan, Step};
use crate::attempt::Attempt;
use crate::labels::{CURRENT, LabelState, label_state};
use crate::outcome::VersionRef;
use crate::request::Request;
use crate::state::{Present, SecretMetadata};

/// The number of times another run's private label is observed on the same version before this run stops waiting for it. An
/// active run holds its label for three calls. Not waiting can cost a version, but never loses an update.
const MAX_SIGHTINGS: u32 = 5;

/// The quota of labels per secret ("AWS Secrets Manager quotas").
const MAX_LABELS: usize = 20;

pub(super) fn plan(
    request: &Request,
    present: &Present,
    attempt: &Attempt,
    plan: &mut Plan,
) -> Result<(), Rejected> {
    let secret = &present.secret;
    let holder = secret.holder(CURRENT);
    if let (Some(denied), true) = (&present.unread, !request.json.is_empty()) {
        return Err(Rejected::Denied(denied.clone()));
    }
    // Before any guard, so that a re-run recognizes its own version.
    let is_met = if request.seeds {
        holder.is_some()
    } else if request.json.is_empty() {
        request.is_met_by(present.value.as_ref()) || is_unread_own(present, attempt)
    } else {
        plan.document = edited(&request.json, present.value.as_ref(), &secret.name)?;
        plan.document.is_none()
    };
    if is_met {
        plan.keep = VersionRef::holder(secret, CURRENT);
        return Ok(());
    }
    // An unreadable version with this run's token: when the token is sent again, AWS compares the value.
    let may_be_own =
        present.value.is_none() && holder.is_some() && attempt.own.as_deref() == holder;
    let base = match request.expected.as_deref() {
        Some(expected) if may_be_own => Some(expected),
        Some(expected) if holder != Some(expected) => {
            return Err(not_current(&secret.name, expected, holder).into());
        }
        _ => holder,
    };
    if has_rivals(secret, attempt, present.at) {
        plan.steps = vec![Step::Yield];
        return Ok(());
    }
    if let Some(text) = rotation(secret) {
        plan.note(text);
    }
    if let Some(error) = &present.unread {
        plan.note(unread(error));
    }
    if let Some(text) = kind_change(request, present.value.as_ref()) {
        plan.warn(text);
    }
    plan.add(Step::Swap {
        base: base.map(str::to_owned),
    });
    Ok(())
}

/// Whether the current version cannot be compared, and only this run can have written it. A version with a predictable ID may
/// belong to another run, with another value.
fn is_unread_own(present: &Present, attempt: &Attempt) -> bool {
    let holder = present.secret.holder(CURRENT);
    present.value.is_none()
        && holder.is_some_and(|id| attempt.may_have_written(id))
        && attempt.own.as_deref() != holder
}

/// Whether other runs are about to move AWSCURRENT, according to their private labels.
fn has_rivals(secret: &SecretMetadata, attempt: &Attempt, at: u64) -> bool {
    labels_in_state(secret, attempt, at, LabelState::Living).any(|(label, version)| {
        let sightings = attempt.rivals.get(&sighting(label, version));
        sightings.is_none_or(|sightings| *sightings < MAX_SIGHTINGS)
    })
}

/// Whether a full label quota will have room again: labels of active runs will be removed and, if the quota is full, so will
/// labels of killed runs once they have expired.
pub fn frees_labels(secret: &SecretMetadata, attempt: &Attempt, at: u64) -> bool {
    let is_full = other_labels(secret, attempt).count() >= MAX_LABELS;
    let unexpired = labels_in_state(secret, attempt, at, LabelState::Living).next();
    has_rivals(secret, attempt, at) || is_full && unexpired.is_some()
}

/// The key for counting observations of a private label on a version.
pub fn sighting(label: &str, version: &str) -> String {
    format!("{label} {version}")
}

/// All labels except this run's private label, each with the version that holds it.
pub fn other_labels<'a>(
    secret: &'a SecretMetadata,
    attempt: &'a Attempt,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let own = attempt.write_label.as_ref().map(|own| own.label.as_str());
    secret
        .all_labels()
        .filter(move |(label, _)| Some(*label) != own)
}

fn labels_in_state<'a>(
    secret: &'a SecretMetadata,
    attempt: &'a Attempt,
    at: u64,
    state: LabelState,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    other_labels(secret, attempt).filter(move |(label, _)| label_state(label, at) == state)
}

/// Adds the removal of private labels that killed runs left behind.
pub(super) fn add_sweep(request: &Request, present: &Present, attempt: &Attempt, plan: &mut Plan) {
    if request.expected.is_none() && request.json.is_empty() {
        return;
    }
    let secret = &present.secret;
    let expired: Vec<_> = labels_in_state(secret, attempt, present.at, LabelState::Expired)
        .map(|(label, version)| (label.to_owned(), version.to_owned()))
        .collect();
    plan.add(Step::Sweep(expired));
}
