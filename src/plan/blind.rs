//! Decisions without DescribeSecret: what GetSecretValue tells, what a write will tell, and a warning
//! about what was not checked.

use super::{Plan, Step, deleted, denied_by, is_ours, metadata, overtaken};
use crate::failure::Failure;
use crate::observe::{Glimpse, Hidden};
use crate::outcome::{Outcome, Version};
use crate::request::{Compare, IfExists, Request};

pub(super) fn plan(
    request: &Request,
    hidden: &Hidden,
    done: &Outcome,
    region: &str,
) -> Result<Plan, Failure> {
    let refuse = |error| Err(denied_by(error, request, None, region));
    if request.needs_sight() {
        return refuse(&hidden.denied);
    }
    if let (Compare::Always, Glimpse::Nothing(Some(denied))) = (request.compare, &hidden.glimpse) {
        return refuse(denied);
    }
    if is_deleted_unseen(&hidden.glimpse, done) {
        return deleted(request, done);
    }
    let skip = request.if_exists == IfExists::Skip
        && !matches!(&hidden.glimpse, Glimpse::Value(read) if done.wrote(&read.version_id));
    let mut plan = Plan::default();
    let (base, equal) = match &hidden.glimpse {
        // Whether there is a value to leave alone cannot be seen either way.
        Glimpse::Nothing(_) if skip => return refuse(&hidden.denied),
        Glimpse::Value(read) => {
            let base = Some(read.version_id.clone());
            let equal = request.is_met_by(&read.value);
            if skip || equal || is_ours(done, base.as_deref()) {
                plan.keep = Some(Version {
                    id: read.version_id.clone(),
                    stages: read.stages.clone(),
                });
            }
            if skip {
                plan.note(
                    "the secret exists and has a value: left alone, as `if-exists: skip` asks",
                );
                return Ok(plan);
            }
            (base, equal)
        }
        _ => (None, false),
    };
    plan.warn(
        "DescribeSecret is denied: rotation, replicas, owning services and a scheduled deletion were not checked, \
         and description, key and tags are written without comparing",
    );
    let mut unseen = unseen_metadata(request);
    if !equal && plan.keep.is_none() {
        overtaken(request, done, base.as_deref())?;
        unseen.add(Step::Put { base });
    }
    if request.version_id_key.is_some() && matches!(hidden.glimpse, Glimpse::Nothing(_)) {
        plan.warn(
            "without DescribeSecret and GetSecretValue a value that was replaced and comes back gets a new version, \
             in every run: its keyed version cannot be made current unseen",
        );
    }
    let may_be_absent = !matches!(hidden.glimpse, Glimpse::Value(_)) && !done.restore_sent;
    let steps = unseen.steps;
    plan.steps = if may_be_absent && !request.target.is_arn() {
        vec![Step::Create {
            otherwise: Some(steps),
            vacant: matches!(hidden.glimpse, Glimpse::NoValue),
        }]
    } else {
        steps
    };
    metadata::policy(request, &hidden.policy, &mut plan);
    Ok(plan)
}

/// Whether the secret is scheduled for deletion, as far as that can be told without seeing it.
fn is_deleted_unseen(glimpse: &Glimpse, done: &Outcome) -> bool {
    match glimpse {
        Glimpse::Deleted(_) => true,
        Glimpse::Value(_) => false,
        // Creating it was refused for that reason; once it is restored nothing contradicts that.
        Glimpse::NoValue | Glimpse::Nothing(_) => done.deletion_seen && !done.restore_sent,
    }
}

fn unseen_metadata(request: &Request) -> Plan {
    let mut unseen = Plan::default();
    let (description, kms_key) = (request.description.is_some(), request.kms_key_id.is_some());
    if description || kms_key {
        unseen.add(Step::Update {
            description,
            kms_key,
        });
    }
    if let Some(tags) = request.tags.as_ref().filter(|tags| !tags.is_empty()) {
        unseen.add(Step::Tag(tags.clone()));
    }
    unseen
}
