//! Calls that change nothing: the secret, the value of a version, the list of versions.

use aws_sdk_secretsmanager::types::{ApiErrorType, ReplicationStatusType, StatusType};
use aws_smithy_types::Blob;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::state::{
    BatchEntry, Replica, ReplicaStatus, SecretMetadata, SecretVersion, VersionInfo,
};
use upsert_secret_core::store::Call;
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue};

use super::sdk::{SdkClient, call, identifier};

/// The most pages of a list of versions.
const MAX_PAGES: usize = 20;

impl SdkClient {
    pub(super) async fn describe(&self, id: &str) -> Call<Option<SecretMetadata>> {
        let sent = call!(
            self,
            "DescribeSecret",
            self.client.describe_secret().secret_id(id)
        );
        let answer = match sent {
            Ok((answer, _)) => answer,
            Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(error),
        };
        let unreadable = || StoreError::new("DescribeSecret", ErrorKind::Unreadable);
        Ok(Some(SecretMetadata {
            arn: identifier(answer.arn).ok_or_else(unreadable)?,
            name: identifier(answer.name).ok_or_else(unreadable)?,
            description: answer.description.filter(|text| !text.is_empty()),
            kms_key_id: answer.kms_key_id.filter(|key| !key.is_empty()),
            tags: answer
                .tags
                .unwrap_or_default()
                .into_iter()
                .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
                .collect(),
            deleted: answer.deleted_date.is_some(),
            owning_service: answer.owning_service.filter(|name| !name.is_empty()),
            primary_region: answer.primary_region.filter(|region| !region.is_empty()),
            rotation_enabled: answer.rotation_enabled.unwrap_or_default(),
            replicas: answer
                .replication_status
                .unwrap_or_default()
                .into_iter()
                .filter_map(replica)
                .collect(),
            versions: answer
                .version_ids_to_stages
                .unwrap_or_default()
                .into_iter()
                .collect(),
        }))
    }

    pub(super) async fn get_value(&self, id: &str, label: &str) -> Call<Option<SecretVersion>> {
        let sent = call!(
            self,
            "GetSecretValue",
            self.client
                .get_secret_value()
                .secret_id(id)
                // See `put_value`.
                .set_version_stage((label != CURRENT).then(|| label.to_owned()))
        );
        let answer = match sent {
            Ok((answer, _)) => answer,
            Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(error),
        };
        version(
            "GetSecretValue",
            answer.arn,
            answer.name,
            answer.version_id,
            answer.version_stages,
            value(answer.secret_string, answer.secret_binary),
        )
        .map(Some)
    }

    pub(super) async fn batch_get_values(&self, ids: &[String]) -> Call<Vec<BatchEntry>> {
        let mut answered = Vec::with_capacity(ids.len());
        let mut page = None;
        // Large values may come in several pages, but not without end.
        for _ in 0..=ids.len() {
            let (answer, attempts) = call!(
                self,
                "BatchGetSecretValue",
                self.client
                    .batch_get_secret_value()
                    .set_secret_id_list(Some(ids.to_vec()))
                    .set_next_token(page.take())
            )?;
            for entry in answer.secret_values.unwrap_or_default() {
                let (arn, name) = (identifier(entry.arn), identifier(entry.name));
                let asked = ids
                    .iter()
                    .find(|id| arn.as_ref() == Some(*id) || name.as_ref() == Some(*id));
                if let Some(id) = asked {
                    let value = value(entry.secret_string, entry.secret_binary);
                    let version = version(
                        "BatchGetSecretValue",
                        arn,
                        name,
                        entry.version_id,
                        entry.version_stages,
                        value,
                    );
                    answered.push(BatchEntry {
                        id: id.clone(),
                        version: version.map(Some),
                    });
                }
            }
            for error in answer.errors.unwrap_or_default() {
                if let Some(id) = ids.iter().find(|id| error.secret_id.as_ref() == Some(*id)) {
                    answered.push(BatchEntry {
                        id: id.clone(),
                        version: rejected(attempts, error),
                    });
                }
            }
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(answered);
            }
        }
        Err(StoreError::new(
            "BatchGetSecretValue",
            ErrorKind::Unreadable,
        ))
    }

    pub(super) async fn list_versions(&self, id: &str) -> Call<Vec<VersionInfo>> {
        let mut listed = Vec::new();
        let mut page = None;
        // At most 20 labels, so as many versions; pages may be short, but not without end.
        for _ in 0..MAX_PAGES {
            let (answer, _) = call!(
                self,
                "ListSecretVersionIds",
                self.client
                    .list_secret_version_ids()
                    .secret_id(id)
                    .set_next_token(page.take())
            )?;
            listed.extend(
                answer
                    .versions
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|version| {
                        Some(VersionInfo {
                            id: identifier(version.version_id)?,
                            created: version.created_date.map(|date| date.as_secs_f64()),
                        })
                    }),
            );
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(listed);
            }
        }
        Err(StoreError::new(
            "ListSecretVersionIds",
            ErrorKind::Unreadable,
        ))
    }
}

fn value(string: Option<String>, binary: Option<Blob>) -> Option<SecretValue> {
    let (bytes, kind) = match (string, binary) {
        (Some(text), _) => (text.into_bytes(), Kind::String),
        (None, Some(blob)) => (blob.into_inner(), Kind::Binary),
        (None, None) => return None,
    };
    Some(SecretValue::stored(SecretBytes::new(bytes), kind))
}

fn version(
    operation: &'static str,
    arn: Option<String>,
    name: Option<String>,
    version_id: Option<String>,
    stages: Option<Vec<String>>,
    value: Option<SecretValue>,
) -> Call<SecretVersion> {
    let unreadable = || StoreError::new(operation, ErrorKind::Unreadable);
    Ok(SecretVersion {
        arn: identifier(arn).ok_or_else(unreadable)?,
        name: identifier(name).ok_or_else(unreadable)?,
        version_id: identifier(version_id).ok_or_else(unreadable)?,
        stages: stages.unwrap_or_default(),
        value: value.ok_or_else(unreadable)?,
    })
}

/// One secret's error in an answer about many.
fn rejected(attempts: u32, error: ApiErrorType) -> Call<Option<SecretVersion>> {
    let code = error.error_code.unwrap_or_default();
    if code == "ResourceNotFoundException" {
        return Ok(None);
    }
    let kind = ErrorKind::Service {
        code,
        message: error.message.unwrap_or_default(),
        status: 400,
    };
    Err(StoreError {
        attempts,
        ..StoreError::new("GetSecretValue", kind)
    })
}

fn replica(answer: ReplicationStatusType) -> Option<Replica> {
    Some(Replica {
        region: identifier(answer.region)?,
        kms_key_id: answer.kms_key_id.filter(|key| !key.is_empty()),
        status: match answer.status {
            Some(StatusType::InSync) => ReplicaStatus::InSync,
            Some(StatusType::Failed) => {
                ReplicaStatus::Failed(answer.status_message.unwrap_or_default())
            }
            _ => ReplicaStatus::InProgress,
        },
    })
}
