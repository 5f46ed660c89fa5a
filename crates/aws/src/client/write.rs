//! Calls that create a secret or a version, or change what describes the secret.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::types::Tag;
use aws_smithy_types::Blob;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::store::{Call, LabeledVersion, NewSecret, WrittenVersion};
use upsert_secret_core::value::{Kind, SecretValue};
use zeroize::Zeroizing;

use super::replica::sdk_regions;
use super::sdk::{SdkClient, call, identifier};

impl SdkClient {
    pub(super) async fn create(&self, new: &NewSecret<'_>) -> Call<WrittenVersion> {
        let (string, binary) = split(new.value);
        let tags = (!new.tags.is_empty()).then(|| sdk_tags(new.tags));
        let replicas = (!new.replicas.is_empty()).then(|| sdk_regions(new.replicas));
        let (answer, attempts) = call!(
            self,
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

    pub(super) async fn put_value(
        &self,
        id: &str,
        token: &str,
        value: &SecretValue,
        label: &str,
    ) -> Call<LabeledVersion> {
        let (string, binary) = split(value);
        let (answer, attempts) = call!(
            self,
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
        Ok(LabeledVersion {
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

    pub(super) async fn update(
        &self,
        id: &str,
        description: Option<&str>,
        kms_key_id: Option<&str>,
    ) -> Call<()> {
        call!(
            self,
            "UpdateSecret",
            self.client
                .update_secret()
                .secret_id(id)
                .set_description(description.map(str::to_owned))
                .set_kms_key_id(kms_key_id.map(str::to_owned))
        )
        .map(drop)
    }

    pub(super) async fn restore(&self, id: &str) -> Call<()> {
        call!(
            self,
            "RestoreSecret",
            self.client.restore_secret().secret_id(id)
        )
        .map(drop)
    }

    pub(super) async fn tag(&self, id: &str, tags: &BTreeMap<String, String>) -> Call<()> {
        call!(
            self,
            "TagResource",
            self.client
                .tag_resource()
                .secret_id(id)
                .set_tags(Some(sdk_tags(tags)))
        )
        .map(drop)
    }

    pub(super) async fn untag(&self, id: &str, keys: &[String]) -> Call<()> {
        call!(
            self,
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
) -> Call<WrittenVersion> {
    // Without its ids a success is no success that we could report.
    match (identifier(arn), identifier(name), identifier(version_id)) {
        (Some(arn), Some(name), Some(version_id)) => Ok(WrittenVersion {
            arn,
            name,
            version_id,
            attempts,
        }),
        _ => Err(StoreError {
            attempts,
            ..StoreError::new(operation, ErrorKind::Unreadable)
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
