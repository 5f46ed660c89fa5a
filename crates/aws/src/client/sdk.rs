//! The SDK's client for one region, and what every call of it has in common: the gate, the conversion of errors, the check
//! of identifiers. It knows no operation.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use upsert_secret_core::error::StoreError;

use crate::call_gate::CallGate;
use crate::diagnosis;
use crate::error::AwsError;
use crate::retry::QuotaIsFinal;

#[derive(Clone)]
pub(super) struct SdkClient {
    pub(super) client: Client,
    pub(super) region: String,
    pub(super) gate: Arc<CallGate>,
}

impl SdkClient {
    pub(super) fn new(config: &SdkConfig, region: String, gate: Arc<CallGate>) -> Self {
        let mut config =
            aws_sdk_secretsmanager::config::Builder::from(config).retry_classifier(QuotaIsFinal);
        if gate.is_rate_limited() {
            // The SDK stops retrying once about a hundred retries are under way. Where dozens of calls are throttled at
            // the same moment, that many are no sign of an outage.
            let unlimited =
                RetryPartition::custom("many secrets").token_bucket(TokenBucket::unlimited());
            config = config.retry_partition(unlimited.build());
        }
        Self {
            client: Client::from_conf(config.build()),
            region,
            gate,
        }
    }

    pub(super) fn store_error(&self, error: AwsError) -> StoreError {
        diagnosis::store_error(error, &self.region)
    }
}

/// Sends one call of an [`SdkClient`]: the output and the attempts it took.
macro_rules! call {
    ($sdk:expr, $operation:literal, $builder:expr) => {
        crate::call_gate::send!(&$sdk.gate, $operation, $builder)
            .map_err(|error| $sdk.store_error(error))
    };
}
pub(super) use call;

/// An identifier or ARN shaped as AWS's are. Anything else is not Secrets Manager's response and must not reach outputs.
pub(super) fn identifier(text: Option<String>) -> Option<String> {
    text.filter(|id| {
        !id.is_empty() && id.len() <= 2_048 && id.bytes().all(|b| b.is_ascii_graphic())
    })
}
