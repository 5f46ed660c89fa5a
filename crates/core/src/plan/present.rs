//! Decisions about a secret that can be described: whether it may be written, and whether its value is written with a plain
//! put. Other modules own guarded writes and metadata.

use super::notices::{first_version, kind_change, rotation, unread};
use super::rejections::{Rejected, check_overtaken, check_writable, not_current, restore};
use super::step::{Plan, Step};
use super::{guarded, metadata};
use crate::attempt::Attempt;
use crate::choices::{Compare, IfExists};
use crate::failure::Failure;
use crate::labels::CURRENT;
use crate::outcome::VersionRef;
use crate::request::Request;
use crate::state::{Present, SecretMetadata};

/// Does not reject a run that would write nothing, whatever the state of the secret: a run that only calls GetSecretValue does
/// not see the state, and both must end the same way.
pub(super) fn plan(
    request: &Request,
    present: &Present,
    attempt: &Attempt,
    region: &str,
) -> Result<Plan, Rejected> {
    let secret = &present.secret;
    let writable = check_writable(secret, region, request.on_rotation);
    if secret.deleted {
        writable?;
        return Ok(restore(request, attempt)?);
    }
    let mut plan = match (desired(request, present, attempt), &writable) {
        // In such a state nothing could be written anyway, and the state is the better explanation.
        (Err(_), Err(failure)) => return Err(failure.clone().into()),
        (desired, _) => desired?,
    };
    let yields = plan.steps == [Step::Yield];
    if !yields && !plan.steps.iter().any(Step::changes) {
        if let (Err(failure), false) = (&writable, is_skipped(request, present, attempt)) {
            plan.note(format!("{}; nothing had to be written", failure.what));
        }
        return Ok(plan);
    }
    writable?;
    if !yields {
        guarded::add_sweep(request, present, attempt, &mut plan);
    }
    Ok(plan)
}

/// Whether `if-exists: skip` leaves the secret unchanged. A version that this run wrote before it observed again is not a
/// reason to skip the remaining steps.
fn is_skipped(request: &Request, present: &Present, attempt: &Attempt) -> bool {
    request.if_exists == IfExists::Skip
        && present
            .secret
            .holder(CURRENT)
            .is_some_and(|holder| !attempt.may_have_written(holder))
}

/// The requested changes of a secret that is not scheduled for deletion, whether or not it may be written.
fn desired(request: &Request, present: &Present, attempt: &Attempt) -> Result<Plan, Rejected> {
    let secret = &present.secret;
    let mut plan = Plan::default();
    if is_skipped(request, present, attempt) {
        plan.keep = VersionRef::holder(secret, CURRENT);
        plan.note(format!(
            "{} exists and has a value: left unchanged, as `if-exists: skip` requires",
            secret.name
        ));
        return Ok(plan);
    }
    let own = own_version(request, present, attempt);
    if request.compare == Compare::Always
        && own.is_none()
        && let Some(denied) = &present.unread
    {
        return Err(Rejected::Denied(denied.clone()));
    }
    metadata::plan(request, present, attempt, &mut plan)?;
    if own.is_some() {
        plan.keep = own;
    } else if request.is_guarded() {
        guarded::plan(request, present, attempt, &mut plan)?;
        if plan.steps == [Step::Yield] {
            return Ok(plan);
        }
    } else {
        add_put(request, present, attempt, &mut plan)?;
    }
    let labels = missing_labels(request, secret, plan.keep_id());
    plan.add_all(labels);
    Ok(plan)
}

/// The current version, if this run wrote it but cannot compare it: the one it created the secret with, or any version if
/// existing values are left unchanged.
fn own_version(request: &Request, present: &Present, attempt: &Attempt) -> Option<VersionRef> {
    let holder = present.secret.holder(CURRENT)?;
    let is_own = match request.if_exists {
        IfExists::Skip => attempt.may_have_written(holder),
        IfExists::Update => present.value.is_none() && attempt.may_have_created(holder),
    };
    is_own
        .then(|| VersionRef::holder(&present.secret, CURRENT))
        .flatten()
}

/// Keeps the version that holds the value, or adds the put of a new one.
fn add_put(
    request: &Request,
    present: &Present,
    attempt: &Attempt,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let secret = &present.secret;
    let current = secret.holder(CURRENT);
    let label = request.label();
    let holder = secret.holder(label);
    if request.is_met_by(present.value.as_ref()) || attempt.has_regained_label(holder) {
        plan.keep = VersionRef::holder(secret, label);
        return Ok(());
    }
    if holder.is_none() && current.is_some_and(|id| attempt.may_have_written(id)) {
        // This run has just created the secret: the label goes to that version.
        plan.keep = VersionRef::holder(secret, CURRENT);
        return Ok(());
    }
    if let Some(expected) = request.expected.as_deref()
        && current != Some(expected)
    {
        return Err(not_current(&secret.name, expected, current));
    }
    check_overtaken(request, attempt, holder)?;
    if request.is_met_by(present.current.as_ref()) {
        // A second version with the same value would only have to be promoted.
        plan.keep = VersionRef::holder(secret, CURRENT);
        return Ok(());
    }
    if let Some(error) = &present.unread {
        plan.note(unread(error));
    }
    plan.add(Step::Put {
        base: holder.map(str::to_owned),
    });
    if label != CURRENT && current.is_none() {
        plan.warn(first_version(request));
    }
    if let Some(text) = kind_change(request, present.value.as_ref()) {
        plan.warn(text);
    }
    if let Some(text) = rotation(secret) {
        plan.note(text);
    }
    Ok(())
}

/// Moves of requested labels that the kept version lacks or, without a kept version, of labels that the write does not add.
fn missing_labels(request: &Request, secret: &SecretMetadata, kept: Option<&str>) -> Vec<Step> {
    let written = usize::from(kept.is_none());
    let labels = request.stages.iter().skip(written);
    labels
        .map(|label| (label, secret.holder(label)))
        .filter(|(_, holder)| holder.is_none() || *holder != kept)
        .map(|(label, holder)| Step::Label {
            label: label.clone(),
            from: holder.map(str::to_owned),
        })
        .collect()
}
