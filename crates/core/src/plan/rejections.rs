//! States and conflicts in which a secret must not be written, and their failures. It does not decide what is written
//! otherwise, except for a secret that is scheduled for deletion.

use super::step::{Plan, Step};
use crate::attempt::{Attempt, Restoration};
use crate::choices::{OnRotation, OnScheduledDeletion};
use crate::error::StoreError;
use crate::failure::{Class, Failure};
use crate::request::Request;
use crate::state::SecretMetadata;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// A state, a conflict or a limit.
    Failure(Box<Failure>),
    /// A denial, which the store has to diagnose.
    Denied(StoreError),
}

impl From<Failure> for Rejected {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

/// The failure for an ARN of a secret that does not exist.
pub fn arn_is_absent(request: &Request) -> Failure {
    Failure::refused(
        format!("{} does not exist", request.target.id),
        "give the name instead of the ARN to have it created: AWS chooses the end of an ARN itself",
    )
}

/// Rejects a secret that is managed by another service, is a replica, or has rotation enabled without permission to
/// write it all the same.
pub(super) fn check_writable(
    secret: &SecretMetadata,
    region: &str,
    on_rotation: OnRotation,
) -> Result<(), Failure> {
    let name = &secret.name;
    if let Some(service) = &secret.owning_service {
        return Err(Failure::refused(
            format!("{name} is managed by the AWS service {service}"),
            "change the value there, or use a secret of another name",
        ));
    }
    if let Some(primary) = secret.primary_region.as_deref()
        && primary != region
    {
        return Err(Failure::refused(
            format!("{name} in {region} is a replica; it can only be written in {primary}"),
            format!("set `aws-region` to {primary}: the replica follows by itself"),
        ));
    }
    if secret.rotation_enabled && on_rotation == OnRotation::Fail {
        return Err(Failure::refused(
            format!("{name} has rotation enabled, which would replace the value at its next turn"),
            "set `on-rotation: allow` to write it all the same, or turn rotation off",
        ));
    }
    Ok(())
}

/// The plan for a secret that is scheduled for deletion.
pub(super) fn restore(request: &Request, attempt: &Attempt) -> Result<Plan, Failure> {
    let id = &request.target.id;
    if request.on_scheduled_deletion == OnScheduledDeletion::Fail {
        return Err(Failure::refused(
            format!("{id} is scheduled for deletion"),
            "set `on-scheduled-deletion: restore` to take it back and write it, or choose another name",
        ));
    }
    match attempt.restoration {
        Restoration::NotSent | Restoration::Unanswered => Ok(Plan::of(vec![Step::Restore])),
        Restoration::Accepted => Ok(Plan::of(vec![Step::Wait])),
        Restoration::Shown => Err(Failure::refused(
            format!("{id} was scheduled for deletion again after this run had restored it"),
            "find out what deletes the secret; then run again",
        )),
    }
}

/// The failure for a secret that is still scheduled for deletion after all waits for a restore that AWS accepted.
pub fn still_deleted(request: &Request) -> Failure {
    let id = &request.target.id;
    Failure::refused(
        format!("{id} is still scheduled for deletion, although AWS accepted its restore"),
        "run again; if that does not help, find out what deletes the secret",
    )
}

/// The failure for an `expected-version-id` that is not current.
pub(super) fn not_current(name: &str, expected: &str, holder: Option<&str>) -> Failure {
    let (why, next) = match holder {
        Some(holder) => (
            format!("AWSCURRENT is on version {holder}"),
            "somebody wrote since that version was looked at: look at theirs, and run again with its id where this shall replace it",
        ),
        None => (
            "there is no current version".to_owned(),
            "leave `expected-version-id` out to write a first version",
        ),
    };
    Failure::new(
        Class::Conflict,
        format!("version {expected}, which is expected, is not current in {name}"),
        next,
    )
    .because(why)
}

/// Rejects a second write by a run that was overtaken: it would revert the later write.
pub(super) fn check_overtaken(
    request: &Request,
    attempt: &Attempt,
    holder: Option<&str>,
) -> Result<(), Failure> {
    let Some(own) = &attempt.overtaken else {
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
    .because(format!("this run's version is {own}; {by}")))
}
