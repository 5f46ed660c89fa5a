//! Decisions about a secret for which DescribeSecret is denied, based on the GetSecretValue response and the response to the
//! write. Such a secret may not exist: with attribute-based access control, only its tags allow reads. Warns about everything
//! that was not checked.

use super::absent::creation;
use super::metadata;
use super::notices::kind_change;
use super::rejections::{Rejected, check_overtaken, restore};
use super::step::{Nameable, Plan, Step};
use crate::attempt::{Attempt, Restoration};
use crate::choices::{Compare, IfExists};
use crate::error::StoreError;
use crate::request::Request;
use crate::state::{NotDescribable, ValueView};

/// The warning that an existing secret is written without DescribeSecret.
pub const UNCHECKED: &str = "DescribeSecret is denied: rotation, replicas, owning services and a scheduled deletion were not checked, \
     and description, key and tags are written without comparing";

/// The notice that a secret was created without DescribeSecret.
pub const CREATED_UNSEEN: &str = "DescribeSecret is denied, so the secret's existence and state were not checked before it was created";

pub(super) fn plan(
    request: &Request,
    observed: &NotDescribable,
    attempt: &Attempt,
) -> Result<Plan, Rejected> {
    let version = match &observed.value {
        ValueView::Value(version) => Some(version.as_ref()),
        _ => None,
    };
    let base = version.map(|version| version.version_id.as_str());
    let skipped =
        request.if_exists == IfExists::Skip && !base.is_some_and(|id| attempt.may_have_written(id));
    if let (true, Some(version)) = (skipped, version) {
        let mut plan = Plan {
            keep: Some(version.into()),
            ..Plan::default()
        };
        plan.note(
            "the secret exists and has a value: left unchanged, as `if-exists: skip` requires",
        );
        return Ok(plan);
    }
    if let Some(denied) = needed_read(request, observed) {
        return plan_unseen(request, observed, denied, attempt);
    }
    if is_deleted(&observed.value, attempt) {
        return Ok(restore(request, attempt)?);
    }
    let is_met = request.is_met_by(version.map(|version| &version.value));
    let mut plan = Plan::default();
    if is_met || attempt.has_regained_label(base) {
        plan.keep = version.map(Into::into);
    }
    let leaves_alone = request.if_exists == IfExists::Skip;
    let is_created = base.is_some_and(|id| attempt.may_have_created(id));
    let mut writes = if is_created {
        // CreateSecret wrote everything.
        Plan::default()
    } else {
        metadata_writes(request)
    };
    if plan.keep.is_none() {
        check_overtaken(request, attempt, base)?;
        if let Some(text) = kind_change(request, version.map(|version| &version.value)) {
            plan.warn(text);
        }
        let base = base.map(str::to_owned);
        writes.add(if leaves_alone {
            Step::Swap { base }
        } else {
            Step::Put { base }
        });
    }
    if request.version_id_key.is_some() && matches!(observed.value, ValueView::Unread(_)) {
        plan.warn(
            "without DescribeSecret and GetSecretValue, a value that returns after it was replaced gets a \
             new version in every run: its keyed version cannot be made current without reading",
        );
    }
    // A secret that exists without a value is written; one that was created since the observation is not.
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
        plan.warn(UNCHECKED);
        writes.steps
    };
    let nameable = if version.is_some() || request.target.is_arn() {
        Nameable::Yes
    } else {
        Nameable::Unknown
    };
    metadata::add_policy(request, &observed.policy, nameable, &mut plan);
    Ok(plan)
}

/// The denial of a read that a write to an existing secret depends on; `None` if the request can be met without it.
fn needed_read<'a>(request: &Request, observed: &'a NotDescribable) -> Option<&'a StoreError> {
    let leaves_alone = request.if_exists == IfExists::Skip;
    match &observed.value {
        _ if request.needs_describe() => Some(&observed.denied),
        ValueView::Unread(_) if leaves_alone => Some(&observed.denied),
        ValueView::Unread(Some(denied)) if request.compare == Compare::Always => Some(denied),
        _ => None,
    }
}

/// Creates the secret if it does not exist, and never writes to an existing one.
fn plan_unseen(
    request: &Request,
    observed: &NotDescribable,
    denied: &StoreError,
    attempt: &Attempt,
) -> Result<Plan, Rejected> {
    let outcome = &attempt.outcome;
    let own = outcome.version.as_ref();
    if let Some(own) = own.filter(|own| outcome.has_created(&own.id)) {
        // The steps after CreateSecret.
        let mut plan = creation(request, None, true)?;
        plan.steps
            .retain(|step| !matches!(step, Step::Create { .. }));
        plan.keep = Some(own.clone());
        return Ok(plan);
    }
    let leaves_alone =
        request.if_exists == IfExists::Skip && matches!(observed.value, ValueView::Unread(_));
    if is_deleted(&observed.value, attempt) {
        let restored = restore(request, attempt)?;
        // Does not restore a secret that it could not write afterward.
        return if leaves_alone {
            Ok(restored)
        } else {
            Err(Rejected::Denied(denied.clone()))
        };
    }
    let is_restored = attempt.restoration != Restoration::NotSent;
    if leaves_alone && (attempt.name_taken || is_restored) {
        let mut plan = Plan::default();
        plan.warn(format!(
            "{} exists: left unchanged, as `if-exists: skip` requires. DescribeSecret is denied, so whether it has a value, its ARN and its \
             version are not known",
            request.target.id
        ));
        return Ok(plan);
    }
    if attempt.name_taken {
        return Err(Rejected::Unseen(denied.clone()));
    }
    let exists = is_restored || matches!(observed.value, ValueView::Value(_));
    if exists || request.target.is_arn() || request.expected.is_some() {
        return Err(Rejected::Denied(denied.clone()));
    }
    let vacant = matches!(observed.value, ValueView::NoValue);
    creation(request, Some(Vec::new()), vacant)
}

/// Whether the secret is scheduled for deletion, according to the responses so far.
fn is_deleted(value: &ValueView, attempt: &Attempt) -> bool {
    match value {
        ValueView::Deleted(_) => true,
        ValueView::Value(_) => false,
        // CreateSecret failed for that reason. After RestoreSecret, nothing indicates either state.
        ValueView::NoValue | ValueView::Unread(_) => {
            attempt.deletion_seen
                && matches!(
                    attempt.restoration,
                    Restoration::NotSent | Restoration::Unanswered
                )
        }
    }
}

/// Writes all given metadata, because none of it can be compared.
fn metadata_writes(request: &Request) -> Plan {
    let mut writes = Plan::default();
    writes.add(Step::Update {
        description: request.description.is_some(),
        kms_key: request.kms_key_id.is_some(),
    });
    writes.add(Step::Tag(request.tags.clone().unwrap_or_default()));
    writes
}
