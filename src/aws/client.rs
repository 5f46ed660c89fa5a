//! Secrets Manager as the calls we make, with our own types on both sides. One method, one
//! operation, one request that the SDK retries with the same token.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};

use super::gate::Gate;
use super::retry::QuotaIsFinal;
use crate::value::SecretValue;

mod label;
mod policy;
mod read;
mod replica;
mod write;

pub use policy::{Fault, Validation};

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
    /// Regions and the keys there; may be empty.
    pub replicas: &'a BTreeMap<String, Option<String>>,
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
        let mut config =
            aws_sdk_secretsmanager::config::Builder::from(shared).retry_classifier(QuotaIsFinal);
        if gate.is_paced() {
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

    /// The region it talks to.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether the run has been cancelled, and nothing more is sent.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.gate.is_closed()
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
}

/// An id as AWS makes them. Anything else is no answer of Secrets Manager's, and must not reach outputs.
fn plain(answer: Option<String>) -> Option<String> {
    answer.filter(|id| {
        !id.is_empty() && id.len() <= 2_048 && id.bytes().all(|b| b.is_ascii_graphic())
    })
}
