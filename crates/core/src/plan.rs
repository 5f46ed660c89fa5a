//! Every decision about one secret: a pure function of the request, the observed state and what this run has done so far.
//! It makes no calls and reads no clock and no environment.

use crate::attempt::Attempt;
use crate::failure::{Class, Failure};
use crate::labels::CURRENT;
use crate::request::Request;
use crate::state::{Observed, SecretVersion, ValueView};
use crate::value::SecretValue;

mod describe;
mod document;
mod guarded;
mod kms;
mod label_move;
mod metadata;
mod not_describable;
mod notices;
mod present;
mod rejections;
mod step;
mod validation;

use document::edited;
use notices::first_version;
use rejections::not_current;

pub use describe::describe;
pub use document::Document;
pub use guarded::{frees_labels, other_labels, sighting};
pub use kms::is_default_key;
pub use label_move::{Decision, agrees, decide_label_move, no_such_version, unsettled};
pub use metadata::shows_change;
pub use notices::rotation;
pub use rejections::{Rejected, arn_is_absent, still_deleted};
pub use step::{Plan, Step};
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
    match observed {
        Observed::Absent => plan_absent(request, attempt),
        Observed::Present(present) => present::plan(request, present, attempt, region),
        Observed::NotDescribable(seen) => match &seen.value {
            ValueView::Value(stored) if let Some(plan) = settled(request, stored) => Ok(plan),
            _ => not_describable::plan(request, seen, attempt),
        },
    }
}

/// A secret that does not exist is created with everything that one call can carry.
fn plan_absent(request: &Request, attempt: &Attempt) -> Result<Plan, Rejected> {
    let id = &request.target.id;
    if attempt.overtaken.is_some() {
        return Err(Failure::new(
            Class::Conflict,
            format!("{id} was written by this run and then deleted by somebody else"),
            "find out who deletes it; then run again",
        )
        .into());
    }
    if request.target.is_arn() {
        return Err(arn_is_absent(request).into());
    }
    if let Some(expected) = &request.expected {
        return Err(not_current(id, expected, None).into());
    }
    let mut plan = Plan::of(vec![Step::Create {
        otherwise: None,
        vacant: true,
    }]);
    plan.document = edited(&request.json, None, id)?;
    if request.label() != CURRENT {
        plan.warn(first_version(request));
    }
    let labels = request.stages.iter().filter(|label| *label != CURRENT);
    plan.steps.extend(labels.map(|label| Step::Label {
        label: label.clone(),
        from: None,
    }));
    if request.policy.is_some() {
        // AWS validates a policy only for a secret that exists.
        plan.steps.extend([Step::CheckPolicy, Step::SetPolicy]);
    }
    let regions = request.replicas.iter().flat_map(|regions| regions.keys());
    plan.add(Step::AwaitReplicas(regions.cloned().collect()));
    Ok(plan)
}

/// The plan for which GetSecretValue's answer is enough: the value is stored, and nothing else is requested. `None` if
/// the secret has to be described.
pub fn settled(request: &Request, stored: &SecretVersion) -> Option<Plan> {
    // Every field by name: a new one must not be ignored where the value is already stored.
    let Request {
        description: None,
        kms_key_id: None,
        tags: None,
        replicas: None,
        policy: None,
        stages,
        // Of the value.
        value: _,
        json: _,
        composed: _,
        seeds: _,
        if_exists: _,
        compare: _,
        version_id_key: _,
        expected: _,
        // Only of a secret that is written, or of what is not requested.
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
    let is_settled = request.reads() && stages == &[CURRENT] && is_met(request, &stored.value);
    is_settled.then(|| Plan {
        keep: Some(stored.into()),
        ..Plan::default()
    })
}

/// Whether a stored value is the desired one, or has the desired keys.
pub fn is_met(request: &Request, stored: &SecretValue) -> bool {
    if request.json.is_empty() {
        request.is_met_by(Some(stored))
    } else {
        document::has_keys(request, stored)
    }
}

#[cfg(test)]
mod tests;
