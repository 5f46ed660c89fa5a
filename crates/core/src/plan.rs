//! Every decision about one secret: a pure function of the request, the observed state and what this run has done so far.
//! No store, no clock, no environment, so every decision is tested without a network.

use crate::attempt::Attempt;
use crate::labels::CURRENT;
use crate::outcome::VersionRef;
use crate::request::Request;
use crate::state::{Observed, SecretVersion};

mod common;
mod describe;
mod document;
mod guarded;
mod kms;
mod label_move;
mod metadata;
mod not_describable;
mod present;
mod rejections;
mod step;
mod validation;

pub use common::Rejected;
pub use describe::describe;
pub use document::Document;
pub use guarded::{other_labels, sighting};
pub use kms::is_default_key;
pub use label_move::{Decision, decide_label_move};
pub use rejections::{arn_is_absent, rotation};
pub use step::{Plan, Step};
pub use validation::check_validation;

/// Decides what to do about a secret.
///
/// # Errors
/// States in which the secret must not be written, denials that make the request impossible, and conflicts.
pub fn plan(
    request: &Request,
    observed: &Observed,
    done: &Attempt,
    region: &str,
) -> Result<Plan, Rejected> {
    match observed {
        Observed::Absent => present::absent(request, done),
        Observed::Present(present) => present::plan(request, present, done, region),
        Observed::NotDescribable(unseen) => not_describable::plan(request, unseen, done),
    }
}

/// The plan that GetSecretValue's answer alone settles: the value is there, and nothing else is requested. `None` where
/// more has to be seen.
#[must_use]
pub fn settled(request: &Request, stored: &SecretVersion) -> Option<Plan> {
    let only_the_value = request.reads()
        && request.stages == [CURRENT]
        && request.description.is_none()
        && request.kms_key_id.is_none()
        && request.tags.is_none()
        && request.replicas.is_none()
        && request.policy.is_none();
    let holds = if request.json.is_empty() {
        request.is_met_by(&stored.value)
    } else {
        document::has_keys(request, &stored.value)
    };
    (only_the_value && holds).then(|| Plan {
        keep: Some(VersionRef {
            id: stored.version_id.clone(),
            stages: stored.stages.clone(),
        }),
        ..Plan::default()
    })
}

#[cfg(test)]
mod tests;
