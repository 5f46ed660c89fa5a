//! The SDK's client for one region, and what all of its calls share: the gate, the conversion of errors, the check of
//! identifiers. It knows no operation.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::store::Call;

use crate::call_gate::CallGate;
use crate::diagnosis;
use crate::error::AwsError;
use crate::retry_classifier::QuotaIsFinal;

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
            // By default the SDK stops retrying after about a hundred retries in a short time, as a sign of an outage.
            // Where dozens of calls are throttled at the same moment, that many are normal.
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

/// Sends one call of an [`SdkClient`]. Yields the SDK's output and a [`CallInfo`].
macro_rules! call {
    ($sdk:expr, $operation:literal, $builder:expr) => {
        match crate::call_gate::send!(&$sdk.gate, $operation, $builder) {
            Ok((output, attempts)) => Ok((
                output,
                crate::client::sdk::CallInfo {
                    operation: $operation,
                    attempts,
                },
            )),
            Err(error) => Err($sdk.store_error(error)),
        }
    };
}
pub(super) use call;

/// The call that a response belongs to.
#[derive(Clone, Copy)]
pub(super) struct CallInfo {
    pub(super) operation: &'static str,
    pub(super) attempts: u32,
}

impl CallInfo {
    /// An identifier that the response must have.
    pub(super) fn identifier(self, text: Option<String>) -> Call<String> {
        identifier(text).ok_or_else(|| self.unreadable())
    }

    pub(super) fn unreadable(self) -> StoreError {
        StoreError {
            attempts: self.attempts,
            ..StoreError::new(self.operation, ErrorKind::Unreadable)
        }
    }
}

/// An id, name or ARN shaped as AWS's are. Anything else is not from Secrets Manager and must not reach outputs.
pub(super) fn identifier(text: Option<String>) -> Option<String> {
    text.filter(|id| id.len() <= 2_048 && id.bytes().all(|b| b.is_ascii_graphic()))
        .and_then(non_empty)
}

/// A text of a response; AWS sends some as empty rather than leave them out.
pub(super) fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_short_printable_ascii() {
        let longest = "x".repeat(2_048);
        for (text, valid) in [
            ("EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE", true),
            (
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf",
                true,
            ),
            (&longest, true),
            (&format!("{longest}x"), false),
            ("", false),
            ("a b", false),
            ("a\nsecret_id=b", false),
            ("Schlüssel", false),
        ] {
            assert_eq!(identifier(Some(text.to_owned())).is_some(), valid, "{text}");
        }
    }

    #[test]
    fn missing_identifier_is_unknown_outcome() {
        let call = CallInfo {
            operation: "PutSecretValue",
            attempts: 2,
        };
        let error = call.identifier(None).unwrap_err();
        assert!(error.is_unknown_outcome(), "{:?}", error.kind);
    }
}
