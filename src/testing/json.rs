//! Converts the model's JSON requests and responses to the types of the store. Must not make calls.

use std::collections::BTreeMap;
use upsert_secret_core::quote::ForeignText;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use upsert_secret_core::state::{Replica, ReplicaStatus, SecretVersion};
use upsert_secret_core::store::{Call, WrittenVersion};
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue};

/// `None` if the secret, or the requested part of it, does not exist.
pub(super) fn found<T>(answer: Call<T>) -> Call<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn text(answer: &Value, key: &str) -> String {
    answer[key].as_str().unwrap().to_owned()
}

pub(super) fn optional(answer: &Value, key: &str) -> Option<String> {
    answer[key].as_str().map(str::to_owned)
}

pub(super) fn texts(answer: &Value) -> Vec<String> {
    let items = answer.as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

pub(super) fn items<T>(answer: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    answer.as_array().into_iter().flatten().map(read).collect()
}

pub(super) fn version(answer: &Value) -> SecretVersion {
    let (bytes, kind) = match answer["SecretString"].as_str() {
        Some(text) => (text.as_bytes().to_vec(), Kind::String),
        None => {
            let binary = STANDARD.decode(text(answer, "SecretBinary")).unwrap();
            (binary, Kind::Binary)
        }
    };
    SecretVersion {
        arn: text(answer, "ARN"),
        name: text(answer, "Name"),
        version_id: text(answer, "VersionId"),
        stages: texts(&answer["VersionStages"]),
        value: SecretValue::stored(SecretBytes::new(bytes), kind),
    }
}

pub(super) fn written(answer: &Value) -> WrittenVersion {
    WrittenVersion {
        arn: text(answer, "ARN"),
        name: text(answer, "Name"),
        version_id: text(answer, "VersionId"),
        // Not part of the AWS response: the explorer sets it.
        attempts: answer["Attempts"]
            .as_u64()
            .map_or(1, |it| u32::try_from(it).unwrap()),
    }
}

pub(super) fn replica(answer: &Value) -> Replica {
    Replica {
        region: text(answer, "Region"),
        kms_key_id: optional(answer, "KmsKeyId"),
        status: match answer["Status"].as_str() {
            Some("InSync") => ReplicaStatus::InSync,
            Some("Failed") => ReplicaStatus::Failed(ForeignText::new(
                &optional(answer, "StatusMessage").unwrap_or_default(),
            )),
            _ => ReplicaStatus::InProgress,
        },
    }
}

pub(super) fn set_value(input: &mut Value, value: &SecretValue) {
    match value.kind() {
        Kind::String => input["SecretString"] = json!(str::from_utf8(value.expose()).unwrap()),
        Kind::Binary => input["SecretBinary"] = json!(STANDARD.encode(value.expose())),
    }
}

pub(super) fn set_optional(input: &mut Value, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        input[key] = json!(value);
    }
}

pub(super) fn regions(regions: &BTreeMap<String, Option<String>>) -> Value {
    let entries = regions.iter().map(|(region, key)| {
        let mut entry = json!({"Region": region});
        set_optional(&mut entry, "KmsKeyId", key.as_deref());
        entry
    });
    entries.collect()
}

pub(super) fn tags(tags: &BTreeMap<String, String>) -> Value {
    let entries = tags.iter();
    entries
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}
