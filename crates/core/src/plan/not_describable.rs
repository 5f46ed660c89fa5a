//! Decisions about a secret for which DescribeSecret is denied: by the answer to GetSecretValue and by what the write will
//! answer. It warns of everything that was not checked.

use super::metadata;
use super::rejections::{Rejected, check_overtaken, restore};
use super::step::{Plan, Step};
use crate::attempt::{Attempt, Restoration};
use crate::choices::{Compare, IfExists};
use crate::error::StoreError;
use crate::request::Request;
use crate::state::{NotDescribable, ValueView};

pub(super) fn plan(
    request: &Request,
    observed: &NotDescribable,
    attempt: &Attempt,
) -> Result<Plan, Rejected> {
    let reject = |error: &StoreError| Err(Rejected::Denied(error.clone()));
    if request.needs_describe() {
        return reject(&observed.denied);
    }
    if let (Compare::Always, ValueView::Unread(Some(denied))) = (request.compare, &observed.value) {
        return reject(denied);
    }
    if is_deleted(&observed.value, attempt) {
        return Ok(restore(request, attempt)?);
    }
    let version = match &observed.value {
        ValueView::Value(version) => Some(version.as_ref()),
        _ => None,
    };
    let base = version.map(|version| version.version_id.as_str());
    let skipped =
        request.if_exists == IfExists::Skip && !base.is_some_and(|id| attempt.may_have_written(id));
    if skipped && matches!(observed.value, ValueView::Unread(_)) {
        return reject(&observed.denied);
    }
    let is_met = request.is_met_by(version.map(|version| &version.value));
    let mut plan = Plan::default();
    if skipped || is_met || attempt.has_regained_label(base) {
        plan.keep = version.map(Into::into);
    }
    if skipped && version.is_some() {
        plan.note("the secret exists and has a value: left alone, as `if-exists: skip` asks");
        return Ok(plan);
    }
    plan.warn(
        "DescribeSecret is denied: rotation, replicas, owning services and a scheduled deletion were not checked, \
         and description, key and tags are written without comparing",
    );
    let leaves_alone = request.if_exists == IfExists::Skip;
    let is_created = base.is_some_and(|id| attempt.may_have_created(id));
    let mut writes = if is_created {
        // CreateSecret wrote all of it.
        Plan::default()
    } else {
        metadata_writes(request)
    };
    if plan.keep.is_none() {
        check_overtaken(request, attempt, base)?;
        let base = base.map(str::to_owned);
        writes.add(if leaves_alone {
            Step::Swap { base }
        } else {
            Step::Put { base }
        });
    }
    if request.version_id_key.is_some() && matches!(observed.value, ValueView::Unread(_)) {
        plan.warn(
            "without DescribeSecret and GetSecretValue a value that was replaced and comes back gets a new version, \
             in every run: its keyed version cannot be made current unseen",
        );
    }
    // A name that exists without a value is written; one that was created since the observation is not.
    let may_be_absent = version.is_none()
        && attempt.restoration == Restoration::NotSent
        && !(leaves_alone && attempt.name_taken);
    plan.steps = if may_be_absent && !request.target.is_arn() {
        let otherwise = if leaves_alone {
            Vec::new()
        } else {
            writes.steps
        };
        vec![Step::Create {
            otherwise: Some(otherwise),
            vacant: matches!(observed.value, ValueView::NoValue),
        }]
    } else {
        writes.steps
    };
    metadata::add_policy(request, &observed.policy, &mut plan);
    Ok(plan)
}

/// Whether the secret is scheduled for deletion, as far as answers show.
fn is_deleted(value: &ValueView, attempt: &Attempt) -> bool {
    match value {
        ValueView::Deleted(_) => true,
        ValueView::Value(_) => false,
        // CreateSecret failed for that reason. After RestoreSecret there is no sign of either state.
        ValueView::NoValue | ValueView::Unread(_) => {
            attempt.deletion_seen
                && matches!(
                    attempt.restoration,
                    Restoration::NotSent | Restoration::Unanswered
                )
        }
    }
}

/// Writes of all given metadata, none of which can be compared.
fn metadata_writes(request: &Request) -> Plan {
    let mut writes = Plan::default();
    writes.add(Step::Update {
        description: request.description.is_some(),
        kms_key: request.kms_key_id.is_some(),
    });
    writes.add(Step::Tag(request.tags.clone().unwrap_or_default()));
    writes
}
