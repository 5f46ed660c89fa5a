//! Decisions without DescribeSecret: by what GetSecretValue tells and what a write will tell, with a warning about what
//! was not checked.

use super::common::{Rejected, is_ours, overtaken};
use super::metadata;
use super::rejections::deleted;
use super::step::{Plan, Step};
use crate::attempt::Attempt;
use crate::choices::{Compare, IfExists};
use crate::error::StoreError;
use crate::outcome::VersionRef;
use crate::request::Request;
use crate::state::{NotDescribable, ValueView};

pub(super) fn plan(
    request: &Request,
    hidden: &NotDescribable,
    done: &Attempt,
) -> Result<Plan, Rejected> {
    let reject = |error: &StoreError| Err(Rejected::Denied(error.clone()));
    if request.needs_describe() {
        return reject(&hidden.denied);
    }
    if let (Compare::Always, ValueView::Unread(Some(denied))) = (request.compare, &hidden.value) {
        return reject(denied);
    }
    if is_deleted_unseen(&hidden.value, done) {
        return Ok(deleted(request, done)?);
    }
    let skip = request.if_exists == IfExists::Skip
        && !matches!(&hidden.value, ValueView::Value(read) if done.may_have_written(&read.version_id));
    let mut plan = Plan::default();
    let (base, equal) = match &hidden.value {
        // Whether there is a value to leave alone cannot be seen either way.
        ValueView::Unread(_) if skip => return reject(&hidden.denied),
        ValueView::Value(read) => {
            let base = Some(read.version_id.clone());
            let equal = request.is_met_by(&read.value);
            if skip || equal || is_ours(done, base.as_deref()) {
                plan.keep = Some(VersionRef {
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
    if request.version_id_key.is_some() && matches!(hidden.value, ValueView::Unread(_)) {
        plan.warn(
            "without DescribeSecret and GetSecretValue a value that was replaced and comes back gets a new version, \
             in every run: its keyed version cannot be made current unseen",
        );
    }
    let may_be_absent = !matches!(hidden.value, ValueView::Value(_)) && !done.restore_sent;
    let steps = unseen.steps;
    plan.steps = if may_be_absent && !request.target.is_arn() {
        vec![Step::Create {
            otherwise: Some(steps),
            vacant: matches!(hidden.value, ValueView::NoValue),
        }]
    } else {
        steps
    };
    metadata::policy(request, &hidden.policy, &mut plan);
    Ok(plan)
}

/// Whether the secret is scheduled for deletion, as far as that can be told without seeing it.
fn is_deleted_unseen(value: &ValueView, done: &Attempt) -> bool {
    match value {
        ValueView::Deleted(_) => true,
        ValueView::Value(_) => false,
        // Creating it was refused for that reason; once it is restored nothing contradicts that.
        ValueView::NoValue | ValueView::Unread(_) => done.deletion_seen && !done.restore_sent,
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
