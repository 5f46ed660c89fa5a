//! The store on Secrets Manager. One method is one operation, and one request that the SDK retries with the same token.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};

use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::state::{
    BatchEntry, SecretMetadata, SecretVersion, Validation, VersionInfo,
};
use upsert_secret_core::store::{
    Call, LabeledVersion, NewSecret, SecretStore, Subject, WrittenVersion,
};
use upsert_secret_core::value::SecretValue;

use crate::call_gate::CallGate;
use crate::diagnosis;
use crate::error::AwsError;
use crate::retry::QuotaIsFinal;

/// Sends one call of [`SecretsManager`]: the answer and the attempts it took.
macro_rules! call {
    ($store:expr, $operation:literal, $builder:expr) => {
        crate::call_gate::send!(&$store.gate, $operation, $builder)
            .map_err(|error: crate::error::AwsError| $store.store_error(error))
    };
}

mod label;
mod policy;
mod read;
mod replica;
mod write;

/// A client for one region.
#[derive(Clone)]
pub struct SecretsManager {
    client: Client,
    region: String,
    gate: Arc<CallGate>,
}

impl SecretsManager {
    pub(crate) fn new(shared: &SdkConfig, region: String, gate: Arc<CallGate>) -> Self {
        let mut config =
            aws_sdk_secretsmanager::config::Builder::from(shared).retry_classifier(QuotaIsFinal);
        if gate.is_rate_limited() {
            // The SDK stops retrying after a hundred retries that are under way; so many are no sign of anything
            // where dozens of calls are throttled at the same moment.
            let patient =
                RetryPartition::custom("many secrets").token_bucket(TokenBucket::unlimited());
            config = config.retry_partition(patient.build());
        }
        Self {
            client: Client::from_conf(config.build()),
            region,
            gate,
        }
    }

    /// The store's error for an error of the SDK.
    fn store_error(&self, error: AwsError) -> StoreError {
        diagnosis::store_error(error, &self.region)
    }
}

impl SecretStore for SecretsManager {
    fn region(&self) -> &str {
        &self.region
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
        diagnosis::of_store_error(error, subject, &self.region)
    }

    async fn describe(&self, id: &str) -> Call<Option<SecretMetadata>> {
        self.send_describe(id).await
    }

    async fn get_value(&self, id: &str, label: &str) -> Call<Option<SecretVersion>> {
        self.send_get_value(id, label).await
    }

    async fn batch_get_values(&self, ids: &[String]) -> Call<Vec<BatchEntry>> {
        self.send_batch_get_values(ids).await
    }

    async fn list_versions(&self, id: &str) -> Call<Vec<VersionInfo>> {
        self.send_list_versions(id).await
    }

    async fn get_policy(&self, id: &str) -> Call<Option<String>> {
        self.send_get_policy(id).await
    }

    async fn validate_policy(&self, id: &str, policy: &str) -> Call<Validation> {
        self.send_validate_policy(id, policy).await
    }

    async fn put_policy(&self, id: &str, policy: &str, allow_public: bool) -> Call<()> {
        self.send_put_policy(id, policy, allow_public).await
    }

    async fn create(&self, new: &NewSecret<'_>) -> Call<WrittenVersion> {
        self.send_create(new).await
    }

    async fn put_value(
        &self,
        id: &str,
        token: &str,
        value: &SecretValue,
        label: &str,
    ) -> Call<LabeledVersion> {
        self.send_put_value(id, token, value, label).await
    }

    async fn update(
        &self,
        id: &str,
        description: Option<&str>,
        kms_key_id: Option<&str>,
    ) -> Call<()> {
        self.send_update(id, description, kms_key_id).await
    }

    async fn restore(&self, id: &str) -> Call<()> {
        self.send_restore(id).await
    }

    async fn tag(&self, id: &str, tags: &BTreeMap<String, String>) -> Call<()> {
        self.send_tag(id, tags).await
    }

    async fn untag(&self, id: &str, keys: &[String]) -> Call<()> {
        self.send_untag(id, keys).await
    }

    async fn replicate(&self, id: &str, regions: &BTreeMap<String, Option<String>>) -> Call<()> {
        self.send_replicate(id, regions).await
    }

    async fn remove_replicas(&self, id: &str, regions: &[String]) -> Call<()> {
        self.send_remove_replicas(id, regions).await
    }

    async fn move_label(&self, id: &str, label: &str, from: Option<&str>, to: &str) -> Call<()> {
        self.send_move_label(id, label, from, Some(to)).await
    }

    async fn remove_label(&self, id: &str, label: &str, from: &str) -> Call<()> {
        self.send_move_label(id, label, Some(from), None).await
    }
}

/// An id or ARN shaped as AWS's are. Anything else is not Secrets Manager's answer and must not reach outputs.
fn plain(answer: Option<String>) -> Option<String> {
    answer.filter(|id| {
        !id.is_empty() && id.len() <= 2_048 && id.bytes().all(|b| b.is_ascii_graphic())
    })
}
