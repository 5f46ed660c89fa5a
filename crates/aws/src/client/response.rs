//! Converts Secrets Manager responses to the types of the core crate. Checks the format of each identifier, because identifiers
//! reach outputs: a response with other text in place of one counts as unreadable. Must not send requests.

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::operation::list_secrets::ListSecretsOutput;
use aws_sdk_secretsmanager::types::{
    ApiErrorType, ReplicationStatusType, SecretListEntry, SecretValueEntry, StatusType,
};
use aws_smithy_types::Blob;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::quote::ForeignText;
use upsert_secret_core::region::is_region;
use upsert_secret_core::state::{
    Replica, ReplicaStatus, SecretMetadata, SecretPage, SecretVersion,
};
use upsert_secret_core::store::{Call, WrittenVersion};
use upsert_secret_core::target::Target;
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue};
use upsert_secret_core::version_id::is_version_id;

use crate::call_gate::CallInfo;
use crate::caller::Caller;
use crate::diagnosis;
use crate::error::shown_code;

impl CallInfo {
    /// The ARN and name of a secret, which the response must contain.
    fn secret(&self, arn: Option<String>, name: Option<String>) -> Call<(String, String)> {
        let both = arn.zip(name).filter(|(arn, name)| {
            let parsed = Target::parse(arn).ok().filter(Target::is_arn);
            parsed.is_some_and(|parsed| parsed.name == *name)
        });
        both.ok_or_else(|| self.incomplete())
    }

    /// The ID of a version, which the response must contain.
    pub(super) fn version_id(&self, id: Option<String>) -> Call<String> {
        id.filter(|id| is_version_id(id))
            .ok_or_else(|| self.incomplete())
    }

    /// Staging labels. Other tools choose them, so only their length and character set are checked.
    pub(super) fn labels(&self, labels: Option<Vec<String>>) -> Call<Vec<String>> {
        let labels = labels.unwrap_or_default();
        if labels.iter().all(|label| is_label(label)) {
            Ok(labels)
        } else {
            Err(self.incomplete())
        }
    }

    fn region(&self, region: Option<String>) -> Call<String> {
        region
            .filter(|region| is_region(region))
            .ok_or_else(|| self.incomplete())
    }

    fn incomplete(&self) -> StoreError {
        diagnosis::store_error(self.unreadable(), &Caller::default())
    }
}

/// Turns ResourceNotFoundException into `None`.
pub(super) fn unless_not_found<T>(sent: Call<T>) -> Call<Option<T>> {
    match sent {
        Err(error) if error.is("ResourceNotFoundException") => Ok(None),
        other => other.map(Some),
    }
}

pub(super) fn metadata(call: &CallInfo, output: DescribeSecretOutput) -> Call<SecretMetadata> {
    let (arn, name) = call.secret(output.arn, output.name)?;
    let primary_region = output.primary_region.and_then(non_empty);
    let primary_region = primary_region.map(|region| call.region(Some(region)));
    let versions = output.version_ids_to_stages.unwrap_or_default();
    let versions = versions
        .into_iter()
        .map(|(id, labels)| Ok((call.version_id(Some(id))?, call.labels(Some(labels))?)));
    let replicas = output.replication_status.unwrap_or_default();
    let replicas = replicas.into_iter().map(|status| replica(call, status));
    let tags = output.tags.unwrap_or_default().into_iter();
    Ok(SecretMetadata {
        arn,
        name,
        description: output.description.and_then(non_empty),
        kms_key_id: output.kms_key_id.and_then(non_empty),
        tags: tags
            .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
            .collect(),
        deleted: output.deleted_date.is_some(),
        owning_service: output.owning_service.and_then(non_empty),
        primary_region: primary_region.transpose()?,
        rotation_enabled: output.rotation_enabled.unwrap_or_default(),
        replicas: replicas.collect::<Call<_>>()?,
        versions: versions.collect::<Call<_>>()?,
    })
}

/// A page of secrets. A response without a list is unreadable, not an empty list.
pub(super) fn secret_page(call: &CallInfo, output: ListSecretsOutput) -> Call<SecretPage> {
    let secrets = output.secret_list.ok_or_else(|| call.incomplete())?;
    let secrets = secrets
        .into_iter()
        .map(|entry| metadata(call, listed(entry)));
    Ok(SecretPage {
        secrets: secrets.collect::<Call<_>>()?,
        next: output.next_token.and_then(non_empty),
    })
}

/// Converts an entry of ListSecrets to a DescribeSecret response, which has the same fields and more.
fn listed(entry: SecretListEntry) -> DescribeSecretOutput {
    DescribeSecretOutput::builder()
        .set_arn(entry.arn)
        .set_name(entry.name)
        .set_description(entry.description)
        .set_kms_key_id(entry.kms_key_id)
        .set_rotation_enabled(entry.rotation_enabled)
        .set_deleted_date(entry.deleted_date)
        .set_tags(entry.tags)
        .set_version_ids_to_stages(entry.secret_versions_to_stages)
        .set_owning_service(entry.owning_service)
        .set_primary_region(entry.primary_region)
        .build()
}

fn replica(call: &CallInfo, status: ReplicationStatusType) -> Call<Replica> {
    Ok(Replica {
        region: call.region(status.region)?,
        kms_key_id: status.kms_key_id.and_then(non_empty),
        status: match status.status {
            Some(StatusType::InSync) => ReplicaStatus::InSync,
            Some(StatusType::Failed) => {
                ReplicaStatus::Failed(ForeignText::new(&status.status_message.unwrap_or_default()))
            }
            _ => ReplicaStatus::InProgress,
        },
    })
}

pub(super) fn version(call: &CallInfo, entry: SecretValueEntry) -> Call<SecretVersion> {
    let (arn, name) = call.secret(entry.arn, entry.name)?;
    Ok(SecretVersion {
        arn,
        name,
        version_id: call.version_id(entry.version_id)?,
        stages: call.labels(entry.version_stages)?,
        value: value(entry.secret_string, entry.secret_binary).ok_or_else(|| call.incomplete())?,
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

/// The error for one secret in a batch response, as GetSecretValue would have returned it.
pub(super) fn batch_error(call: &CallInfo, error: ApiErrorType) -> Call<Option<SecretVersion>> {
    let kind = ErrorKind::Service {
        code: shown_code(error.error_code.as_deref(), 400),
        message: ForeignText::new(&error.message.unwrap_or_default()),
        status: 400,
    };
    unless_not_found(Err(StoreError {
        attempts: call.attempts,
        ..StoreError::new("GetSecretValue", kind)
    }))
}

/// The version that a response names. Without its IDs there is nothing to report, and the outcome is unknown.
pub(super) fn written_version(
    call: &CallInfo,
    arn: Option<String>,
    name: Option<String>,
    version_id: Option<String>,
) -> Call<WrittenVersion> {
    let (arn, name) = call.secret(arn, name)?;
    Ok(WrittenVersion {
        arn,
        name,
        version_id: call.version_id(version_id)?,
        attempts: call.attempts,
    })
}

/// Whether a text can be a staging label (API model, `SecretVersionStageType`).
fn is_label(text: &str) -> bool {
    (1..=256).contains(&text.chars().count()) && !text.contains(char::is_control)
}

/// A text in a response; AWS sends some empty texts instead of omitting them.
pub(super) fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::operation::describe_secret::builders::DescribeSecretOutputBuilder;

    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf";
    const VERSION: &str = "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE";

    fn described(
        change: impl FnOnce(DescribeSecretOutputBuilder) -> DescribeSecretOutputBuilder,
    ) -> bool {
        let output = DescribeSecretOutput::builder()
            .arn(ARN)
            .name("prod/key")
            .version_ids_to_stages(VERSION, vec!["AWSCURRENT".to_owned()]);
        metadata(&call(), change(output).build()).is_ok()
    }

    #[test]
    fn texts_of_other_shapes_are_unreadable() {
        assert!(described(|output| output));
        assert!(described(|output| output.primary_region("eu-west-2")));
        for arn in [
            "made-up-value",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:other-AbCdEf",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key",
            "arn:aws:sts:eu-west-1:111122223333:secret:prod/key-AbCdEf",
            "arn:aws:secretsmanager:eu-west-1:made-up:secret:prod/key-AbCdEf",
            "arn:aws:secretsmanager:EU_WEST:111122223333:secret:prod/key-AbCdEf",
        ] {
            assert!(!described(|output| output.arn(arn)), "{arn}");
        }
        for name in ["", "other", ARN, "prod/key\nsecret_id=b"] {
            assert!(!described(|output| output.name(name)), "{name}");
        }
        let (long, longest) = ("x".repeat(257), "x".repeat(256));
        for (version, label, valid) in [
            (VERSION, longest.as_str(), true),
            (VERSION, "a label of another tool", true),
            (VERSION, &long, false),
            (VERSION, "", false),
            (VERSION, "a\nsecret_id=b", false),
            ("v1", "a", false),
            (&longest, "a", false),
            ("EXAMPLE1-90ab-cdef-fedc ba987EXAMPLE", "a", false),
            ("EXAMPLE1-90ab-cdef-fedc\"ba987EXAMPLE", "a", false),
        ] {
            let labels = || vec![label.to_owned()];
            let held = described(|output| output.version_ids_to_stages(version, labels()));
            assert_eq!(held, valid, "{version:?} {label:?}");
        }
        let replica = |region: &str| ReplicationStatusType::builder().region(region).build();
        for region in ["", "made up", "EU-WEST-1"] {
            assert!(!described(
                |output| output.replication_status(replica(region))
            ));
        }
        assert!(!described(|output| output.primary_region("made up")));
    }

    #[test]
    fn missing_identifier_is_unknown_outcome() {
        let call = CallInfo::new("PutSecretValue", 2);
        let missing = written_version(
            &call,
            Some(ARN.to_owned()),
            Some("prod/key".to_owned()),
            None,
        );
        let error = missing.err();
        assert!(error.is_some_and(|error| error.is_unknown_outcome()));
    }

    fn call() -> CallInfo {
        CallInfo::new("BatchGetSecretValue", 1)
    }

    #[test]
    fn incomplete_entry_is_unreadable() {
        let entry = || {
            SecretValueEntry::builder()
                .arn("arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf")
                .name("a")
                .version_id(VERSION)
        };
        let whole = version(&call(), entry().secret_string("made up").build());
        assert!(whole.is_ok_and(|version| version.value.expose() == b"made up"));
        for incomplete in [
            entry().build(),
            entry().name("").secret_string("made up").build(),
            entry().version_id("a b").secret_string("made up").build(),
        ] {
            let error = version(&call(), incomplete).err();
            assert_eq!(error, Some(call().incomplete()));
        }
    }

    #[test]
    fn batch_error_is_absence_or_get_secret_value_error() {
        let error =
            |code: &str| batch_error(&call(), ApiErrorType::builder().error_code(code).build());
        assert!(matches!(error("ResourceNotFoundException"), Ok(None)));
        let denied = error("AccessDeniedException").err();
        assert!(
            denied.is_some_and(|error| error.is_denied() && error.operation == "GetSecretValue")
        );
        // A server can quote a value in place of a code.
        for code in ["", "c2stbWFkZS11cC0wMTIzNDU2Nzg5", "sk-made-up"] {
            assert!(
                error(code).is_err_and(|error| error.is("HTTP 400")),
                "{code}"
            );
        }
    }
}
