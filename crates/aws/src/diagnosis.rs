//! Errors in words: which class they are, what they mean, and what to do next.

use upsert_secret_core::error::{ErrorKind as StoreErrorKind, StoreError};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::store::Subject;

use crate::error::{AwsError, ErrorKind};

mod credentials;
mod network;
mod service;

/// The store's error for an error of a call. What only this crate can explain is explained here.
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
        ErrorKind::Network(_) => StoreErrorKind::Network(Box::new(own_words(&error, region))),
        _ => StoreErrorKind::NotSent(Box::new(own_words(&error, region))),
    };
    StoreError {
        operation: error.operation,
        kind,
        request_id: error.request_id,
        attempts: error.attempts,
    }
}

/// Explains an error of a call, or of what comes before the first call.
pub(crate) fn of_aws_error(error: &AwsError, subject: Subject<'_>, region: &str) -> Failure {
    of_store_error(&store_error(error.clone(), region), subject, region)
}

/// Explains an error that the engine has seen.
pub(crate) fn of_store_error(error: &StoreError, subject: Subject<'_>, region: &str) -> Failure {
    let failure = match &error.kind {
        StoreErrorKind::Network(failure) | StoreErrorKind::NotSent(failure) => {
            return (**failure).clone();
        }
        StoreErrorKind::Service { code, message, .. } => {
            service::of_code(error.operation, code, message, subject, region)
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

/// Explains what only this crate knows: the network, credentials, the configuration.
fn own_words(error: &AwsError, region: &str) -> Failure {
    let failure = match &error.kind {
        ErrorKind::Credentials(before) => {
            let subject = Subject {
                id: "the secret",
                name: "*",
                arn: None,
            };
            return of_aws_error(before, subject, region);
        }
        ErrorKind::Network(fault) => network::of_network(fault, region),
        ErrorKind::NoCredentials => credentials::none_found(),
        ErrorKind::IdToken(fault) => credentials::of_id_token(fault),
        ErrorKind::NoToken => credentials::no_token(),
        ErrorKind::Role(fault) => credentials::of_role(fault),
        ErrorKind::ForeignAccount { account } => credentials::foreign_account(account),
        ErrorKind::BadCredentials => credentials::not_loaded(),
        ErrorKind::Trust(why) => Failure::new(
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
        ErrorKind::Setup
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

/// Adds what AWS support asks for.
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
