//! Explains errors to users: the class, the cause, and the next step. Must quote only an error's code, the message from AWS and
//! the request ID.

use upsert_secret_core::error::{ErrorKind as StoreErrorKind, StoreError};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::store::Subject;

use crate::caller::Caller;
use crate::error::{AwsError, ErrorKind};
use service::Situation;

mod credentials;
mod foreign;
mod network;
mod profile;
mod service;
mod services;
mod table;
#[cfg(test)]
mod tests;

/// Converts an error of a call to a store error. Explains causes here that the core crate does not know.
pub(crate) fn store_error(error: AwsError, caller: &Caller) -> StoreError {
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
        ErrorKind::NotAws { host, status } => StoreErrorKind::NotAws { host, status },
        ErrorKind::Cancelled => StoreErrorKind::Cancelled,
        ErrorKind::Network(fault) => {
            StoreErrorKind::Network(explained(network::explain(&fault, &caller.region), None))
        }
        ErrorKind::Role(fault) => {
            let failure = credentials::explain_role_fault(&fault);
            StoreErrorKind::NotSent(explained(failure, Some(&fault.code)))
        }
        ErrorKind::Credentials(before) => {
            let subject = Subject::new("the secret", "*");
            StoreErrorKind::NotSent(Box::new(explain_aws_error(*before, subject, caller)))
        }
        kind => StoreErrorKind::NotSent(explained(credentials::explain(&kind, caller.ci), None)),
    };
    StoreError {
        operation,
        kind,
        request_id,
        attempts,
    }
}

/// Explains an error of a call, or from before the first call.
pub(crate) fn explain_aws_error(error: AwsError, subject: Subject<'_>, caller: &Caller) -> Failure {
    explain(&store_error(error, caller), subject, caller)
}

/// Explains an error of the store.
pub(crate) fn explain(error: &StoreError, subject: Subject<'_>, caller: &Caller) -> Failure {
    let failure = match &error.kind {
        StoreErrorKind::Network(failure) | StoreErrorKind::NotSent(failure) => {
            return (**failure).clone();
        }
        StoreErrorKind::Service {
            code,
            message,
            status,
        } => service::explain(&Situation {
            operation: error.operation,
            code,
            message,
            status: *status,
            subject,
            caller,
        }),
        StoreErrorKind::Timeout => Failure::new(
            Class::Unavailable,
            format!("AWS did not respond to {} in time", error.operation),
            "run again: a write that arrived is found and kept; if it happens again, check the network, the proxy and the AWS Health Dashboard",
        ),
        StoreErrorKind::Unreadable => Failure::new(
            Class::Unavailable,
            format!("the response to {} could not be read", error.operation),
            "run again: a write that was applied is found and kept; if it happens again, look for a proxy that changes responses",
        ),
        StoreErrorKind::NotAws { host, status } => {
            foreign::explain_not_aws(error.operation, host, *status)
        }
        StoreErrorKind::Inconsistent => Failure::new(
            Class::Unavailable,
            "the secret kept changing while it was read",
            "run again when no other writer is active",
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
