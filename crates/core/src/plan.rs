//! Every decision about one secret: a pure function of the request, the observed state and what this run has done so far.
//! It makes no calls and reads no clock and no environment.

use crate::attempt::Attempt;
use crate::labels::CURRENT;
use crate::request::Request;
use crate::state::{Observed, SecretVersion, ValueView};

mod absent;
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

pub use describe::describe;
pub use document::Document;
pub use guarded::{other_labels, sighting};
pub use kms::is_default_key;
pub use label_move::{Decision, decide_label_move};
pub use notices::rotation;
pub use rejections::{Rejected, arn_is_absent};
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
        Observed::Absent => absent::plan(request, attempt),
        Observed::Present(present) => present::plan(request, present, attempt, region),
        Observed::NotDescribable(seen) => match &seen.value {
            ValueView::Value(stored) if let Some(plan) = settled(request, stored) => Ok(plan),
            _ => not_describable::plan(request, seen, attempt),
        },
    }
}

/// The plan for which GetSecretValue's answer is enough: the value is stored, and nothing else is requested. `None` if
/// the secret has to be described.
pub fn settled(request: &Request, stored: &SecretVersion) -> Option<Plan> {
    let is_value_only = request.reads()
        && request.stages == [CURRENT]
        && request.description.is_none()
        && request.kms_key_id.is_none()
        && request.tags.is_none()
        && request.replicas.is_none()
        && request.policy.is_none();
    let is_met = if request.json.is_empty() {
        request.is_met_by(Some(&stored.value))
    } else {
        document::has_keys(request, &stored.value)
    };
    (is_value_only && is_met).then(|| Plan {
        keep: Some(stored.into()),
        ..Plan::default()
    })
}

#[cfg(test)]
mod tests;
