//! Makes every decision about one secret, as a pure function of the request, the observed state and what this run has done so
//! far. Must not make calls, or read a clock or the environment.

use crate::attempt::Attempt;
use crate::request::Request;
use crate::state::{Observed, SecretVersion, ValueView};
use crate::value::SecretValue;

mod absent;
mod describe;
mod document;
mod guarded;
mod key_changes;
mod kms;
mod label_move;
mod metadata;
mod not_describable;
mod notices;
mod present;
mod rejections;
mod step;
mod validation;

use rejections::check_replica_regions;

pub use describe::describe;
pub use document::Document;
pub use guarded::{frees_labels, other_labels, sighting};
pub use kms::is_default_key;
pub use label_move::{Decision, agrees, decide_label_move, no_such_version, unsettled};
pub use metadata::shows_change;
pub use not_describable::{CREATED_UNSEEN, UNCHECKED};
pub use notices::{rotation, suffixed_name};
pub use rejections::{
    Rejected, arn_is_absent, exists_unseen, maybe_absent, not_created, still_deleted,
};
pub use step::{Nameable, Plan, Step};
pub use validation::check_validation;

/// Decides what a run does to a secret.
///
/// # Errors
/// States that forbid the write, denials that make the request impossible, and conflicts.
pub fn plan(
    request: &Request,
    observed: &Observed,
    attempt: &Attempt,
    region: &str,
) -> Result<Plan, Rejected> {
    check_replica_regions(request, region)?;
    match observed {
        Observed::Absent => absent::plan(request, attempt),
        Observed::Present(present) => present::plan(request, present, attempt, region),
        Observed::NotDescribable(seen) => match &seen.value {
            ValueView::Value(stored) if let Some(plan) = settled(request, stored) => Ok(plan),
            _ => not_describable::plan(request, seen, attempt),
        },
    }
}

/// The plan if the GetSecretValue response is sufficient: the value is already stored, and nothing else is requested. `None` if
/// the secret has to be described.
pub fn settled(request: &Request, stored: &SecretVersion) -> Option<Plan> {
    // Lists every field, so that a new field is not ignored when the value is already stored.
    let Request {
        description: None,
        kms_key_id: None,
        tags: None,
        replicas: None,
        policy: None,
        stages,
        // Only affects the value.
        value: _,
        json: _,
        composed: _,
        seeds: _,
        if_exists: _,
        compare: _,
        version_id_key: _,
        expected: _,
        // Only affects secrets that are written, or settings that are not requested.
        target: _,
        tag_policy: _,
        replica_policy: _,
        allow_public_policy: _,
        on_scheduled_deletion: _,
        on_rotation: _,
    } = request
    else {
        return None;
    };
    let is_settled = request.reads()
        && stages.iter().all(|label| stored.stages.contains(label))
        && is_met(request, &stored.value);
    is_settled.then(|| Plan {
        keep: Some(stored.into()),
        ..Plan::default()
    })
}

/// Whether a stored value is the desired one, or contains the desired keys.
pub fn is_met(request: &Request, stored: &SecretValue) -> bool {
    if request.json.is_empty() {
        request.is_met_by(Some(stored))
    } else {
        document::has_keys(request, stored)
    }
}

#[cfg(test)]
mod tests;
