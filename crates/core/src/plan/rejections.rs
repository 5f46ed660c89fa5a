//! States of a secret in which it must not be written.

use super::step::{Plan, Step};
use crate::attempt::Attempt;
use crate::choices::{OnRotation, OnScheduledDeletion};
use crate::failure::{Class, Failure};
use crate::labels::{CURRENT, PENDING};
use crate::request::Request;
use crate::state::SecretMetadata;

/// An ARN that does not exist.
#[must_use]
pub fn arn_is_absent(request: &Request) -> Failure {
    Failure::new(
        Class::Refused,
        format!("{} does not exist", request.target.id),
        "give the name instead of the ARN to have it created: AWS chooses the end of an ARN itself",
    )
}

/// What forbids any write to a secret.
///
/// # Errors
/// Managed by another service, a replica, or rotated where that is not allowed.
pub(super) fn rejections(
    secret: &SecretMetadata,
    region: &str,
    on_rotation: OnRotation,
) -> Result<(), Failure> {
    let name = &secret.name;
    if let Some(service) = &secret.owning_service {
        return Err(Failure::new(
            Class::Refused,
            format!("{name} is managed by the AWS service {service}"),
            "change the value there, or use a secret of another name",
        ));
    }
    if let Some(primary) = secret.primary_region.as_deref()
        && primary != region
    {
        return Err(Failure::new(
            Class::Refused,
            format!("{name} in {region} is a replica; it can only be written in {primary}"),
            format!("set `aws-region` to {primary}: the replica follows by itself"),
        ));
    }
    if secret.rotation_enabled && on_rotation == OnRotation::Fail {
        return Err(Failure::new(
            Class::Refused,
            format!("{name} has rotation enabled, which would replace the value at its next turn"),
            "set `on-rotation: allow` to write it all the same, or turn rotation off",
        ));
    }
    Ok(())
}

pub(super) fn deleted(request: &Request, done: &Attempt) -> Result<Plan, Failure> {
    match request.on_scheduled_deletion {
        OnScheduledDeletion::Fail => Err(Failure::new(
            Class::Refused,
            format!("{} is scheduled for deletion", request.target.id),
            "set `on-scheduled-deletion: restore` to take it back and write it, or choose another name",
        )),
        OnScheduledDeletion::Restore if done.restore_sent => Ok(Plan::of(vec![Step::Wait])),
        OnScheduledDeletion::Restore => Ok(Plan::of(vec![Step::Restore])),
    }
}

/// A rotation that is under way is no reason to refuse, and none of our business; people should know of it.
#[must_use]
pub fn rotation(secret: &SecretMetadata) -> Option<String> {
    let id = secret.holder(PENDING)?;
    (secret.holder(CURRENT) != Some(id)).then(|| {
        format!("a rotation is in progress: AWSPENDING is on version {id}, and stays there")
    })
}
