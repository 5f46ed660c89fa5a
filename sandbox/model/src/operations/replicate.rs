//! The operations on replicas, and the replica part of CreateSecret. How replicas follow their primary is in
//! `state/replication.rs`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{call::Call, input::Input};
use crate::{
    error::ServiceError,
    state::{self, Origin, Progress, Replica, Secret},
    time,
};

/// A region to replicate to, and the KMS key to use there.
pub(super) type ReplicaTarget = (String, Option<String>);

pub(super) fn replicate_secret_to_regions(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let regions = replica_targets(call)?;
    if regions.is_empty() {
        return Err(ServiceError::constraint("AddReplicaRegions", "not be null"));
    }
    let overwrite = call.input.flag("ForceOverwriteReplicaSecret")?;
    let mut secret = call.writable_secret()?;
    let mut replicas = secret.replicas().to_vec();
    // Not recorded: in the model, requesting an existing replica again changes nothing, and a failed one is tried
    // again.
    let taken: BTreeSet<String> = replicas
        .iter()
        .filter(|replica| replica.message().is_none())
        .map(|replica| replica.region.clone())
        .collect();
    let new = regions
        .into_iter()
        .filter(|(region, _)| !taken.contains(region))
        .collect();
    let added = start_replicas(call, &secret.name, new, overwrite);
    replicas.retain(|old| !added.iter().any(|new| new.region == old.region));
    replicas.extend(added);
    secret.origin = Origin::Primary(replicas);
    let answer = json!({"ARN": secret.arn, "ReplicationStatus": replication_status(call, &secret)});
    call.commit(secret);
    Ok(answer)
}

/// Rejects a region that has no replica; that was not recorded.
pub(super) fn remove_regions_from_replication(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let items = call.input.list("RemoveReplicaRegions")?;
    let items = items.filter(|items| !items.is_empty());
    let items =
        items.ok_or_else(|| ServiceError::constraint("RemoveReplicaRegions", "not be null"))?;
    let regions = items.iter().map(|item| {
        item.as_str()
            .map(str::to_owned)
            .ok_or_else(ServiceError::serialization)
    });
    let regions = regions.collect::<Result<BTreeSet<_>, _>>()?;
    let mut secret = call.writable_secret()?;
    let mut replicas = secret.replicas().to_vec();
    let there = |region: &String| replicas.iter().any(|replica| replica.region == *region);
    if !regions.iter().all(there) {
        return Err(invalid_region());
    }
    replicas.retain(|replica| !regions.contains(&replica.region));
    let (account, primary) = (call.caller.account(), call.region);
    for region in &regions {
        call.world
            .remove_replica(account, primary, region, &secret.name);
    }
    secret.origin = Origin::Primary(replicas);
    let answer = json!({"ARN": secret.arn, "ReplicationStatus": replication_status(call, &secret)});
    call.commit(secret);
    Ok(answer)
}

/// Called in the region of the replica, which becomes an independent secret.
pub(super) fn stop_replication_to_replica(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let mut secret = call.active_secret()?;
    let Origin::ReplicaOf(primary) = secret.origin.clone() else {
        // The message was not recorded.
        return Err(ServiceError::invalid_parameter(
            "The secret is not a replica.",
        ));
    };
    let here = call.region;
    let store = call.world.store_mut(call.caller.account(), &primary);
    let primary = store.get_mut(&secret.name);
    if let Some(Origin::Primary(replicas)) = primary.map(|primary| &mut primary.origin) {
        replicas.retain(|replica| replica.region != here);
    }
    secret.origin = Origin::Primary(Vec::new());
    let answer = json!({"ARN": secret.arn});
    call.commit(secret);
    Ok(answer)
}

/// The regions that the request names in `AddReplicaRegions`.
pub(super) fn replica_targets(call: &Call<'_>) -> Result<Vec<ReplicaTarget>, ServiceError> {
    let items = call.input.list("AddReplicaRegions")?.unwrap_or_default();
    let mut seen = BTreeSet::new();
    let targets = items.iter().map(|item| {
        let item = Input::new(item.clone());
        let region = item.required("Region", 1, 128)?.to_owned();
        if !looks_like_region(&region) {
            let rule = "satisfy regular expression pattern: ^([a-z]+-)+\\d+$";
            return Err(ServiceError::constraint("region", rule));
        }
        // That a region named twice is rejected, too, was not recorded.
        if region == call.region || !seen.insert(region.clone()) {
            return Err(invalid_region());
        }
        let key = item.text("KmsKeyId", 0, 2048)?.map(str::to_owned);
        Ok((region, key.filter(|key| !state::is_default_key(key))))
    });
    targets.collect()
}

fn invalid_region() -> ServiceError {
    ServiceError::invalid_parameter("Invalid replica region.")
}

/// Whether the text matches the API model's pattern for regions.
fn looks_like_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else {
        return false;
    };
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
    words.split('-').all(word) && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}

/// Requests the replicas. A problem with one is a failed replica, not an error.
pub(super) fn start_replicas(
    call: &Call<'_>,
    name: &str,
    regions: Vec<ReplicaTarget>,
    overwrite: bool,
) -> Vec<Replica> {
    let account = call.caller.account();
    let replicas = regions.into_iter().map(|(region, kms_key_id)| Replica {
        progress: call
            .world
            .initial_progress(account, &region, name, overwrite),
        region,
        kms_key_id,
    });
    replicas.collect()
}

/// The `ReplicationStatus` member.
pub(super) fn replication_status(call: &Call<'_>, secret: &Secret) -> Value {
    let account = call.caller.account();
    let items = secret.replicas().iter().map(|replica| {
        let key = replica
            .kms_key_id
            .as_deref()
            .unwrap_or("alias/aws/secretsmanager");
        let mut item = json!({
            "Region": replica.region,
            "KmsKeyId": key,
            "Status": replica.status(),
        });
        if let Some(message) = replica.message() {
            item["StatusMessage"] = json!(message);
        }
        if replica.progress == Progress::InSync {
            let there = call.world.store(account, &replica.region);
            let read = there.get(&secret.name).and_then(|s| s.accessed);
            if let Some(at) = read {
                item["LastAccessedDate"] = json!(time::epoch(at));
            }
        }
        item
    });
    items.collect()
}
