//! Calls that make a secret or a version, or change what describes the secret.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::types::Tag;
use aws_smithy_types::Blob;
use zeroize::Zeroizing;

use super::replica::sdk_regions;
use super::{NewSecret, Put, SecretsManager, Written, plain};
use crate::aws::gate::send;
use crate::aws::{AwsError, ErrorKind};
use crate::request::CURRENT;
use crate::value::{Kind, SecretValue};

impl SecretsManager {
    /// CreateSecret with everything in one call. The first version gets AWSCURRENT.
    ///
    /// # Errors
    /// Any.
    pub async fn create(&self, new: &NewSecret<'_>) -> Result<Written, AwsError> {
        let (string, binary) = split(new.value);
        let tags = (!new.tags.is_empty()).then(|| sdk_tags(new.tags));
        let replicas = (!new.replicas.is_empty()).then(|| sdk_regions(new.replicas));
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
                .set_add_replica_regions(replicas)
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
