//! States and conflicts in which a secret must not be written, and their failures. Does not decide what else is written, except
//! for a secret that is scheduled for deletion.

use super::step::{Nameable, Plan, Step};
use crate::attempt::{Attempt, Restoration};
use crate::choices::{OnRotation, OnScheduledDeletion};
use crate::error::StoreError;
use crate::failure::{Class, Failure};
use crate::quote::plain_text;
use crate::region::partition;
use crate::request::Request;
use crate::state::SecretMetadata;

/// The reason there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// A state, a conflict or a limit.
    Failure(Box<Failure>),
    /// A denial, which the store has to diagnose.
    Denied(StoreError),
    /// A denial for a secret that exists according to CreateSecret: see [`exists_unseen`].
    Unseen(StoreError),
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
        "to create the secret, give its name instead of the ARN: AWS chooses the end of an ARN",
    )
}

/// Completes the failure of a denied read: the CreateSecret response shows that the secret exists.
pub fn exists_unseen(failure: Failure, id: &str) -> Failure {
    let failure = add(
        failure,
        "CreateSecret answered that the name is taken, and what is requested depends on what the secret holds: nothing was written",
        "if access depends on tags (aws:ResourceTag), the secret lacks the tags that the policy requires: find out whose it is, \
         and correct its tags or choose another name",
    );
    Failure {
        what: format!("{id} exists, but the caller is not allowed to describe it"),
        ..failure
    }
}

/// Completes the failure of a denied DescribeSecret for a secret that may not exist.
pub fn maybe_absent(failure: Failure) -> Failure {
    add(
        failure,
        "whether the secret exists is therefore not known",
        "if access depends on tags (aws:ResourceTag), a secret that does not exist has none: create it by a run without \
         `all-or-nothing` first",
    )
}

/// Completes the failure of a denied CreateSecret when DescribeSecret is denied as well.
pub fn not_created(failure: Failure) -> Failure {
    add(
        failure,
        "DescribeSecret is denied as well, so whether the secret exists is not known",
        "if the secret exists, allow DescribeSecret on it instead; if access depends on tags (aws:RequestTag, aws:ResourceTag), \
         list those that the policy requires in `tags`",
    )
}

fn add(failure: Failure, why: &str, next: &str) -> Failure {
    let lines = failure.why.iter().map(String::as_str).chain([why]);
    Failure {
        why: Some(lines.collect::<Vec<_>>().join("\n")),
        next: format!("{}\n{next}", failure.next),
        ..failure
    }
}

/// Rejects a secret that is managed by another service, is a replica, or has rotation enabled without permission to write it
/// anyway.
pub(super) fn check_writable(
    secret: &SecretMetadata,
    region: &str,
    on_rotation: OnRotation,
) -> Result<(), Failure> {
    let name = &secret.name;
    if let Some(service) = &secret.owning_service {
        return Err(Failure::refused(
            format!(
                "{name} is managed by the AWS service {}",
                plain_text(service)
            ),
            "change the value there, or use a secret with another name",
        ));
    }
    if let Some(primary) = secret.primary_region.as_deref()
        && primary != region
    {
        return Err(Failure::refused(
            format!("{name} in {region} is a replica; it can only be written in {primary}"),
            format!("set `aws-region` to {primary}: AWS updates the replica from there"),
        ));
    }
    if secret.rotation_enabled && on_rotation == OnRotation::Fail {
        return Err(Failure::refused(
            format!("{name} has rotation enabled: the next rotation would replace the value"),
            "set `on-rotation: allow` to write it anyway, or turn off rotation",
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
            "set `on-scheduled-deletion: restore` to restore and write it, or choose another name",
        ));
    }
    match attempt.restoration {
        Restoration::NotSent | Restoration::Unanswered => {
            let mut plan = Plan::of(vec![Step::Restore]);
            if request.policy.is_some() {
                plan.add(Step::CheckPolicy(Nameable::No));
            }
            Ok(plan)
        }
        Restoration::Accepted => Ok(Plan::of(vec![Step::Wait])),
        Restoration::Shown => Err(Failure::refused(
            format!("{id} was scheduled for deletion again after this run had restored it"),
            "find out what deletes the secret; then run again",
        )),
    }
}

/// Rejects a replica in the region of the secret itself, or in another partition. Input checks cover this only if the inputs,
/// not a profile, name the region.
pub(super) fn check_replica_regions(request: &Request, own: &str) -> Result<(), Failure> {
    let mut regions = request.replicas.iter().flatten().map(|(region, _)| region);
    let is_wrong = |region: &&String| *region == own || partition(region) != partition(own);
    regions.find(is_wrong).map_or(Ok(()), |region| {
        let why = if region == own {
            "where the secret itself is".to_owned()
        } else {
            format!("which is in another partition than {own}")
        };
        Err(Failure::new(
            Class::Input,
            format!("`replica-regions` names {region}, {why}"),
            "omit that region",
        ))
    })
}

/// The failure for a secret that is still scheduled for deletion after AWS accepted the restore and all waits ended.
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
            "another writer wrote after that version was looked up: check its value, and run again with \
             its version ID to replace it",
        ),
        None => (
            "there is no current version".to_owned(),
            "omit `expected-version-id` to write a first version",
        ),
    };
    Failure::new(
        Class::Conflict,
        format!("the expected version {expected} is not current in {name}"),
        next,
    )
    .because(why)
}

/// The failure for an `expected-version-id` of a secret that does not exist.
pub(super) fn expected_of_absent(id: &str, expected: &str) -> Failure {
    Failure::new(
        Class::Conflict,
        format!("{id} does not exist, but its version {expected} is expected to be current"),
        "check the name, the region and the account; omit `expected-version-id` to create the secret",
    )
}

/// Rejects a second write by a run whose version was already replaced: it would revert the later write.
pub(super) fn check_overtaken(
    request: &Request,
    attempt: &Attempt,
    holder: Option<&str>,
) -> Result<(), Failure> {
    let Some(own) = &attempt.overtaken else {
        return Ok(());
    };
    let by = holder.map_or_else(
        || {
            format!(
                "the version that now holds {} cannot be determined",
                request.label()
            )
        },
        |holder| format!("{} is now on version {holder}", request.label()),
    );
    Err(Failure::new(
        Class::Conflict,
        format!(
            "another writer wrote to {} after this run",
            request.target.id
        ),
        "run again to replace the other value, or keep it",
    )
    .because(format!("this run's version is {own}; {by}")))
}
