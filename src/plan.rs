//! Every decision: a pure function of what is asked, what there is, and what this run has done so
//! far. No AWS, no clock, no environment; so every decision is tested without a network.

use crate::aws::{Described, Read};
use crate::failure::{Class, Failure, Subject};
use crate::observe::{Observed, Present};
use crate::outcome::{Outcome, Version};
use crate::request::{CURRENT, Compare, IfExists, Request};

mod blind;
pub(crate) mod guarded;
mod kms;
mod metadata;
mod refuse;
mod shift;
mod step;
pub mod together;
mod verdict;
mod words;

pub use guarded::Document;
pub(crate) use kms::is_default as is_default_key;
use refuse::deleted;
pub(crate) use refuse::{arn_is_absent, refusals, rotation};
pub use shift::{Decision, decide};
pub use step::{Plan, Step};
pub(crate) use verdict::judge;
pub use words::{Planned, words};

/// Decides.
///
/// # Errors
/// Refusals by state, denials that make the request impossible, and conflicts.
pub fn plan(
    request: &Request,
    observed: &Observed,
    done: &Outcome,
    region: &str,
) -> Result<Plan, Failure> {
    match observed {
        Observed::Absent => absent(request, done),
        Observed::Present(present) => self::present(request, present, done, region),
        Observed::Hidden(hidden) => blind::plan(request, hidden, done, region),
    }
}

/// The plan that GetSecretValue's answer alone settles: the value is there, and nothing else is asked for. `None` where
/// more has to be seen.
#[must_use]
pub fn settled(request: &Request, read: &Read) -> Option<Plan> {
    let only_the_value = request.reads()
        && request.stages == [CURRENT]
        && request.description.is_none()
        && request.kms_key_id.is_none()
        && request.tags.is_none()
        && request.replicas.is_none()
        && request.policy.is_none();
    let holds = if request.json.is_empty() {
        request.is_met_by(&read.value)
    } else {
        guarded::has_keys(request, &read.value)
    };
    (only_the_value && holds).then(|| Plan {
        keep: Some(Version {
            id: read.version_id.clone(),
            stages: read.stages.clone(),
        }),
        ..Plan::default()
    })
}

fn absent(request: &Request, done: &Outcome) -> Result<Plan, Failure> {
    let id = &request.target.id;
    if done.overtaken.is_some() {
        return Err(Failure::new(
            Class::Conflict,
            format!("{id} was written by this run and then deleted by somebody else"),
            "find out who deletes it; then run again",
        ));
    }
    if request.target.is_arn() {
        return Err(arn_is_absent(request));
    }
    if let Some(expected) = &request.expected {
        return Err(guarded::not_current(id, expected, None));
    }
    let mut plan = Plan::of(vec![Step::Create {
        otherwise: None,
        vacant: true,
    }]);
    plan.document = guarded::new_document(request)?;
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

fn present(
    request: &Request,
    present: &Present,
    done: &Outcome,
    region: &str,
) -> Result<Plan, Failure> {
    let secret = &present.secret;
    let current = secret.holder(CURRENT);
    // What this run has written itself, before it had to look again, is no reason to stop halfway.
    let skipped =
        request.if_exists == IfExists::Skip && current.is_some_and(|holder| !done.wrote(holder));
    if !skipped || secret.deleted {
        refusals(secret, region, request.on_rotation)?;
    }
    if secret.deleted {
        return deleted(request, done);
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
        return Err(denied_by(denied, request, Some(&secret.arn), region));
    }

    metadata::plan(request, present, done, &mut plan)?;
    guarded::sweep(request, present, done, &mut plan);
    if request.is_guarded() {
        guarded::plan(request, present, done, region, &mut plan)?;
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
    } else if label != CURRENT && holder.is_none() && current.is_some_and(|id| done.wrote(id)) {
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
            return Err(guarded::not_current(&secret.name, expected, current));
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

/// A version and its labels, as DescribeSecret shows them.
fn version(secret: &Described, id: &str) -> Version {
    Version {
        id: id.to_owned(),
        stages: secret.versions.get(id).cloned().unwrap_or_default(),
    }
}

/// Whether AWSCURRENT sits on the version that this run wrote before it was overtaken: then somebody
/// has put it back, and there is nothing left to do.
fn is_ours(done: &Outcome, holder: Option<&str>) -> bool {
    done.overtaken.is_some() && done.overtaken.as_deref() == holder
}

/// Somebody wrote after us. Their value is not ours to undo.
fn overtaken(request: &Request, done: &Outcome, holder: Option<&str>) -> Result<(), Failure> {
    let Some(ours) = &done.overtaken else {
        return Ok(());
    };
    let by = holder.map_or_else(
        || format!("which version holds {} now cannot be seen", request.label()),
        |holder| format!("{} is now on version {holder}", request.label()),
    );
    Err(Failure::new(
        Class::Conflict,
        format!("somebody wrote to {} after this run", request.target.id),
        "run again to write this value over theirs, or let theirs stand",
    )
    .because(format!("this run's version is {ours}; {by}")))
}

fn denied_by(
    error: &crate::aws::AwsError,
    request: &Request,
    arn: Option<&str>,
    region: &str,
) -> Failure {
    let subject = Subject {
        id: &request.target.id,
        name: &request.target.name,
        arn,
        region,
    };
    Failure::of_aws(error, subject)
}

#[cfg(test)]
mod tests;
