//! `SecretStore` on AWS Secrets Manager. Each request is one SDK call, which the SDK retries with the same token. Must not
//! decide which calls are made.

use std::collections::BTreeMap;
use std::sync::Arc;
use upsert_secret_core::quote::ForeignText;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::types::{
    Filter, FilterNameStringType, ReplicaRegionType, SecretValueEntry, Tag,
};
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_types::Blob;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::state::{
    BatchEntry, Finding, SecretMetadata, SecretPage, SecretVersion, Validation, VersionInfo,
};
use upsert_secret_core::store::{
    Call, LabeledVersion, NewSecret, SecretStore, Subject, WrittenVersion,
};
use upsert_secret_core::value::{Kind, SecretValue};

use crate::call_gate::{CallGate, send};
use crate::caller::Caller;
use crate::diagnosis;
use crate::retry_classifier::QuotaIsFinal;
use response::{
    batch_error, metadata, non_empty, secret_page, unless_not_found, version, written_version,
};

mod response;

/// The maximum number of pages in a list of versions. AWS keeps about a hundred versions without labels, and a page may contain
/// only one.
const MAX_PAGES: usize = 200;

/// The secrets of one account in one AWS region.
#[derive(Clone)]
pub struct SecretsManager {
    client: Client,
    caller: Arc<Caller>,
    gate: Arc<CallGate>,
}

/// Sends a request of a [`SecretsManager`]. Returns the SDK's output and a [`crate::call_gate::CallInfo`].
macro_rules! call {
    ($store:expr, $operation:literal, $request:expr) => {
        send!(&$store.gate, $operation, $request)
            .map_err(|error| diagnosis::store_error(error, &$store.caller))
    };
}

impl SecretsManager {
    pub(crate) fn new(config: &SdkConfig, caller: Caller, gate: Arc<CallGate>) -> Self {
        let mut config =
            aws_sdk_secretsmanager::config::Builder::from(config).retry_classifier(QuotaIsFinal);
        if gate.is_rate_limited() {
            // By default, the SDK stops retrying after about a hundred retries in a short time, because it assumes an outage.
            // When dozens of calls are throttled at the same moment, that many retries are normal.
            let unlimited =
                RetryPartition::custom("many secrets").token_bucket(TokenBucket::unlimited());
            config = config.retry_partition(unlimited.build());
        }
        Self {
            client: Client::from_conf(config.build()),
            caller: Arc::new(caller),
            gate,
        }
    }

    /// UpdateSecretVersionStage, a compare-and-swap: moves a label to a version, or removes it from one.
    async fn update_label(
        &self,
        id: &str,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Call<()> {
        let request = self
            .client
            .update_secret_version_stage()
            .secret_id(id)
            .version_stage(label)
            .set_remove_from_version_id(from.map(str::to_owned))
            .set_move_to_version_id(to.map(str::to_owned));
        call!(self, "UpdateSecretVersionStage", request).map(drop)
    }
}

impl SecretStore for SecretsManager {
    fn region(&self) -> &str {
        &self.caller.region
    }

    fn is_cancelled(&self) -> bool {
        self.gate.is_closed()
    }

    fn for_cleanup(&self) -> Self {
        Self {
            gate: Arc::new(self.gate.reopened()),
            ..self.clone()
        }
    }

    fn diagnose(&self, error: &StoreError, subject: Subject<'_>) -> Failure {
        diagnosis::explain(error, subject, &self.caller)
    }

    async fn describe(&self, id: &str) -> Call<Option<SecretMetadata>> {
        let request = self.client.describe_secret().secret_id(id);
        unless_not_found(call!(self, "DescribeSecret", request))?
            .map(|(output, call)| metadata(&call, output))
            .transpose()
    }

    async fn get_value(&self, id: &str, label: &str) -> Call<Option<SecretVersion>> {
        let request = self
            .client
            .get_secret_value()
            .secret_id(id)
            // Send AWSCURRENT, the API's default, explicitly: a policy with a condition on secretsmanager:VersionStage denies
            // requests without a stage (aws/aws-cli#5031).
            .version_stage(label);
        let Some((output, call)) = unless_not_found(call!(self, "GetSecretValue", request))? else {
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
        version(&call, entry).map(Some)
    }

    async fn batch_get_values(&self, ids: &[String]) -> Call<Vec<BatchEntry>> {
        let requested = |id: &Option<String>| id.clone().filter(|id| ids.contains(id));
        let mut entries = Vec::with_capacity(ids.len());
        let mut page = None;
        // Large values may be split over several pages, but never over more pages than there are secrets.
        for _ in 0..=ids.len() {
            let request = self
                .client
                .batch_get_secret_value()
                .set_secret_id_list(Some(ids.to_vec()))
                .set_next_token(page.take());
            let (output, call) = call!(self, "BatchGetSecretValue", request)?;
            let values = output.secret_values.unwrap_or_default().into_iter();
            entries.extend(values.filter_map(|entry| {
                let id = requested(&entry.arn).or_else(|| requested(&entry.name))?;
                let version = version(&call, entry).map(Some);
                Some(BatchEntry { id, version })
            }));
            let errors = output.errors.unwrap_or_default().into_iter();
            entries.extend(errors.filter_map(|error| {
                let id = requested(&error.secret_id)?;
                let version = batch_error(&call, error);
                Some(BatchEntry { id, version })
            }));
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

    async fn list_versions(&self, id: &str) -> Call<Vec<VersionInfo>> {
        let mut versions = Vec::new();
        let mut page = None;
        for _ in 0..MAX_PAGES {
            let request = self
                .client
                .list_secret_version_ids()
                .secret_id(id)
                .include_deprecated(true)
                .set_next_token(page.take());
            let (output, call) = call!(self, "ListSecretVersionIds", request)?;
            for version in output.versions.unwrap_or_default() {
                versions.push(VersionInfo {
                    id: call.version_id(version.version_id)?,
                    created: version.created_date.map(|date| date.as_secs_f64()),
                    labels: call.labels(version.version_stages)?,
                });
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

    async fn list_secrets(&self, prefixes: &[String], page: Option<String>) -> Call<SecretPage> {
        let by_name = || {
            Filter::builder()
                .key(FilterNameStringType::Name)
                .set_values(Some(prefixes.to_vec()))
                .build()
        };
        let request = self
            .client
            .list_secrets()
            .include_planned_deletion(true)
            .set_filters((!prefixes.is_empty()).then(|| vec![by_name()]))
            .set_next_token(page);
        let (output, call) = call!(self, "ListSecrets", request)?;
        secret_page(&call, output)
    }

    async fn get_policy(&self, id: &str) -> Call<Option<String>> {
        let request = self.client.get_resource_policy().secret_id(id);
        match call!(self, "GetResourcePolicy", request) {
            Ok((output, _)) => Ok(output.resource_policy.and_then(non_empty)),
            // The secret is scheduled for deletion, which DescribeSecret reports.
            Err(error) if error.is("InvalidRequestException") => Ok(None),
            Err(error) => unless_not_found(Err(error)),
        }
    }

    async fn validate_policy(&self, id: Option<&str>, policy: &str) -> Call<Validation> {
        let request = self
            .client
            .validate_resource_policy()
            .set_secret_id(id.map(str::to_owned))
            .resource_policy(policy);
        let (output, _) = call!(self, "ValidateResourcePolicy", request)?;
        Ok(Validation {
            passed: output.policy_validation_passed,
            findings: output
                .validation_errors
                .unwrap_or_default()
                .into_iter()
                .map(|finding| Finding {
                    check: ForeignText::new(&finding.check_name.unwrap_or_default()),
                    message: ForeignText::new(&finding.error_message.unwrap_or_default()),
                })
                .collect(),
        })
    }

    async fn put_policy(&self, id: &str, policy: &str, allow_public: bool) -> Call<()> {
        let request = self
            .client
            .put_resource_policy()
            .secret_id(id)
            .resource_policy(policy)
            .block_public_policy(!allow_public);
        call!(self, "PutResourcePolicy", request).map(drop)
    }

    async fn create(&self, new: &NewSecret<'_>) -> Call<WrittenVersion> {
        let (string, binary) = sdk_value(new.value);
        let request = self
            .client
            .create_secret()
            .name(new.name)
            .client_request_token(new.token)
            .set_secret_string(string)
            .set_secret_binary(binary)
            .set_description(new.description.map(str::to_owned))
            .set_kms_key_id(new.kms_key_id.map(str::to_owned))
            .set_tags((!new.tags.is_empty()).then(|| sdk_tags(new.tags)))
            .set_add_replica_regions((!new.replicas.is_empty()).then(|| sdk_regions(new.replicas)));
        let (output, call) = call!(self, "CreateSecret", request)?;
        written_version(&call, output.arn, output.name, output.version_id)
    }

    async fn put_value(
        &self,
        id: &str,
        token: &str,
        value: &SecretValue,
        labels: &[&str],
    ) -> Call<LabeledVersion> {
        let (string, binary) = sdk_value(value);
        let request = self
            .client
            .put_secret_value()
            .secret_id(id)
            .client_request_token(token)
            .set_secret_string(string)
            .set_secret_binary(binary)
            // AWSCURRENT is the API's default. No condition key depends on the labels of a put.
            .set_version_stages(
                (*labels != [CURRENT])
                    .then(|| labels.iter().map(|&label| label.to_owned()).collect()),
            );
        let (output, call) = call!(self, "PutSecretValue", request)?;
        Ok(LabeledVersion {
            written: written_version(&call, output.arn, output.name, output.version_id)?,
            stages: call.labels(output.version_stages)?,
        })
    }

    async fn update(
        &self,
        id: &str,
        description: Option<&str>,
        kms_key_id: Option<&str>,
    ) -> Call<()> {
        let request = self
            .client
            .update_secret()
            .secret_id(id)
            .set_description(description.map(str::to_owned))
            .set_kms_key_id(kms_key_id.map(str::to_owned));
        call!(self, "UpdateSecret", request).map(drop)
    }

    async fn restore(&self, id: &str) -> Call<()> {
        let request = self.client.restore_secret().secret_id(id);
        call!(self, "RestoreSecret", request).map(drop)
    }

    async fn tag(&self, id: &str, tags: &BTreeMap<String, String>) -> Call<()> {
        let request = self.client.tag_resource().secret_id(id);
        call!(self, "TagResource", request.set_tags(Some(sdk_tags(tags)))).map(drop)
    }

    async fn untag(&self, id: &str, keys: &[String]) -> Call<()> {
        let request = self.client.untag_resource().secret_id(id);
        let request = request.set_tag_keys(Some(keys.to_vec()));
        call!(self, "UntagResource", request).map(drop)
    }

    async fn replicate(&self, id: &str, regions: &BTreeMap<String, Option<String>>) -> Call<()> {
        let request = self
            .client
            .replicate_secret_to_regions()
            .secret_id(id)
            .set_add_replica_regions(Some(sdk_regions(regions)));
        call!(self, "ReplicateSecretToRegions", request).map(drop)
    }

    async fn remove_replicas(&self, id: &str, regions: &[String]) -> Call<()> {
        let request = self
            .client
            .remove_regions_from_replication()
            .secret_id(id)
            .set_remove_replica_regions(Some(regions.to_vec()));
        call!(self, "RemoveRegionsFromReplication", request).map(drop)
    }

    async fn move_label(&self, id: &str, label: &str, from: Option<&str>, to: &str) -> Call<()> {
        self.update_label(id, label, from, Some(to)).await
    }

    async fn remove_label(&self, id: &str, label: &str, from: &str) -> Call<()> {
        self.update_label(id, label, Some(from), None).await
    }
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

fn sdk_regions(regions: &BTreeMap<String, Option<String>>) -> Vec<ReplicaRegionType> {
    regions
        .iter()
        .map(|(region, key)| {
            ReplicaRegionType::builder()
                .region(region)
                .set_kms_key_id(key.clone())
                .build()
        })
        .collect()
}
