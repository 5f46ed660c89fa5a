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
    let AwsError {
        operation,
        kind,
        request_id,
        attempts,
    } = error;
    let explained = |failure: Failure, code| {
        let aws = reference(operation, code, request_id.as_deref(), attempts);
        Box::new(Failure { aws, ..failure })
    };
    let kind = match kind {
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
        ErrorKind::Network(fault) => {
            StoreErrorKind::Network(explained(network::explain(&fault, region), None))
        }
        ErrorKind::Role(fault) => {
            let failure = credentials::explain_role_fault(&fault);
            StoreErrorKind::NotSent(explained(failure, Some(&fault.code)))
        }
        ErrorKind::Credentials(before) => {
            let subject = Subject {
                id: "the secret",
                name: "*",
                arn: None,
            };
            StoreErrorKind::NotSent(Box::new(explain_aws_error(*before, subject, region)))
        }
        kind => StoreErrorKind::NotSent(explained(credentials::explain(&kind), None)),
    };
    StoreError {
        operation,
        kind,
        request_id,
        attempts,
    }
}

/// Explains an error of a call, or from before the first call.
pub(crate) fn explain_aws_error(error: AwsError, subject: Subject<'_>, region: &str) -> Failure {
    explain(&store_error(error, region), subject, region)
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
        StoreErrorKind::Cancelled => Failure::new(
            Class::Terminated,
            "the run was cancelled",
            "run again: a write that arrived is found and kept",
        ),
    };
    let aws = reference(
        error.operation,
        error.code(),
        error.request_id.as_deref(),
        error.attempts,
    );
    Failure { aws, ..failure }
}

/// The details that AWS support needs; `None` if nothing was sent.
fn reference(
    operation: &str,
    code: Option<&str>,
    request_id: Option<&str>,
    attempts: u32,
) -> Option<String> {
    let mut reference = vec![operation.to_owned()];
    reference.extend(code.map(str::to_owned));
    reference.extend(request_id.map(|id| format!("request id {id}")));
    if attempts > 1 {
        reference.push(format!("{attempts} attempts"));
    }
    (attempts > 0).then(|| reference.join(", "))
}
