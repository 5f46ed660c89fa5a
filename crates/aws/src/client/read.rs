//! Calls that read: the secret's metadata, the value of a version, the values of many secrets, the list of versions.

use aws_sdk_secretsmanager::types::{
    ApiErrorType, ReplicationStatusType, SecretValueEntry, StatusType,
};
use aws_smithy_types::Blob;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::state::{
    BatchEntry, Replica, ReplicaStatus, SecretMetadata, SecretVersion, VersionInfo,
};
use upsert_secret_core::store::Call;
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue};

use super::sdk::{CallInfo, SdkClient, call, identifier, non_empty};

/// The most pages of a list of versions.
const MAX_PAGES: usize = 20;

impl SdkClient {
    pub(super) async fn describe(&self, id: &str) -> Call<Option<SecretMetadata>> {
        let sent = call!(
            self,
            "DescribeSecret",
            self.client.describe_secret().secret_id(id)
        );
        let Some((output, call)) = unless_not_found(sent)? else {
            return Ok(None);
        };
        Ok(Some(SecretMetadata {
            arn: call.identifier(output.arn)?,
            name: call.identifier(output.name)?,
            description: output.description.and_then(non_empty),
            kms_key_id: output.kms_key_id.and_then(non_empty),
            tags: output
                .tags
                .unwrap_or_default()
                .into_iter()
                .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
                .collect(),
            deleted: output.deleted_date.is_some(),
            owning_service: output.owning_service.and_then(non_empty),
            primary_region: output.primary_region.and_then(non_empty),
            rotation_enabled: output.rotation_enabled.unwrap_or_default(),
            replicas: output
                .replication_status
                .unwrap_or_default()
                .into_iter()
                .filter_map(replica)
                .collect(),
            versions: output
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
        let Some((output, call)) = unless_not_found(sent)? else {
            return Ok(None);
        };
        // An entry of a batch has the same fields.
        let entry = SecretValueEntry::builder()
            .set_arn(output.arn)
            .set_name(output.name)
            .set_version_id(output.version_id)
            .set_version_stages(output.version_stages)
            .set_secret_string(output.secret_string)
            .set_secret_binary(output.secret_binary)
            .build();
        version(call, entry).map(Some)
    }

    pub(super) async fn batch_get_values(&self, ids: &[String]) -> Call<Vec<BatchEntry>> {
        let requested = |text: &Option<String>| ids.iter().find(|id| text.as_ref() == Some(*id));
        let mut entries = Vec::with_capacity(ids.len());
        let mut page = None;
        // Large values may come in several pages, but not in more than there are secrets.
        for _ in 0..=ids.len() {
            let (output, call) = call!(
                self,
                "BatchGetSecretValue",
                self.client
                    .batch_get_secret_value()
                    .set_secret_id_list(Some(ids.to_vec()))
                    .set_next_token(page.take())
            )?;
            for entry in output.secret_values.unwrap_or_default() {
                if let Some(id) = requested(&entry.arn).or_else(|| requested(&entry.name)) {
                    entries.push(BatchEntry {
                        id: id.clone(),
                        version: version(call, entry).map(Some),
                    });
                }
            }
            for error in output.errors.unwrap_or_default() {
                if let Some(id) = requested(&error.secret_id) {
                    entries.push(BatchEntry {
                        id: id.clone(),
                        version: batch_error(call, error),
                    });
                }
            }
            page = output.next_token.and_then(non_empty);
            if page.is_none() {
                return Ok(entries);
            }
        }
        Err(StoreError::new(
            "BatchGetSecretValue",
            ErrorKind::Unreadable,
        ))
    }

    pub(super) async fn list_versions(&self, id: &str) -> Call<Vec<VersionInfo>> {
        let mut versions = Vec::new();
        let mut page = None;
        // A secret has at most 20 labels, so as many labeled versions; a page may hold a single one.
        for _ in 0..MAX_PAGES {
            let (output, _) = call!(
                self,
                "ListSecretVersionIds",
                self.client
                    .list_secret_version_ids()
                    .secret_id(id)
                    .set_next_token(page.take())
            )?;
            for version in output.versions.unwrap_or_default() {
                if let Some(id) = identifier(version.version_id) {
                    let created = version.created_date.map(|date| date.as_secs_f64());
                    versions.push(VersionInfo { id, created });
                }
            }
            page = output.next_token.and_then(non_empty);
            if page.is_none() {
                return Ok(versions);
            }
        }
        Err(StoreError::new(
            "ListSecretVersionIds",
            ErrorKind::Unreadable,
        ))
    }
}

/// Turns ResourceNotFoundException into `None`.
fn unless_not_found<T>(sent: Call<T>) -> Call<Option<T>> {
    match sent {
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        other => other.map(Some),
    }
}

fn version(call: CallInfo, entry: SecretValueEntry) -> Call<SecretVersion> {
    Ok(SecretVersion {
        arn: call.identifier(entry.arn)?,
        name: call.identifier(entry.name)?,
        version_id: call.identifier(entry.version_id)?,
        stages: entry.version_stages.unwrap_or_default(),
        value: value(entry.secret_string, entry.secret_binary).ok_or_else(|| call.unreadable())?,
    })
}

fn value(string: Option<String>, binary: Option<Blob>) -> Option<SecretValue> {
    let (bytes, kind) = match (string, binary) {
        (Some(text), _) => (text.into_bytes(), Kind::String),
        (None, Some(blob)) => (blob.into_inner(), Kind::Binary),
        (None, None) => return None,
    };
    Some(SecretValue::stored(SecretBytes::new(bytes), kind))
}

/// One secret's error in the response to a batch, as GetSecretValue would have returned it.
fn batch_error(call: CallInfo, error: ApiErrorType) -> Call<Option<SecretVersion>> {
    let kind = ErrorKind::Service {
        code: error.error_code.unwrap_or_default(),
        message: error.message.unwrap_or_default(),
        status: 400,
    };
    unless_not_found(Err(StoreError {
        attempts: call.attempts,
        ..StoreError::new("GetSecretValue", kind)
    }))
}

fn replica(status: ReplicationStatusType) -> Option<Replica> {
    Some(Replica {
        region: identifier(status.region)?,
        kms_key_id: status.kms_key_id.and_then(non_empty),
        status: match status.status {
            Some(StatusType::InSync) => ReplicaStatus::InSync,
            Some(StatusType::Failed) => {
                ReplicaStatus::Failed(status.status_message.unwrap_or_default())
            }
            _ => ReplicaStatus::InProgress,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: CallInfo = CallInfo {
        operation: "BatchGetSecretValue",
        attempts: 1,
    };

    #[test]
    fn incomplete_entry_is_unreadable() {
        let entry = || {
            SecretValueEntry::builder()
                .arn("arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf")
                .name("a")
                .version_id("v1")
        };
        let whole = version(CALL, entry().secret_string("made up").build());
        assert!(whole.is_ok_and(|version| version.value.expose() == b"made up"));
        for incomplete in [
            entry().build(),
            entry().name("").secret_string("made up").build(),
            entry().version_id("a b").secret_string("made up").build(),
        ] {
            let error = version(CALL, incomplete).err();
            assert_eq!(error, Some(CALL.unreadable()));
        }
    }

    #[test]
    fn batch_error_is_absence_or_get_secret_value_error() {
        let error =
            |code: &str| batch_error(CALL, ApiErrorType::builder().error_code(code).build());
        assert!(matches!(error("ResourceNotFoundException"), Ok(None)));
        let denied = error("AccessDeniedException").err();
        assert!(
            denied.is_some_and(|error| error.is_denied() && error.operation == "GetSecretValue")
        );
    }
}
