//! Decisions about everything but the value: description, KMS key, tags, replicas, resource policy. It adds a step only for
//! what is given and differs.

use std::collections::BTreeMap;

use super::kms::{self, Comparison};
use super::step::{Plan, Step};
use crate::attempt::Attempt;
use crate::choices::{ReplicaPolicy, TagPolicy};
use crate::failure::Failure;
use crate::outcome::Change;
use crate::request::Request;
use crate::state::{PolicyView, Present, ReplicaStatus, SecretMetadata};

pub(super) fn plan(
    request: &Request,
    present: &Present,
    attempt: &Attempt,
    plan: &mut Plan,
) -> Result<(), Failure> {
    add_update(request, present, attempt, plan);
    add_tags(request, &present.secret, plan);
    add_policy(request, &present.policy, plan);
    add_replicas(request, &present.secret, attempt, plan)
}

/// Whether an observation shows a change of metadata or of a label, as far as the request asked for it.
pub fn shows_change(change: &Change, request: &Request, present: &Present) -> bool {
    let secret = &present.secret;
    match change {
        Change::Description => request.description == secret.description,
        Change::KmsKey(key) => kms::compare(key, secret.kms_key_id.as_deref()) == Comparison::Same,
        Change::Tagged(keys) => keys.iter().all(|key| {
            let wanted = request.tags.as_ref().and_then(|tags| tags.get(key));
            wanted.is_some() && wanted == secret.tags.get(key)
        }),
        Change::Untagged(keys) => !keys.iter().any(|key| secret.tags.contains_key(key)),
        Change::Unreplicated(regions) => !regions
            .iter()
            .any(|region| secret.replica(region).is_some()),
        Change::Policy => match (&request.policy, &present.policy) {
            (Some(policy), PolicyView::Known(Some(text))) => policy.is_equivalent_to(text),
            _ => false,
        },
        Change::Labeled { id, label } => secret.holder(label) == Some(id),
        _ => false,
    }
}

fn add_update(request: &Request, present: &Present, attempt: &Attempt, plan: &mut Plan) {
    let secret = &present.secret;
    let is_created = secret
        .versions
        .keys()
        .any(|id| attempt.may_have_created(id));
    let description = request.description.is_some() && request.description != secret.description;
    let kms_key = request.kms_key_id.as_deref().is_some_and(|wanted| {
        match kms::compare(wanted, secret.kms_key_id.as_deref()) {
            Comparison::Same => false,
            Comparison::Different => true,
            // CreateSecret wrote it.
            Comparison::Unknown if is_created => false,
            Comparison::Unknown => {
                plan.note("the KMS key is written: an alias and a key cannot be compared without more rights");
                true
            }
        }
    });
    plan.add(Step::Update {
        description,
        kms_key,
    });
}

fn add_tags(request: &Request, secret: &SecretMetadata, plan: &mut Plan) {
    let Some(tags) = &request.tags else {
        return;
    };
    if request.tag_policy == TagPolicy::Replace {
        let unlisted = secret.tags.keys();
        let unlisted = unlisted.filter(|key| !tags.contains_key(*key) && !key.starts_with("aws:"));
        plan.add(Step::Untag(unlisted.cloned().collect()));
    }
    let mut differing = tags.clone();
    differing.retain(|key, value| secret.tags.get(key) != Some(value));
    plan.add(Step::Tag(differing));
}

/// Adds the policy, unless the attached one is equivalent.
pub(super) fn add_policy(request: &Request, attached: &PolicyView, plan: &mut Plan) {
    let Some(policy) = &request.policy else {
        return;
    };
    match attached {
        PolicyView::Known(Some(text)) if policy.is_equivalent_to(text) => return,
        PolicyView::Denied(_) => {
            plan.note("reading the resource policy (GetResourcePolicy) is denied: it is written without comparing");
        }
        PolicyView::Known(_) | PolicyView::NotRequested => {}
    }
    plan.add_all([Step::CheckPolicy, Step::SetPolicy]);
}

fn add_replicas(
    request: &Request,
    secret: &SecretMetadata,
    attempt: &Attempt,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let Some(wanted) = &request.replicas else {
        return Ok(());
    };
    let replace = request.replica_policy == ReplicaPolicy::Replace;
    let mut removed = Vec::new();
    let mut added = BTreeMap::new();
    let mut awaited = Vec::new();
    for (region, key) in wanted {
        let Some(replica) = secret.replica(region) else {
            added.insert(region.clone(), key.clone());
            awaited.push(region.clone());
            continue;
        };
        let present_key = replica.kms_key_id.as_deref();
        match key.as_deref().map(|key| kms::compare(key, present_key)) {
            Some(Comparison::Different) if replace => {
                removed.push(region.clone());
                added.insert(region.clone(), key.clone());
            }
            Some(Comparison::Different) => {
                return Err(key_differs(secret, region, present_key));
            }
            Some(Comparison::Unknown) => plan.note(format!(
                "the KMS key of the replica in {region} is left as it is: an alias and a key cannot be compared without more rights"
            )),
            _ => {}
        }
        // A failed replica is retried once in a run.
        let has_failed = matches!(replica.status, ReplicaStatus::Failed(_));
        if has_failed && !attempt.replicating.contains(region) {
            added.insert(region.clone(), key.clone());
        }
        if replica.status != ReplicaStatus::InSync || added.contains_key(region) {
            awaited.push(region.clone());
        }
    }
    if replace {
        let regions = secret.replicas.iter().map(|replica| &replica.region);
        let unlisted = regions.filter(|region| !wanted.contains_key(*region));
        removed.extend(unlisted.cloned());
    }
    plan.add_all([
        Step::Unreplicate(removed),
        Step::Replicate(added),
        Step::AwaitReplicas(awaited),
    ]);
    Ok(())
}

/// The failure for a replica with another key than the given one, which AWS cannot change in place.
fn key_differs(secret: &SecretMetadata, region: &str, key: Option<&str>) -> Failure {
    Failure::refused(
        format!("the replica of {} in {region} has another KMS key", secret.name),
        "set `replica-policy: replace` to have it removed and made anew, which leaves readers there without it for a moment;\n\
         or leave the key out",
    )
    .because(format!("its key is {}", key.unwrap_or(kms::DEFAULT_KEY)))
}
