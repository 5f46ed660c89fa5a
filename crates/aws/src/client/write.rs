//! Calls that create a secret or a version, move staging labels, or change the secret's metadata.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::types::Tag;
use aws_smithy_types::Blob;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::store::{Call, LabeledVersion, NewSecret, WrittenVersion};
use upsert_secret_core::value::{Kind, SecretValue};

use super::replica::sdk_regions;
use super::sdk::{CallInfo, SdkClient, call};

impl SdkClient {
    pub(super) async fn create(&self, new: &NewSecret<'_>) -> Call<WrittenVersion> {
        let (string, binary) = sdk_value(new.value);
        let tags = (!new.tags.is_empty()).then(|| sdk_tags(new.tags));
        let replicas = (!new.replicas.is_empty()).then(|| sdk_regions(new.replicas));
        let (output, call) = call!(
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
        written_version(call, output.arn, output.name, output.version_id)
    }

    pub(super) async fn put_value(
        &self,
        id: &str,
        token: &str,
        value: &SecretValue,
        label: &str,
    ) -> Call<LabeledVersion> {
        let (string, binary) = sdk_value(value);
        let (output, call) = call!(
            self,
            "PutSecretValue",
            self.client
                .put_secret_value()
                .secret_id(id)
                .client_request_token(token)
                .set_secret_string(string)
                .set_secret_binary(binary)
                // AWSCURRENT is AWS's default. IAM policies with a condition on secretsmanager:VersionStage may not
                // allow a request that names it.
                .set_version_stages((label != CURRENT).then(|| vec![label.to_owned()]))
        )?;
        Ok(LabeledVersion {
            written: written_version(call, output.arn, output.name, output.version_id)?,
            stages: output.version_stages.unwrap_or_default(),
        })
    }

    /// UpdateSecretVersionStage, a compare-and-swap: moves a label to a version, or removes it from one.
    pub(super) async fn move_label(
        &self,
        id: &str,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Call<()> {
        call!(
            self,
            "UpdateSecretVersionStage",
            self.client
                .update_secret_version_stage()
                .secret_id(id)
                .version_stage(label)
                .set_remove_from_version_id(from.map(str::to_owned))
                .set_move_to_version_id(to.map(str::to_owned))
        )
        .map(drop)
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

/// The version that a response names. Without its ids there is nothing to report, and the outcome is unknown.
fn written_version(
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

/// The value as `SecretString` or as `SecretBinary`.
fn sdk_value(value: &SecretValue) -> (Option<String>, Option<Blob>) {
    match value.kind() {
        Kind::String => (str::from_utf8(value.expose()).ok().map(str::to_owned), None),
        Kind::Binary => (None, Some(Blob::new(value.expose()))),
    }
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}
