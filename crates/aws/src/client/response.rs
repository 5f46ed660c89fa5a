//! Responses of Secrets Manager, converted to the types of core. Identifiers are checked here, because they reach outputs. It
//! sends nothing.

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::{
    ApiErrorType, ReplicationStatusType, SecretValueEntry, StatusType,
};
use aws_smithy_types::Blob;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::state::{Replica, ReplicaStatus, SecretMetadata, SecretVersion};
use upsert_secret_core::store::{Call, WrittenVersion};
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue};

use crate::call_gate::CallInfo;

impl CallInfo {
    /// An identifier that the response must have.
    fn identifier(self, text: Option<String>) -> Call<String> {
        identifier(text).ok_or_else(|| self.unreadable())
    }

    fn unreadable(self) -> StoreError {
        StoreError {
            attempts: self.attempts,
            ..StoreError::new(self.operation, ErrorKind::Unreadable)
        }
    }
}

/// Turns ResourceNotFoundException into `None`.
pub(super) fn unless_not_found<T>(sent: Call<T>) -> Call<Option<T>> {
    match sent {
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        other => other.map(Some),
    }
}

pub(super) fn metadata(call: CallInfo, output: DescribeSecretOutput) -> Call<SecretMetadata> {
    Ok(SecretMetadata {
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
    })
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

pub(super) fn version(call: CallInfo, entry: SecretValueEntry) -> Call<SecretVersion> {
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
pub(super) fn batch_error(call: CallInfo, error: ApiErrorType) -> Call<Option<SecretVersion>> {
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

/// The version that a response names. Without its ids there is nothing to report, and the outcome is unknown.
pub(super) fn written_version(
    call: CallInfo,
    arn: Option<String>,
    name: Option<String>,
    version_id: Option<String>,
) -> Call<WrittenVersion> {
    Ok(WrittenVersion {
        arn: call.identifier(arn)?,
        name: call.identifier(name)?,
        version_id: call.identifier(version_id)?,
        attempts: call.attempts,
    })
}

/// An id, name or ARN shaped as AWS's are. Anything else is not from Secrets Manager and must not reach outputs.
pub(super) fn identifier(text: Option<String>) -> Option<String> {
    text.filter(|id| id.len() <= 2_048 && id.bytes().all(|b| b.is_ascii_graphic()))
        .and_then(non_empty)
}

/// A text of a response; AWS sends some as empty rather than leave them out.
pub(super) fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_short_printable_ascii() {
        let longest = "x".repeat(2_048);
        for (text, valid) in [
            ("EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE", true),
            (
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf",
                true,
            ),
            (&longest, true),
            (&format!("{longest}x"), false),
            ("", false),
            ("a b", false),
            ("a\nsecret_id=b", false),
            ("Schlüssel", false),
        ] {
            assert_eq!(identifier(Some(text.to_owned())).is_some(), valid, "{text}");
        }
    }

    #[test]
    fn missing_identifier_is_unknown_outcome() {
        let call = CallInfo {
            operation: "PutSecretValue",
            attempts: 2,
        };
        let error = call.identifier(None).unwrap_err();
        assert!(error.is_unknown_outcome(), "{:?}", error.kind);
    }

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
