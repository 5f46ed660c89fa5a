//! The writes to an existing secret: PutSecretValue, UpdateSecret and UpdateSecretVersionStage.

use serde_json::{Value, json};

use super::{authorize::KeyPurpose, call::Call};
use crate::{
    error::ServiceError,
    state::{self, Put},
};

pub(super) fn put_secret_value(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let token = call.input.token()?.to_owned();
    let content = call.input.content()?.ok_or_else(|| {
        ServiceError::invalid_request("You must provide either SecretString or SecretBinary.")
    })?;
    let stages = call.input.stages()?;
    let mut secret = call.writable_secret()?;
    let mut uses = vec!["kms:GenerateDataKey"];
    // To tell a retry from a conflict, the service decrypts the version that has the token.
    if secret.version(&token).is_some() {
        uses.push("kms:Decrypt");
    }
    call.authorize_key(secret.kms_key_id.as_deref(), KeyPurpose::Encrypt, &uses)?;
    let stages = secret.put(Put {
        token: &token,
        content,
        stages,
        now: call.now(),
    })?;
    let mut answer = json!({"ARN": secret.arn, "Name": secret.name, "VersionId": token});
    if !stages.is_empty() {
        answer["VersionStages"] = json!(stages);
    }
    call.commit(secret);
    Ok(answer)
}

pub(super) fn update_secret(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let content = call.input.content()?;
    let token = call.input.token()?.to_owned();
    let description = call.input.text("Description", 0, 2048)?.map(str::to_owned);
    let key = call.input.text("KmsKeyId", 0, 2048)?.map(str::to_owned);
    let mut secret = call.writable_secret()?;
    let now = call.now();
    if let Some(key) = key {
        let key = Some(key).filter(|key| !state::is_default_key(key));
        let uses = ["kms:GenerateDataKey", "kms:Decrypt"];
        call.authorize_key(key.as_deref(), KeyPurpose::Named, &uses)?;
        // Versions in use are re-encrypted if the caller is allowed to encrypt, and silently left alone if not.
        let uses = ["kms:Encrypt"];
        let may_encrypt = call.authorize_key(key.as_deref(), KeyPurpose::Named, &uses);
        if may_encrypt.is_ok() {
            secret.rekey(key.as_deref());
        }
        secret.kms_key_id = key;
        secret.changed = now;
    }
    if let Some(description) = description {
        secret.description = Some(description);
        secret.changed = now;
    }
    let mut answer = json!({"ARN": secret.arn, "Name": secret.name});
    if let Some(content) = content {
        let uses = ["kms:GenerateDataKey", "kms:Decrypt"];
        call.authorize_key(secret.kms_key_id.as_deref(), KeyPurpose::Encrypt, &uses)?;
        secret.put(Put {
            token: &token,
            content,
            stages: None,
            now,
        })?;
        answer["VersionId"] = json!(token);
    }
    call.commit(secret);
    Ok(answer)
}

pub(super) fn update_secret_version_stage(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let stage = call.input.required("VersionStage", 1, 256)?.to_owned();
    let id = |name| -> Result<Option<String>, ServiceError> {
        Ok(call.input.text(name, 32, 64)?.map(str::to_owned))
    };
    let (from, to) = (id("RemoveFromVersionId")?, id("MoveToVersionId")?);
    let mut secret = call.writable_secret()?;
    secret.move_stage(&stage, from.as_deref(), to.as_deref(), call.now())?;
    let answer = json!({"ARN": secret.arn, "Name": secret.name});
    call.commit(secret);
    Ok(answer)
}
