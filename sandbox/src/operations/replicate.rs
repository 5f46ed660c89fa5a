//! Owns ReplicateSecretToRegions, and the replica part of CreateSecret.

use serde_json::{Value, json};

use super::{Call, Input};
use crate::{
    refusal::Refusal,
    state::{self, Origin, Replica},
};

/// A region to replicate to, and the key to use there.
pub(super) type Target = (String, Option<String>);

pub(super) fn replicate_secret_to_regions(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let regions = regions(call)?;
    if regions.is_empty() {
        return Err(Refusal::constraint("AddReplicaRegions", "not be null"));
    }
    let overwrite = call.input.flag("ForceOverwriteReplicaSecret")?;
    let mut secret = call.writable()?;
    let mut replicas = secret.replicas().to_vec();
    let taken: Vec<String> = replicas
        .iter()
        .filter(|replica| replica.failure.is_none())
        .map(|replica| replica.region.clone())
        .collect();
    let new = regions
        .into_iter()
        .filter(|(region, _)| !taken.contains(region))
        .collect();
    let added = add(call, &secret.name, new, overwrite);
    replicas.retain(|old| !added.iter().any(|new| new.region == old.region));
    replicas.extend(added);
    let answer = json!({"ARN": secret.arn, "ReplicationStatus": status(&replicas, true)});
    secret.origin = Origin::Primary(replicas);
    call.commit(secret);
    Ok(answer)
}

/// The regions the request names.
pub(super) fn regions(call: &Call<'_>) -> Result<Vec<Target>, Refusal> {
    let items = call.input.list("AddReplicaRegions")?.unwrap_or_default();
    let targets = items.iter().map(|item| {
        let item = Input::new(item.clone());
        let region = item.required("Region", 1, 128)?.to_owned();
        if region == call.region {
            return Err(Refusal::invalid_parameter("Invalid replica region."));
        }
        let key = item.text("KmsKeyId", 0, 2048)?.map(str::to_owned);
        Ok((region, key.filter(|key| !state::is_default_key(key))))
    });
    targets.collect()
}

/// The replicas that come of it. A name that is taken there is a failed replica, not a refusal.
pub(super) fn add(
    call: &mut Call<'_>,
    name: &str,
    regions: Vec<Target>,
    overwrite: bool,
) -> Vec<Replica> {
    let account = &call.caller.account;
    let replicas = regions.into_iter().map(|(region, kms_key_id)| {
        let there = call.world.store(account, &region);
        let key = kms_key_id.as_deref();
        let failure = if there.secrets.contains_key(name) && !overwrite {
            Some("Secret with this name already exists in this region")
        } else if key.is_some_and(|key| there.kms.arn(key, account, &region).is_none()) {
            Some("Secrets Manager can't find the KMS key in this region")
        } else {
            None
        };
        let failure = failure.map(str::to_owned);
        Replica {
            region,
            kms_key_id,
            failure,
        }
    });
    replicas.collect()
}

/// `ReplicationStatus`: in the answer that starts it the copy is under way, later it is in sync.
pub(super) fn status(replicas: &[Replica], starting: bool) -> Value {
    let items = replicas.iter().map(|replica| {
        let key = replica
            .kms_key_id
            .as_deref()
            .unwrap_or("alias/aws/secretsmanager");
        let mut item = json!({"Region": replica.region, "KmsKeyId": key});
        item["Status"] = match &replica.failure {
            Some(message) => {
                item["StatusMessage"] = json!(message);
                json!("Failed")
            }
            None if starting => json!("InProgress"),
            None => json!("InSync"),
        };
        item
    });
    items.collect()
}
