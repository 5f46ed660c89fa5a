//! Decisions about everything but the value: description, key, tags, replicas, resource policy. What is not given is left
//! alone, and what is equal costs no write.

use std::collections::BTreeMap;

use super::kms;
use super::step::{Plan, Step};
use crate::attempt::Attempt;
use crate::choices::{ReplicaPolicy, TagPolicy};
use crate::failure::{Class, Failure};
use crate::request::Request;
use crate::state::{PolicyView, Present, ReplicaStatus, SecretMetadata};

/// Everything but the value: what is given and differs.
pub(super) fn plan(
    request: &Request,
    present: &Present,
    done: &Attempt,
    plan: &mut Plan,
) -> Result<(), Failure> {
    update(request, present, plan);
    tags(request, &present.secret, plan);
    add_policy(request, &present.policy, plan);
    replicas(request, &present.secret, done, plan)
}

fn update(request: &Request, present: &Present, plan: &mut Plan) {
    let secret = &present.secret;
    let description = request.description.is_some() && request.description != secret.description;
    let kms_key = request.kms_key_id.as_deref().is_some_and(|wanted| {
        match kms::compare(wanted, secret.kms_key_id.as_deref()) {
            kms::Comparison::Same => false,
            kms::Comparison::Different => true,
            kms::Comparison::Unknown => {
                plan.note("the KMS key is written: an alias and a key cannot be compared without more rights");
                true
            }
        }
    });
    if description || kms_key {
        plan.add(Step::Update {
            description,
            kms_key,
        });
    }
}

fn tags(request: &Request, secret: &SecretMetadata, plan: &mut Plan) {
    let Some(tags) = &request.tags else {
        return;
    };
    if request.tag_policy == TagPolicy::Replace {
        let extra: Vec<String> = secret
            .tags
            .keys()
            .filter(|key| !tags.contains_key(*key) && !key.starts_with("aws:"))
            .cloned()
            .collect();
        if !extra.is_empty() {
            plan.add(Step::Untag(extra));
        }
    }
    let differing: BTreeMap<_, _> = tags
        .iter()
        .filter(|(key, value)| secret.tags.get(*key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !differing.is_empty() {
        plan.add(Step::Tag(differing));
    }
}

/// The policy, unless what is attached says the same.
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

fn replicas(
    request: &Request,
    secret: &SecretMetadata,
    done: &Attempt,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let Some(wanted) = &request.replicas else {
        return Ok(());
    };
    let replace = request.replica_policy == ReplicaPolicy::Replace;
    let mut extra = Vec::new();
    let mut lacking = BTreeMap::new();
    let mut awaited = Vec::new();
    for (region, key) in wanted {
        let there = secret.replicas.iter().find(|there| there.region == *region);
        let Some(there) = there else {
            lacking.insert(region.clone(), key.clone());
            awaited.push(region.clone());
            continue;
        };
        let same_key = key
            .as_deref()
            .map(|key| kms::compare(key, there.kms_key_id.as_deref()));
        match same_key {
            Some(kms::Comparison::Different) if replace => {
                extra.push(region.clone());
                lacking.insert(region.clone(), key.clone());
            }
            Some(kms::Comparison::Different) => {
                return Err(other_key(secret, region, there.kms_key_id.as_deref()));
            }
            Some(kms::Comparison::Unknown) => plan.note(format!(
                "the KMS key of the replica in {region} is left as it is: an alias and a key cannot be compared without more rights"
            )),
            _ => {}
        }
        // One more try for each run.
        if matches!(there.status, ReplicaStatus::Failed(_)) && !done.replicating.contains(region) {
            lacking.insert(region.clone(), key.clone());
        }
        if there.status != ReplicaStatus::InSync || lacking.contains_key(region) {
            awaited.push(region.clone());
        }
    }
    if replace {
        let unlisted = secret.replicas.iter().map(|there| &there.region);
        extra.extend(
            unlisted
                .filter(|region| !wanted.contains_key(*region))
                .cloned(),
        );
    }
    if !extra.is_empty() {
        plan.add(Step::Unreplicate(extra));
    }
    if !lacking.is_empty() {
        plan.add(Step::Replicate(lacking));
    }
    if !awaited.is_empty() {
        plan.add(Step::AwaitReplicas(awaited));
    }
    Ok(())
}

/// AWS cannot change the key of a replica in place.
fn other_key(secret: &SecretMetadata, region: &str, key: Option<&str>) -> Failure {
    Failure::new(
        Class::Refused,
        format!("the replica of {} in {region} has another KMS key", secret.name),
        "set `replica-policy: replace` to have it removed and made anew, which leaves readers there without it for a moment;\n\
         or leave the key out",
    )
    .because(format!("its key is {}", key.unwrap_or("alias/aws/secretsmanager")))
}
