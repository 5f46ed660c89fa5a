//! `SecretStore` on AWS Secrets Manager. One method is one operation, and one request that the SDK retries with the same
//! token. The requests are in the children, by kind; this file only implements the trait.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::SdkConfig;
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
use sdk::SdkClient;

mod policy;
mod read;
mod replica;
mod sdk;
mod write;

/// The secrets of one account in one region of AWS.
#[derive(Clone)]
pub struct SecretsManager(SdkClient);

impl SecretsManager {
    pub(crate) fn new(config: &SdkConfig, region: String, gate: Arc<CallGate>) -> Self {
        Self(SdkClient::new(config, region, gate))
    }
}

impl SecretStore for SecretsManager {
    fn region(&self) -> &str {
        &self.0.region
    }

    fn is_cancelled(&self) -> bool {
        self.0.gate.is_closed()
    }

    fn for_cleanup(&self) -> Self {
        Self(SdkClient {
            gate: Arc::new(self.0.gate.reopened()),
            ..self.0.clone()
        })
    }

    fn diagnose(&self, error: &StoreError, subject: Subject<'_>) -> Failure {
        diagnosis::explain(error, subject, &self.0.region)
    }

    async fn describe(&self, id: &str) -> Call<Option<SecretMetadata>> {
        self.0.describe(id).await
    }

    async fn get_value(&self, id: &str, label: &str) -> Call<Option<SecretVersion>> {
        self.0.get_value(id, label).await
    }

    async fn batch_get_values(&self, ids: &[String]) -> Call<Vec<BatchEntry>> {
        self.0.batch_get_values(ids).await
    }

    async fn list_versions(&self, id: &str) -> Call<Vec<VersionInfo>> {
        self.0.list_versions(id).await
    }

    async fn get_policy(&self, id: &str) -> Call<Option<String>> {
        self.0.get_policy(id).await
    }

    async fn validate_policy(&self, id: &str, policy: &str) -> Call<Validation> {
        self.0.validate_policy(id, policy).await
    }

    async fn put_policy(&self, id: &str, policy: &str, allow_public: bool) -> Call<()> {
        self.0.put_policy(id, policy, allow_public).await
    }

    async fn create(&self, new: &NewSecret<'_>) -> Call<WrittenVersion> {
        self.0.create(new).await
    }

    async fn put_value(
        &self,
        id: &str,
        token: &str,
        value: &SecretValue,
        label: &str,
    ) -> Call<LabeledVersion> {
        self.0.put_value(id, token, value, label).await
    }

    async fn update(
        &self,
        id: &str,
        description: Option<&str>,
        kms_key_id: Option<&str>,
    ) -> Call<()> {
        self.0.update(id, description, kms_key_id).await
    }

    async fn restore(&self, id: &str) -> Call<()> {
        self.0.restore(id).await
    }

    async fn tag(&self, id: &str, tags: &BTreeMap<String, String>) -> Call<()> {
        self.0.tag(id, tags).await
    }

    async fn untag(&self, id: &str, keys: &[String]) -> Call<()> {
        self.0.untag(id, keys).await
    }

    async fn replicate(&self, id: &str, regions: &BTreeMap<String, Option<String>>) -> Call<()> {
        self.0.replicate(id, regions).await
    }

    async fn remove_replicas(&self, id: &str, regions: &[String]) -> Call<()> {
        self.0.remove_replicas(id, regions).await
    }

    async fn move_label(&self, id: &str, label: &str, from: Option<&str>, to: &str) -> Call<()> {
        self.0.move_label(id, label, from, Some(to)).await
    }

    async fn remove_label(&self, id: &str, label: &str, from: &str) -> Call<()> {
        self.0.move_label(id, label, Some(from), None).await
    }
}
