//! Secrets Manager as the calls we make, with our own types on both sides. One method, one
//! operation, one request that the SDK retries with the same token.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::types::Tag;
use aws_smithy_types::Blob;
use zeroize::Zeroizing;

use super::gate::{Gate, send};
use super::retry::QuotaIsFinal;
use super::{AwsError, Described, ErrorKind, Listed, Read};
use crate::request::CURRENT;
use crate::value::{Kind, SecretBytes, SecretValue};

/// Pages of a list of versions.
const MOST_PAGES: usize = 20;

/// What a new secret is made of.
pub struct NewSecret<'a> {
    /// Its name.
    pub name: &'a str,
    /// Client request token, and so the version id.
    pub token: &'a str,
    /// Its value.
    pub value: &'a SecretValue,
    /// Given only.
    pub description: Option<&'a str>,
    /// Given only.
    pub kms_key_id: Option<&'a str>,
    /// May be empty.
    pub tags: &'a BTreeMap<String, String>,
}

/// A version as the answer to a write names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The full ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version_id: String,
    /// Attempts it took; more than one means that the answer may describe the past.
    pub attempts: u32,
}

/// A version and its labels, as the answer to PutSecretValue names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The version.
    pub written: Written,
    /// The labels it holds now.
    pub stages: Vec<String>,
}

/// A client for one region.
#[derive(Clone)]
pub struct SecretsManager {
    client: Client,
    region: String,
    gate: Arc<Gate>,
}

impl SecretsManager {
    pub(super) fn new(shared: &SdkConfig, region: String, gate: Arc<Gate>) -> Self {
        let config =
            aws_sdk_secretsmanager::config::Builder::from(shared).retry_classifier(QuotaIsFinal);
        Self {
            client: Client::from_conf(config.build()),
            region,
            gate,
        }
    }

    /// The region it talks to.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

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

    /// CreateSecret with everything in one call. The first version gets AWSCURRENT.
    ///
    /// # Errors
    /// Any.
    pub async fn create(&self, new: &NewSecret<'_>) -> Result<Written, AwsError> {
        let (string, binary) = split(new.value);
        let tags = (!new.tags.is_empty()).then(|| sdk_tags(new.tags));
        let (answer, attempts) = send!(
            &self.gate,
            "CreateSecret",
            self.client
                .create_secret()
                .name(new.name)
                .client_request_token(new.token)
                .set_secret_string(string)
                .set_secret_binary(binary)
                .set_description(new.description.map(str::to_owned))
                .set_kms_key_id(new.kms_key_id.map(str::to_owned))
                .set_tags(tags)
        )?;
        written(
            "CreateSecret",
            attempts,
            answer.arn,
            answer.name,
            answer.version_id,
        )
    }

    /// PutSecretValue under one label, which moves to the new version from wherever it is; unless
    /// this token's version exists already: then no label moves.
    ///
    /// # Errors
    /// Any.
    pub async fn put(
        &self,
        id: &str,
        token: &str,
        value: &SecretValue,
        label: &str,
    ) -> Result<Put, AwsError> {
        let (string, binary) = split(value);
        let (answer, attempts) = send!(
            &self.gate,
            "PutSecretValue",
            self.client
                .put_secret_value()
                .secret_id(id)
                .client_request_token(token)
                .set_secret_string(string)
                .set_secret_binary(binary)
                // What AWS does without labels, too; not naming it keeps the request as policies
                // with a condition on secretsmanager:VersionStage know it.
                .set_version_stages((label != CURRENT).then(|| vec![label.to_owned()]))
        )?;
        Ok(Put {
            written: written(
                "PutSecretValue",
                attempts,
                answer.arn,
                answer.name,
                answer.version_id,
            )?,
            stages: answer.version_stages.unwrap_or_default(),
        })
    }

    /// UpdateSecret of the description, the key, or both; never of the value, because its answer
    /// does not name labels.
    ///
    /// # Errors
    /// Any.
    pub async fn update(
        &self,
        id: &str,
        description: Option<&str>,
        kms_key_id: Option<&str>,
    ) -> Result<(), AwsError> {
        send!(
            &self.gate,
            "UpdateSecret",
            self.client
                .update_secret()
                .secret_id(id)
                .set_description(description.map(str::to_owned))
                .set_kms_key_id(kms_key_id.map(str::to_owned))
        )
        .map(drop)
    }

    /// UpdateSecretVersionStage: moves a label, if `from` holds it, or nobody where that is `None`. AWS
    /// compares and swaps.
    ///
    /// # Errors
    /// Any; InvalidParameterException where somebody else holds it.
    pub async fn move_label(
        &self,
        id: &str,
        label: &str,
        from: Option<&str>,
        to: &str,
    ) -> Result<(), AwsError> {
        send!(
            &self.gate,
            "UpdateSecretVersionStage",
            self.client
                .update_secret_version_stage()
                .secret_id(id)
                .version_stage(label)
                .set_remove_from_version_id(from.map(str::to_owned))
                .move_to_version_id(to)
        )
        .map(drop)
    }

    /// UpdateSecretVersionStage: takes a label off a version.
    ///
    /// # Errors
    /// Any; InvalidParameterException where the version does not hold it.
    pub async fn drop_label(&self, id: &str, label: &str, from: &str) -> Result<(), AwsError> {
        send!(
            &self.gate,
            "UpdateSecretVersionStage",
            self.client
                .update_secret_version_stage()
                .secret_id(id)
                .version_stage(label)
                .remove_from_version_id(from)
        )
        .map(drop)
    }

    /// The same client with a gate of its own, for the one thing that is still done when a run has
    /// been cancelled: taking its private label off.
    #[must_use]
    pub fn afterwards(&self) -> Self {
        Self {
            gate: Arc::new(self.gate.reopened()),
            ..self.clone()
        }
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

    /// RestoreSecret.
    ///
    /// # Errors
    /// Any.
    pub async fn restore(&self, id: &str) -> Result<(), AwsError> {
        send!(
            &self.gate,
            "RestoreSecret",
            self.client.restore_secret().secret_id(id)
        )
        .map(drop)
    }

    /// TagResource: adds and changes.
    ///
    /// # Errors
    /// Any.
    pub async fn tag(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
        send!(
            &self.gate,
            "TagResource",
            self.client
                .tag_resource()
                .secret_id(id)
                .set_tags(Some(sdk_tags(tags)))
        )
        .map(drop)
    }

    /// UntagResource.
    ///
    /// # Errors
    /// Any.
    pub async fn untag(&self, id: &str, keys: &[String]) -> Result<(), AwsError> {
        send!(
            &self.gate,
            "UntagResource",
            self.client
                .untag_resource()
                .secret_id(id)
                .set_tag_keys(Some(keys.to_vec()))
        )
        .map(drop)
    }
}

fn written(
    operation: &'static str,
    attempts: u32,
    arn: Option<String>,
    name: Option<String>,
    version_id: Option<String>,
) -> Result<Written, AwsError> {
    // Without its ids a success is no success that we could report.
    match (plain(arn), plain(name), plain(version_id)) {
        (Some(arn), Some(name), Some(version_id)) => Ok(Written {
            arn,
            name,
            version_id,
            attempts,
        }),
        _ => Err(AwsError {
            attempts,
            ..AwsError::new(operation, ErrorKind::Unreadable)
        }),
    }
}

/// An id as AWS makes them. Anything else is no answer of Secrets Manager's, and must not reach outputs.
fn plain(answer: Option<String>) -> Option<String> {
    answer.filter(|id| {
        !id.is_empty() && id.len() <= 2_048 && id.bytes().all(|b| b.is_ascii_graphic())
    })
}

fn split(value: &SecretValue) -> (Option<String>, Option<Blob>) {
    match value.kind() {
        Kind::String => {
            let copy = Zeroizing::new(value.expose().to_vec());
            (str::from_utf8(&copy).ok().map(str::to_owned), None)
        }
        Kind::Binary => (None, Some(Blob::new(value.expose()))),
    }
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}
