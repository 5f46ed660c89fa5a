//! Explanations of errors for people: the class, the cause, and what to do next. Only an error's code, AWS's message and the
//! request id may be quoted.

use upsert_secret_core::error::{ErrorKind as StoreErrorKind, StoreError};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::store::Subject;

use crate::error::{AwsError, ErrorKind};

mod credentials;
mod network;
mod service;
#[cfg(test)]
mod tests;

/// Converts an error of a call to the store's. Causes that core does not know are explained here.
pub(crate) fn store_error(error: AwsError, region: &str) -> StoreError {
    let kind = match error.kind {
        ErrorKind::Service {
            code,
            message,
            status,
        } => StoreErrorKind::Service {
            code,
            message,
            status,
        },
        ErrorKind::Timeout => StoreErrorKind::Timeout,
        ErrorKind::Unreadable => StoreErrorKind::Unreadable,
        ErrorKind::Cancelled => StoreErrorKind::Cancelled,
        ErrorKind::Network(_) => {
            StoreErrorKind::Network(Box::new(explain_local_error(&error, region)))
        }
        _ => StoreErrorKind::NotSent(Box::new(explain_local_error(&error, region))),
    };
    StoreError {
        operation: error.operation,
        kind,
        request_id: error.request_id,
        attempts: error.attempts,
    }
}

/// Explains an error of a call, or from before the first call.
pub(crate) fn explain_aws_error(error: &AwsError, subject: Subject<'_>, region: &str) -> Failure {
    explain(&store_error(error.clone(), region), subject, region)
}

/// Explains an error of the store.
pub(crate) fn explain(error: &StoreError, subject: Subject<'_>, region: &str) -> Failure {
    let failure = match &error.kind {
        StoreErrorKind::Network(failure) | StoreErrorKind::NotSent(failure) => {
            return (**failure).clone();
        }
        StoreErrorKind::Service { code, message, .. } => {
            service::explain(error.operation, code, message, subject, region)
        }
        StoreErrorKind::Timeout => Failure::new(
            Class::Unavailable,
            format!("AWS did not answer {} in time", error.operation),
            "run again: a write that arrived is found and kept; if it goes on, look at the network, the proxy and the AWS health page",
        ),
        StoreErrorKind::Unreadable => Failure::new(
            Class::Unavailable,
            format!("the answer to {} could not be read", error.operation),
            "run again: a write that was applied is found and kept; if it goes on, look for a proxy that changes answers",
        ),
        StoreErrorKind::Inconsistent => Failure::new(
            Class::Unavailable,
            "the secret kept changing while it was read",
            "run again when nobody else writes to it",
        ),
        StoreErrorKind::Cancelled => {
            Failure::new(Class::Terminated, "the run was cancelled", "run again")
        }
    };
    with_reference(
        failure,
        error.operation,
        error.code(),
        error.request_id.as_deref(),
        error.attempts,
    )
}

/// Explains an error of the network, the credentials or the configuration.
fn explain_local_error(error: &AwsError, region: &str) -> Failure {
    let failure = match &error.kind {
        ErrorKind::Credentials(before) => {
            let subject = Subject {
                id: "the secret",
                name: "*",
                arn: None,
            };
            return explain_aws_error(before, subject, region);
        }
        ErrorKind::Network(fault) => network::explain(fault, region),
        ErrorKind::NoCredentials => credentials::none_found(),
        ErrorKind::IdTokenRejected { status, message } => {
            credentials::id_token_rejected(*status, message)
        }
        ErrorKind::IdTokenUnreadable => Failure::new(
            Class::Unavailable,
            "GitHub's answer to the request for an OIDC token could not be read",
            "run again; if it goes on, look for a proxy that changes answers, and at githubstatus.com",
        ),
        ErrorKind::TokenFile => credentials::token_file_unusable(),
        ErrorKind::Role(fault) => credentials::explain_role_fault(fault),
        ErrorKind::AccountNotAllowed { account } => credentials::account_not_allowed(account),
        ErrorKind::InvalidCredentials => credentials::not_loaded(),
        ErrorKind::Roots(why) => Failure::new(
            Class::Input,
            why.clone(),
            "correct the input; nothing was sent to AWS",
        ),
        ErrorKind::Setting { key, why } => Failure::new(
            Class::Input,
            format!("{key} {why}"),
            "correct it in the profile of the shared configuration files, or in the AWS_… variable of that name",
        ),
        ErrorKind::NoRegion => Failure::new(
            Class::Input,
            "no AWS region is configured",
            "set the input `aws-region`, or AWS_REGION, or a region in the profile",
        ),
        ErrorKind::Configuration
        | ErrorKind::Service { .. }
        | ErrorKind::Timeout
        | ErrorKind::Unreadable
        | ErrorKind::Cancelled => Failure::new(
            Class::Input,
            "the request could not be made from the AWS configuration",
            "check endpoint_url, region and the other settings of the profile and of the AWS_… variables",
        ),
    };
    let code = match &error.kind {
        ErrorKind::Role(fault) => Some(fault.code.as_str()),
        _ => None,
    };
    with_reference(
        failure,
        error.operation,
        code,
        error.request_id.as_deref(),
        error.attempts,
    )
}

/// Adds the details that AWS support needs.
fn with_reference(
    failure: Failure,
    operation: &str,
    code: Option<&str>,
    request_id: Option<&str>,
    attempts: u32,
) -> Failure {
    let mut reference = vec![operation.to_owned()];
    reference.extend(code.map(str::to_owned));
    reference.extend(request_id.map(|id| format!("request id {id}")));
    if attempts > 1 {
        reference.push(format!("{attempts} attempts"));
    }
    Failure {
        aws: (attempts > 0).then(|| reference.join(", ")),
        ..failure
    }
}
