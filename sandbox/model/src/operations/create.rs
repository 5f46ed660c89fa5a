//! CreateSecret.

use serde_json::{Value, json};

use super::{
    authorize::KeyPurpose,
    call::{Call, check_secret_id},
    replicate,
};
use crate::{
    arn,
    error::ServiceError,
    state::{self, Origin, Put, Secret},
};

pub(super) fn create_secret(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let name = call.input.required("Name", 1, 512)?.to_owned();
    check_secret_id(&name)?;
    if name.contains(':') {
        return Err(ServiceError::bad_name());
    }
    let token = call.input.token()?.to_owned();
    let description = call.input.text("Description", 0, 2048)?.map(str::to_owned);
    let key = call.input.text("KmsKeyId", 0, 2048)?;
    let key = key
        .filter(|key| !state::is_default_key(key))
        .map(str::to_owned);
    let content = call.input.content()?;
    let tags = call.input.tags()?;
    let regions = replicate::replica_targets(call)?;
    let overwrite = call.input.flag("ForceOverwriteReplicaSecret")?;

    let existing = call.store().get(&name).cloned();
    call.authorize("CreateSecret", &name, existing.as_ref())?;
    if tags.is_some() {
        call.authorize("TagResource", &name, existing.as_ref())?;
    }
    if !regions.is_empty() {
        call.authorize("ReplicateSecretToRegions", &name, existing.as_ref())?;
    }

    let now = call.now();
    if let Some(mut secret) = existing {
        if secret.deletion.is_some() {
            return Err(scheduled());
        }
        // A retry of the request that created the secret is not a conflict; `put` recognizes it.
        let Some(content) = content.filter(|_| secret.version(&token).is_some()) else {
            return Err(ServiceError::exists(format!(
                "The operation failed because the secret {name} already exists."
            )));
        };
        secret.put(Put {
            token: &token,
            content,
            stages: None,
            now,
        })?;
        return Ok(json!({"ARN": secret.arn, "Name": name, "VersionId": token}));
    }
    if call.store().is_being_released(&name, now) {
        return Err(scheduled());
    }

    let suffix = call.world.random.arn_suffix();
    let arn = arn::secret(call.caller.account(), call.region, &name, &suffix);
    let mut secret = Secret::new(arn, &name, now);
    let uses = ["kms:GenerateDataKey", "kms:Decrypt"];
    call.authorize_key(key.as_deref(), KeyPurpose::Named, &uses)?;
    secret.kms_key_id = key;
    secret.description = description;
    secret.tags = tags;
    let mut answer = json!({"ARN": secret.arn, "Name": name});
    if let Some(content) = content {
        secret.put(Put {
            token: &token,
            content,
            stages: None,
            now,
        })?;
        answer["VersionId"] = json!(token);
    }
    if !regions.is_empty() {
        let replicas = replicate::start_replicas(call, &name, regions, overwrite);
        secret.origin = Origin::Primary(replicas);
        answer["ReplicationStatus"] = replicate::replication_status(call, &secret);
    }
    call.commit(secret);
    Ok(answer)
}

fn scheduled() -> ServiceError {
    ServiceError::invalid_request(
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
    )
}
