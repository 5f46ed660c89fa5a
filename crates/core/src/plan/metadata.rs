//! Decisions about everything except the value: description, KMS key, tags, replicas, resource policy. Adds steps only for
//! settings that are given and differ.

use std::collections::BTreeMap;

use super::kms::{self, Comparison};
use super::step::{Nameable, Plan, Step};
use crate::attempt::Attempt;
use crate::choices::{ReplicaPolicy, TagPolicy};
use crate::failure::{Class, Failure};
use crate::outcome::Change;
use crate::quote::plain_text;
use crate::request::Request;
use crate::state::{PolicyView, Present, ReplicaStatus, SecretMetadata};

/// The quota of tags per secret, excluding AWS tags (API reference, "TagResource").
const MAX_TAGS: usize = 50;

pub(super) fn plan(
    request: &Request,
    present: &Present,
    attempt: &Attempt,
    plan: &mut Plan,
) -> Result<(), Failure> {
    add_update(request, present, attempt, plan);
    check_tag_count(request, &present.secret)?;
    add_tags(request, &present.secret, plan);
    add_policy(request, &present.policy, Nameable::Yes, plan);
    add_replicas(request, &present.secret, attempt, plan)
}

/// Whether an observation confirms a change of metadata or of a label that the request asked for.
pub fn shows_change(change: &Change, request: &Request, present: &Present) -> bool {
    let secret = &present.secret;
    match change {
        Change::Description => request.description == secret.description,
        Change::KmsKey(key) => {
            let stored = secret.kms_key_id.as_deref();
            kms::compare(key, stored, &secret.arn) == Comparison::Same
        }
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
    let is_written = |key: &str| {
        let mut changes = attempt.outcome.changes.iter();
        is_created || changes.any(|change| matches!(change, Change::KmsKey(it) if it == key))
    };
    let kms_key = request.kms_key_id.as_deref().is_some_and(|wanted| {
        match kms::compare(wanted, secret.kms_key_id.as_deref(), &secret.arn) {
            Comparison::Same => false,
            Comparison::Different => true,
            // This run wrote it, and DescribeSecret returns a different form.
            Comparison::SameHere | Comparison::Unknown if is_written(wanted) => false,
            Comparison::SameHere => true,
            Comparison::Unknown => {
                plan.note(
                    "the KMS key is written without comparing: an alias and a key can be compared \
                     only with more permissions",
                );
                true
            }
        }
    });
    plan.add(Step::Update {
        description,
        kms_key,
    });
}

/// Rejects tags that exceed the quota together with the existing ones, before anything is written.
fn check_tag_count(request: &Request, secret: &SecretMetadata) -> Result<(), Failure> {
    let wanted = request.tags.iter().flat_map(BTreeMap::keys);
    let added = wanted.filter(|key| !secret.tags.contains_key(*key)).count();
    let own = secret.tags.keys().filter(|key| !key.starts_with("aws:"));
    if added == 0 || request.tag_policy == TagPolicy::Replace || own.count() + added <= MAX_TAGS {
        return Ok(());
    }
    Err(Failure::new(
        Class::Limit,
        format!(
            "{} would have more than {MAX_TAGS} tags, the most a secret can have",
            secret.name
        ),
        "remove tags from the secret, or set `tag-policy: replace` to remove those that are not listed",
    ))
}

/// Adds tags before it removes unlisted tags: with attribute-based access control, a renamed tag may be what gives this run and
/// the secret's readers access. Removes first only as many as the quota requires.
fn add_tags(request: &Request, secret: &SecretMetadata, plan: &mut Plan) {
    let Some(tags) = &request.tags else {
        return;
    };
    let is_unlisted = |key: &&String| !tags.contains_key(*key) && !key.starts_with("aws:");
    let unlisted: Vec<String> = secret.tags.keys().filter(is_unlisted).cloned().collect();
    let excess = (tags.len() + unlisted.len()).saturating_sub(MAX_TAGS);
    let (first, last) = match request.tag_policy {
        TagPolicy::Replace => unlisted.split_at(excess.min(unlisted.len())),
        TagPolicy::Merge => Default::default(),
    };
    let mut differing = tags.clone();
    differing.retain(|key, value| secret.tags.get(key) != Some(value));
    plan.add_all([
        Step::Untag(first.to_vec()),
        Step::Tag(differing),
        Step::Untag(last.to_vec()),
    ]);
}

/// Adds the policy, unless the attached one is equivalent.
pub(super) fn add_policy(
    request: &Request,
    attached: &PolicyView,
    nameable: Nameable,
    plan: &mut Plan,
) {
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
    plan.add_all([Step::CheckPolicy(nameable), Step::SetPolicy]);
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
        let arn = replica_arn(&secret.arn, region);
        match key.as_deref().map(|key| kms::compare(key, present_key, &arn)) {
            Some(Comparison::Different) if replace => {
                removed.push(region.clone());
                added.insert(region.clone(), key.clone());
            }
            Some(Comparison::Different) => {
                return Err(key_differs(secret, region, present_key));
            }
            Some(Comparison::Unknown) => plan.note(format!(
                "the KMS key of the replica in {region} is left unchanged: an alias and a key can be \
                 compared only with more permissions"
            )),
            _ => {}
        }
        // A failed replica is retried once per run.
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

/// The ARN of a replica, which differs only in the region.
fn replica_arn(primary: &str, region: &str) -> String {
    let mut parts: Vec<&str> = primary.split(':').collect();
    if let Some(of_primary) = parts.get_mut(3) {
        *of_primary = region;
    }
    parts.join(":")
}

/// The failure for a replica whose key differs from the given one. AWS cannot change the key in place.
fn key_differs(secret: &SecretMetadata, region: &str, key: Option<&str>) -> Failure {
    Failure::refused(
        format!("the replica of {} in {region} has another KMS key", secret.name),
        "set `replica-policy: replace` to recreate it, which makes it unavailable to readers there for a \
         moment;\nor omit the key",
    )
    .because(format!(
        "its key is {}",
        plain_text(key.unwrap_or(kms::DEFAULT_KEY))
    ))
}
