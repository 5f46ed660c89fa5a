//! Decisions about a secret that can be described, and about one that does not exist.

use super::common::{Rejected, is_ours, overtaken, version};
use super::rejections::{arn_is_absent, deleted, rejections, rotation};
use super::step::{Plan, Step};
use super::{document, guarded, metadata};
use crate::attempt::Attempt;
use crate::choices::{Compare, IfExists};
use crate::failure::{Class, Failure};
use crate::labels::CURRENT;
use crate::request::Request;
use crate::state::Present;

pub(super) fn absent(request: &Request, done: &Attempt) -> Result<Plan, Rejected> {
    let id = &request.target.id;
    if done.overtaken.is_some() {
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
        return Err(guarded::not_current(id, expected, None).into());
    }
    let mut plan = Plan::of(vec![Step::Create {
        otherwise: None,
        vacant: true,
    }]);
    plan.document = document::new_document(request)?;
    if request.label() != CURRENT {
        guarded::first_is_current(request, &mut plan);
    }
    plan.steps.extend(further_labels(
        request,
        None,
        |_| None,
        request.label() == CURRENT,
    ));
    if request.policy.is_some() {
        // Only a secret that exists can be asked about.
        plan.steps.extend([Step::CheckPolicy, Step::SetPolicy]);
    }
    if let Some(regions) = request
        .replicas
        .as_ref()
        .filter(|regions| !regions.is_empty())
    {
        plan.steps
            .push(Step::AwaitReplicas(regions.keys().cloned().collect()));
    }
    Ok(plan)
}

/// Steps for the labels that a version lacks: those after the first, which goes with the value, or all.
fn further_labels<'a>(
    request: &Request,
    version: Option<&str>,
    holder: impl Fn(&str) -> Option<&'a str>,
    first_is_done: bool,
) -> Vec<Step> {
    request
        .stages
        .iter()
        .skip(usize::from(first_is_done))
        .filter_map(|label| {
            let from = holder(label);
            (from.is_none() || from != version).then(|| Step::Label {
                label: label.clone(),
                from: from.map(str::to_owned),
            })
        })
        .collect()
}

pub(super) fn plan(
    request: &Request,
    present: &Present,
    done: &Attempt,
    region: &str,
) -> Result<Plan, Rejected> {
    let secret = &present.secret;
    let current = secret.holder(CURRENT);
    // What this run has written itself, before it had to look again, is no reason to stop halfway.
    let skipped = request.if_exists == IfExists::Skip
        && current.is_some_and(|holder| !done.may_have_written(holder));
    if !skipped || secret.deleted {
        rejections(secret, region, request.on_rotation)?;
    }
    if secret.deleted {
        return Ok(deleted(request, done)?);
    }
    let mut plan = Plan::default();
    if skipped {
        plan.keep = current.map(|id| version(secret, id));
        plan.note(format!(
            "{} exists and has a value: left alone, as `if-exists: skip` asks",
            secret.name
        ));
        return Ok(plan);
    }
    if request.compare == Compare::Always
        && let Some(denied) = &present.unread
    {
        return Err(Rejected::Denied(denied.clone()));
    }

    metadata::plan(request, present, done, &mut plan)?;
    guarded::sweep(request, present, done, &mut plan);
    if request.is_guarded() {
        guarded::plan(request, present, done, &mut plan)?;
        let labels = further_labels(request, plan.keep_id(), |label| secret.holder(label), true);
        plan.add_all(labels);
        return Ok(plan);
    }
    let label = request.label();
    let holder = secret.holder(label);
    let holds = present
        .value
        .as_ref()
        .is_some_and(|value| request.is_met_by(value));
    if holds || is_ours(done, holder) {
        plan.keep = holder.map(|id| version(secret, id));
    } else if label != CURRENT
        && holder.is_none()
        && current.is_some_and(|id| done.may_have_written(id))
    {
        // Created by this run a moment ago: that version is the one to be labelled.
        plan.keep = current.map(|id| version(secret, id));
        plan.add_all(further_labels(
            request,
            None,
            |label| secret.holder(label),
            false,
        ));
        return Ok(plan);
    } else {
        if let Some(expected) = request
            .expected
            .as_deref()
            .filter(|id| Some(*id) != current)
        {
            return Err(guarded::not_current(&secret.name, expected, current).into());
        }
        overtaken(request, done, holder)?;
        if present.unread.is_some() {
            plan.note("reading the current value (GetSecretValue) is denied: it is written without comparing, and so may make a version that changes nothing");
        }
        plan.add(Step::Put {
            base: holder.map(str::to_owned),
        });
        if label != CURRENT && current.is_none() {
            guarded::first_is_current(request, &mut plan);
        }
        if let Some(text) = rotation(secret) {
            plan.note(text);
        }
    }
    let labels = further_labels(request, plan.keep_id(), |label| secret.holder(label), true);
    plan.add_all(labels);
    Ok(plan)
}
