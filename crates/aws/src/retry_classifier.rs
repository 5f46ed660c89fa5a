//! The exception to the SDK's standard retries: quota errors are permanent.

use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use aws_sdk_secretsmanager::operation::update_secret::UpdateSecretError;
use aws_sdk_secretsmanager::operation::update_secret_version_stage::UpdateSecretVersionStageError;
use aws_smithy_runtime_api::client::interceptors::context::{Error, InterceptorContext};
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Prevents retries of LimitExceededException, which the SDK treats as throttling. In Secrets Manager, it means that a quota of
/// versions or labels is exhausted, which a retry cannot fix (terraform-provider-aws#47606: an hour of retries).
#[derive(Debug)]
pub(crate) struct QuotaIsFinal;

impl ClassifyRetry for QuotaIsFinal {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context
            .output_or_error()
            .and_then(|output| output.err())
            .and_then(|error| error.as_operation_error());
        let is_quota = error.is_some_and(|error| {
            is_quota::<CreateSecretError>(error)
                || is_quota::<PutSecretValueError>(error)
                || is_quota::<UpdateSecretError>(error)
                || is_quota::<UpdateSecretVersionStageError>(error)
        });
        if is_quota {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "quota errors are final"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

fn is_quota<E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static>(
    error: &Error,
) -> bool {
    error
        .downcast_ref::<E>()
        .is_some_and(|error| error.code() == Some("LimitExceededException"))
}
