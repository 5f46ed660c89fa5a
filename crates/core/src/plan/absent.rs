//! Decisions about a secret that does not exist. It is created with everything that one call can carry.

use super::document::edited;
use super::notices::first_version;
use super::rejections::{Rejected, arn_is_absent, not_current};
use super::step::{Plan, Step};
use crate::attempt::Attempt;
use crate::failure::{Class, Failure};
use crate::labels::CURRENT;
use crate::request::Request;

pub(super) fn plan(request: &Request, attempt: &Attempt) -> Result<Plan, Rejected> {
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
