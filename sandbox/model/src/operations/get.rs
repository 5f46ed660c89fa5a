//! GetSecretValue.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{authorize::KeyPurpose, call::Call};
use crate::{
    error::ServiceError,
    state::{CURRENT, Content},
    time,
};

pub(super) fn get_secret_value(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let id = call.input.text("VersionId", 32, 64)?.map(str::to_owned);
    let stage = call.input.text("VersionStage", 1, 256)?.map(str::to_owned);
    let mut secret = call.active_secret()?;
    let cannot = |what: String| {
        ServiceError::not_found(format!(
            "Secrets Manager can't find the specified secret value for {what}"
        ))
    };
    let version = match (&id, &stage) {
        (Some(id), _) => secret
            .version(id)
            .ok_or_else(|| cannot(format!("VersionId: {id}")))?,
        (None, stage) => {
            let stage = stage.as_deref().unwrap_or(CURRENT);
            secret
                .holder(stage)
                .ok_or_else(|| cannot(format!("staging label: {stage}")))?
        }
    };
    if stage.is_some_and(|stage| !version.stages.contains(&stage)) {
        return Err(ServiceError::invalid_request(
            "You provided a VersionStage that is not associated to the provided VersionId.",
        ));
    }
    let mut answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "CreatedDate": time::epoch(version.created),
    });
    if !version.stages.is_empty() {
        answer["VersionStages"] = json!(version.stages);
    }
    match &version.content {
        Content::String(text) => answer["SecretString"] = json!(**text),
        Content::Binary(bytes) => answer["SecretBinary"] = json!(STANDARD.encode(bytes)),
    }
    let (key, id) = (version.kms_key_id.clone(), version.id.clone());
    call.authorize_key(key.as_deref(), KeyPurpose::Decrypt, &["kms:Decrypt"])?;
    let today = Some(time::midnight(call.now()));
    secret.accessed = today;
    for version in &mut secret.versions {
        if version.id == id {
            version.accessed = today;
        }
    }
    call.commit(secret);
    Ok(answer)
}
