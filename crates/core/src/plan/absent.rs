//! Decisions about a secret that does not exist, or may not exist. Creates it; must not write to an existing one.

use super::document::edited;
use super::notices::first_version;
use super::rejections::{Rejected, arn_is_absent, expected_of_absent};
use super::step::{Nameable, Plan, Step};
use crate::attempt::Attempt;
use crate::failure::{Class, Failure};
use crate::labels::CURRENT;
use crate::request::Request;

/// Creates a missing secret with everything that one call can contain.
pub(super) fn plan(request: &Request, attempt: &Attempt) -> Result<Plan, Rejected> {
    let id = &request.target.id;
    if attempt.overtaken.is_some() {
        return Err(Failure::new(
            Class::Conflict,
            format!("{id} was written by this run and then deleted by another writer"),
            "find out what deletes it; then run again",
        )
        .into());
    }
    if request.target.is_arn() {
        return Err(arn_is_absent(request).into());
    }
    if let Some(expected) = &request.expected {
        return Err(expected_of_absent(id, expected).into());
    }
    creation(request, None, true)
}

/// CreateSecret, and the steps after it. See [`Step::Create`].
pub(super) fn creation(
    request: &Request,
    otherwise: Option<Vec<Step>>,
    vacant: bool,
) -> Result<Plan, Rejected> {
    let mut plan = Plan::of(vec![Step::Create { otherwise, vacant }]);
    plan.document = edited(&request.json, None, &request.target.id)?;
    if request.label() != CURRENT {
        plan.warn(first_version(request));
    }
    let labels = request.stages.iter().filter(|label| *label != CURRENT);
    plan.steps.extend(labels.map(|label| Step::Label {
        label: label.clone(),
        from: None,
    }));
    if request.policy.is_some() {
        plan.add(Step::CheckPolicy(if vacant {
            Nameable::No
        } else {
            Nameable::Unknown
        }));
        plan.steps.push(Step::SetPolicy);
    }
    let regions = request.replicas.iter().flat_map(|regions| regions.keys());
    plan.add(Step::AwaitReplicas(regions.cloned().collect()));
    Ok(plan)
}
