//! Calls that change nothing: the secret, the value of a version, the list of versions.

use aws_sdk_secretsmanager::types::{ApiErrorType, ReplicationStatusType, StatusType};
use aws_smithy_types::Blob;

use super::{SecretsManager, plain};
use crate::aws::gate::send;
use crate::aws::{Answered, AwsError, Described, ErrorKind, Listed, Read, Replica, Replication};
use crate::request::CURRENT;
use crate::value::{Kind, SecretBytes, SecretValue};

/// Pages of a list of versions.
const MOST_PAGES: usize = 20;

impl SecretsManager {
    /// DescribeSecret; `None` where the secret does not exist.
    ///
    /// # Errors
    /// Any but ResourceNotFoundException.
    pub async fn describe(&self, id: &str) -> Result<Option<Described>, AwsError> {
        let sent: Result<_, AwsError> = send!(
            &self.gate,
            "DescribeSecret",
            self.client.describe_secret().secret_id(id)
        );
        let answer = match sent {
            Ok((answer, _)) => answer,
            Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(error),
        };
        let unreadable = || AwsError::new("DescribeSecret", ErrorKind::Unreadable);
        Ok(Some(Described {
            arn: plain(answer.arn).ok_or_else(unreadable)?,
            name: plain(answer.name).ok_or_else(unreadable)?,
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

    /// GetSecretValue of the version that holds a label; `None` where the secret, or such a version,
    /// does not exist.
    ///
    /// # Errors
    /// Any but ResourceNotFoundException.
    pub async fn read(&self, id: &str, label: &str) -> Result<Option<Read>, AwsError> {
        let sent: Result<_, AwsError> = send!(
            &self.gate,
            "GetSecretValue",
            self.client
                .get_secret_value()
                .secret_id(id)
                // See `put`.
                .set_version_stage((label != CURRENT).then(|| label.to_owned()))
        );
        let answer = match sent {
            Ok((answer, _)) => answer,
            Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(error),
        };
        read(
            "GetSecretValue",
            answer.arn,
            answer.name,
            answer.version_id,
            answer.version_stages,
            value(answer.secret_string, answer.secret_binary),
        )
        .map(Some)
    }

    /// BatchGetSecretValue: AWSCURRENT's value of up to 20 secrets, named by what `ids` has. One that AWS says nothing
    /// of is not among the answers.
    ///
    /// # Errors
    /// Of the call itself; what is wrong with one of the secrets is in its answer.
    pub async fn read_many(&self, ids: &[String]) -> Result<Vec<Answered>, AwsError> {
        let mut answered = Vec::with_capacity(ids.len());
        let mut page = None;
        // Large values may come in several pages, but not without end.
        for _ in 0..=ids.len() {
            let (answer, attempts) = send!(
                &self.gate,
                "BatchGetSecretValue",
                self.client
                    .batch_get_secret_value()
                    .set_secret_id_list(Some(ids.to_vec()))
                    .set_next_token(page.take())
            )?;
            for entry in answer.secret_values.unwrap_or_default() {
                let (arn, name) = (plain(entry.arn), plain(entry.name));
                let asked = ids
                    .iter()
                    .find(|id| arn.as_ref() == Some(*id) || name.as_ref() == Some(*id));
                if let Some(id) = asked {
                    let value = value(entry.secret_string, entry.secret_binary);
                    let read = read(
                        "BatchGetSecretValue",
                        arn,
                        name,
                        entry.version_id,
                        entry.version_stages,
                        value,
                    );
                    answered.push(Answered {
                        id: id.clone(),
                        read: read.map(Some),
                    });
                }
            }
            for error in answer.errors.unwrap_or_default() {
                if let Some(id) = ids.iter().find(|id| error.secret_id.as_ref() == Some(*id)) {
                    answered.push(Answered {
                        id: id.clone(),
                        read: refused(attempts, error),
                    });
                }
            }
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(answered);
            }
        }
        Err(AwsError::new("BatchGetSecretValue", ErrorKind::Unreadable))
    }

    /// ListSecretVersionIds: the versions that hold labels, and when each was made.
    ///
    /// # Errors
    /// Any.
    pub async fn list_versions(&self, id: &str) -> Result<Vec<Listed>, AwsError> {
        let mut listed = Vec::new();
        let mut page = None;
        // At most 20 labels, so as many versions; pages may be short, but not without end.
        for _ in 0..MOST_PAGES {
            let (answer, _) = send!(
                &self.gate,
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
                        Some(Listed {
                            id: plain(version.version_id)?,
                            created: version.created_date.map(|date| date.as_secs_f64()),
                        })
                    }),
            );
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(listed);
            }
        }
        Err(AwsError::new("ListSecretVersionIds", ErrorKind::Unreadable))
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

fn read(
    operation: &'static str,
    arn: Option<String>,
    name: Option<String>,
    version_id: Option<String>,
    stages: Option<Vec<String>>,
    value: Option<SecretValue>,
) -> Result<Read, AwsError> {
    let unreadable = || AwsError::new(operation, ErrorKind::Unreadable);
    Ok(Read {
        arn: plain(arn).ok_or_else(unreadable)?,
        name: plain(name).ok_or_else(unreadable)?,
        version_id: plain(version_id).ok_or_else(unreadable)?,
        stages: stages.unwrap_or_default(),
        value: value.ok_or_else(unreadable)?,
    })
}

/// One secret's part of an answer about many.
fn refused(attempts: u32, error: ApiErrorType) -> Result<Option<Read>, AwsError> {
    let code = error.error_code.unwrap_or_default();
    if code == "ResourceNotFoundException" {
        return Ok(None);
    }
    let kind = ErrorKind::Service {
        code,
        message: error.message.unwrap_or_default(),
        status: 400,
    };
    Err(AwsError {
        attempts,
        ..AwsError::new("GetSecretValue", kind)
    })
}

fn replica(answer: ReplicationStatusType) -> Option<Replica> {
    Some(Replica {
        region: plain(answer.region)?,
        kms_key_id: answer.kms_key_id.filter(|key| !key.is_empty()),
        status: match answer.status {
            Some(StatusType::InSync) => Replication::InSync,
            Some(StatusType::Failed) => {
                Replication::Failed(answer.status_message.unwrap_or_default())
            }
            _ => Replication::InProgress,
        },
    })
}
