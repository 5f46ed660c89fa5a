//! Calls that change nothing: the secret, the value of a version, the list of versions.

use aws_sdk_secretsmanager::types::{ReplicationStatusType, StatusType};

use super::{SecretsManager, plain};
use crate::aws::gate::send;
use crate::aws::{AwsError, Described, ErrorKind, Listed, Read, Replica, Replication};
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
        let unreadable = || AwsError::new("GetSecretValue", ErrorKind::Unreadable);
        let value = match (answer.secret_string, answer.secret_binary) {
            (Some(text), _) => {
                SecretValue::stored(SecretBytes::new(text.into_bytes()), Kind::String)
            }
            (None, Some(blob)) => {
                SecretValue::stored(SecretBytes::new(blob.into_inner()), Kind::Binary)
            }
            (None, None) => return Err(unreadable()),
        };
        Ok(Some(Read {
            arn: plain(answer.arn).ok_or_else(unreadable)?,
            name: plain(answer.name).ok_or_else(unreadable)?,
            version_id: plain(answer.version_id).ok_or_else(unreadable)?,
            stages: answer.version_stages.unwrap_or_default(),
            value,
        }))
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
