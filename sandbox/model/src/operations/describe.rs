//! The reads that return no value: DescribeSecret and ListSecretVersionIds.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{call::Call, replicate};
use crate::{
    error::ServiceError,
    state::{Origin, Secret},
    time,
};

pub(super) fn describe_secret(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let name = call.authorized_secret()?.name;
    // Replication advances with each DescribeSecret.
    let account = call.caller.account();
    call.world
        .advance_replication(account, call.region, &name, false);
    let secret = call.authorized_secret()?;
    let mut answer = metadata(&secret, call.region);
    if let Some(stages) = version_stages(&secret) {
        answer.insert("VersionIdsToStages".to_owned(), stages);
    }
    if !secret.replicas().is_empty() {
        let status = replicate::replication_status(call, &secret);
        answer.insert("ReplicationStatus".to_owned(), status);
    }
    Ok(Value::Object(answer))
}

/// The fields that DescribeSecret and ListSecrets have in common.
pub(super) fn metadata(secret: &Secret, region: &str) -> Map<String, Value> {
    let mut answer = Map::new();
    let mut add = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            answer.insert(key.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
    add("ARN", Some(json!(secret.arn)));
    add("Name", Some(json!(secret.name)));
    add("Description", text(&secret.description));
    add("KmsKeyId", text(&secret.kms_key_id));
    add(
        "RotationEnabled",
        secret.rotation.map(|enabled| json!(enabled)),
    );
    add("OwningService", text(&secret.owning_service));
    add("CreatedDate", Some(json!(time::epoch(secret.created))));
    add("LastChangedDate", Some(json!(time::epoch(secret.changed))));
    add(
        "LastAccessedDate",
        secret.accessed.map(|at| json!(time::epoch(at))),
    );
    let due = secret.deletion.map(|deletion| time::epoch(deletion.due));
    add("DeletedDate", due.map(|due| json!(due)));
    add("Tags", tags(secret));
    add(
        "PrimaryRegion",
        primary_region(secret, region).map(|region| json!(region)),
    );
    answer
}

/// The region of the primary; `None` for a secret that is not replicated.
pub(super) fn primary_region(secret: &Secret, region: &str) -> Option<String> {
    match &secret.origin {
        Origin::Primary(replicas) if replicas.is_empty() => None,
        Origin::Primary(_) => Some(region.to_owned()),
        Origin::ReplicaOf(primary) => Some(primary.clone()),
    }
}

fn tags(secret: &Secret) -> Option<Value> {
    let tags = secret.tags.as_ref()?.iter();
    Some(
        tags.map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect(),
    )
}

pub(super) fn version_stages(secret: &Secret) -> Option<Value> {
    let labeled = secret
        .versions
        .iter()
        .filter(|version| !version.stages.is_empty());
    let map: Map<String, Value> = labeled
        .map(|version| (version.id.clone(), json!(version.stages)))
        .collect();
    (!map.is_empty()).then_some(Value::Object(map))
}

pub(super) fn list_secret_version_ids(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let deprecated = call.input.flag("IncludeDeprecated")?;
    let size = call.input.integer("MaxResults")?.unwrap_or(100);
    let size = usize::try_from(size)
        .ok()
        .filter(|size| (1..=100).contains(size));
    let size =
        size.ok_or_else(|| ServiceError::constraint("MaxResults", "have value between 1 and 100"))?;
    let token = call.input.text("NextToken", 1, 4096)?.map(str::to_owned);
    let secret = call.authorized_secret()?;
    let start = match &token {
        None => 0,
        Some(token) => position_of(&secret.arn, deprecated, token)
            .ok_or_else(ServiceError::invalid_next_token)?,
    };
    let shown: Vec<_> = secret
        .versions
        .iter()
        .filter(|version| deprecated || !version.stages.is_empty())
        .collect();
    let page = shown.iter().skip(start).take(size).map(|version| {
        let key = version
            .kms_key_id
            .as_deref()
            .unwrap_or("DefaultEncryptionKey");
        let mut item = json!({
            "VersionId": version.id,
            "CreatedDate": time::epoch(version.created),
            "KmsKeyIds": [key],
        });
        if !version.stages.is_empty() {
            item["VersionStages"] = json!(version.stages);
        }
        if let Some(at) = version.accessed {
            item["LastAccessedDate"] = json!(time::epoch(at));
        }
        item
    });
    let mut answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "Versions": page.collect::<Vec<_>>(),
    });
    if start + size < shown.len() {
        answer["NextToken"] = json!(next_token(&secret.arn, deprecated, start + size));
    }
    Ok(answer)
}

/// A token is valid only for the list it came from. On AWS it is opaque.
fn next_token(arn: &str, deprecated: bool, start: usize) -> String {
    STANDARD.encode(format!("{start} {deprecated} {arn}"))
}

/// The position that a token represents; `None` for a token that [`next_token`] did not create for this list.
fn position_of(arn: &str, deprecated: bool, token: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let start = text.split(' ').next()?.parse().ok()?;
    (next_token(arn, deprecated, start) == token).then_some(start)
}
