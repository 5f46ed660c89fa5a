//! Errors of the SDK, reduced to what may be shown. They are told apart by type and by `code()`, never by text. Their text
//! is never kept, because it can contain the request: the SDK's endpoint error does.

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError, ServiceError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use upsert_secret_core::claims::Claims;

use crate::fault::{NetworkFault, RoleFault};

#[cfg(test)]
mod tests;

/// A failed call, or a failure before the first call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AwsError {
    /// The operation, as IAM spells it: `PutSecretValue`.
    pub(crate) operation: &'static str,
    pub(crate) kind: ErrorKind,
    /// AWS's request id of the last response.
    pub(crate) request_id: Option<String>,
    /// Attempts that were sent.
    pub(crate) attempts: u32,
}

/// The cause of an [`AwsError`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ErrorKind {
    /// AWS returned an error.
    Service {
        /// `AccessDeniedException`; `HTTP 502` for a response without a code.
        code: String,
        /// AWS's text. It may quote anything, so it is redacted before it is printed.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// No response in time. A write may have been applied.
    Timeout,
    /// No connection, or a lost one. A write may have been applied.
    Network(NetworkFault),
    /// No source in the credential chain has credentials.
    NoCredentials,
    /// A source in the credential chain is configured, but its credentials cannot be loaded.
    InvalidCredentials,
    /// GitHub issued no OIDC token.
    IdTokenRejected {
        status: u16,
        /// GitHub's own, shortened; may be empty.
        message: String,
    },
    /// A response of GitHub's with status 200 that holds no OIDC token.
    IdTokenUnreadable,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` does not name a file with a token.
    TokenFile,
    /// STS rejected a role.
    Role(Box<RoleFault>),
    /// The credentials belong to an account that is not in `allowed-account-ids`.
    AccountNotAllowed { account: String },
    /// A response with a success status that cannot be parsed. A write was probably applied.
    Unreadable,
    /// The call needed credentials, and obtaining them failed. The call was not sent.
    Credentials(Box<AwsError>),
    /// The run was cancelled before the call was answered. A write that was sent may have been applied.
    Cancelled,
    /// An invalid setting in the shared configuration files or in the environment.
    Setting {
        key: &'static str,
        why: &'static str,
    },
    /// Trusted certificates that cannot be read: the variable, the file and the reason.
    Roots(String),
    /// No region is configured.
    NoRegion,
    /// The SDK cannot build the request from its configuration.
    Configuration,
}

impl ErrorKind {
    /// The same kind, but an error that STS returned to a request for `role` becomes [`Self::Role`].
    pub(crate) fn for_role(self, role: &str, claims: Option<Claims>) -> Self {
        match self {
            Self::Service {
                code,
                message,
                status,
            } => Self::Role(Box::new(RoleFault {
                role: role.to_owned(),
                code,
                message,
                status,
                claims,
            })),
            other => other,
        }
    }
}

// The SDK's credential providers carry this error as a source of their own.
impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed", self.operation)
    }
}

impl StdError for AwsError {}

impl AwsError {
    /// An error without a response, before any attempt.
    pub(crate) fn new(operation: &'static str, kind: ErrorKind) -> Self {
        Self {
            operation,
            kind,
            request_id: None,
            attempts: 0,
        }
    }

    pub(crate) fn from_credentials_error(error: &CredentialsError) -> Self {
        find_cause::<Self>(error).cloned().unwrap_or_else(|| {
            let kind = credentials_kind(error).unwrap_or(ErrorKind::InvalidCredentials);
            Self::new("credentials", kind)
        })
    }

    pub(crate) fn from_sdk<E>(
        operation: &'static str,
        attempts: u32,
        error: &SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        // A denied role is not a denied secret, and a call that was not sent was not applied: such errors must not look
        // like the call's own.
        if let Some(before) = find_cause::<Self>(error) {
            return Self::new(operation, ErrorKind::Credentials(Box::new(before.clone())));
        }
        let kind = match error {
            SdkError::ServiceError(context) => service_kind(context),
            SdkError::TimeoutError(_) => ErrorKind::Timeout,
            SdkError::DispatchFailure(failure) => failure
                .as_connector_error()
                .map_or(ErrorKind::Configuration, |error| {
                    credentials_kind(error).unwrap_or_else(|| connector_kind(error))
                }),
            SdkError::ResponseError(context) => {
                response_kind(None, None, context.raw().status().as_u16())
            }
            other => credentials_kind(other).unwrap_or(ErrorKind::Configuration),
        };
        let request_id = error
            .raw_response()
            .and_then(|response| response.headers().get("x-amzn-requestid"))
            .filter(|id| is_printable_code(id))
            .map(str::to_owned);
        Self {
            operation,
            kind,
            request_id,
            attempts,
        }
    }
}

fn service_kind<E: ProvideErrorMetadata>(context: &ServiceError<E, HttpResponse>) -> ErrorKind {
    let error = context.err();
    let status = context.raw().status().as_u16();
    response_kind(error.code(), error.message(), status)
}

/// The kind of a response that is not an output. Without a code it is not an error of AWS either.
fn response_kind(code: Option<&str>, message: Option<&str>, status: u16) -> ErrorKind {
    if code.is_none() && (200..300).contains(&status) {
        return ErrorKind::Unreadable;
    }
    ErrorKind::Service {
        code: code
            .filter(|code| is_printable_code(code))
            .map_or_else(|| format!("HTTP {status}"), str::to_owned),
        message: code.and(message).unwrap_or_default().to_owned(),
        status,
    }
}

/// Whether a code or request id can be printed in a headline. Anyone between this process and AWS can choose it, and it
/// must not start a line of its own.
fn is_printable_code(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._- ".contains(&byte))
}

type Cause = dyn StdError + 'static;

/// An error, its source, the source's source, and so on.
pub(crate) fn causes(error: &Cause) -> impl Iterator<Item = &Cause> {
    std::iter::successors(Some(error), |&cause| cause.source())
}

/// The first of an error's causes, itself included, that has the type `T`.
pub(crate) fn find_cause<T: StdError + 'static>(error: &Cause) -> Option<&T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The kind of an error that a credentials provider caused; `None` if none did.
fn credentials_kind(error: &Cause) -> Option<ErrorKind> {
    if let CredentialsError::CredentialsNotLoaded(_) = find_cause(error)? {
        return Some(ErrorKind::NoCredentials);
    }
    let network_fault = || find_cause(error).cloned().map(ErrorKind::Network);
    Some(
        sts_rejection::<AssumeRoleError>(error)
            .or_else(|| sts_rejection::<AssumeRoleWithWebIdentityError>(error))
            .or_else(network_fault)
            .unwrap_or(ErrorKind::InvalidCredentials),
    )
}

/// STS's rejection of a role that a profile names. The SDK requests such roles itself.
fn sts_rejection<E>(error: &Cause) -> Option<ErrorKind>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let SdkError::ServiceError(rejection) = find_cause::<SdkError<E, HttpResponse>>(error)? else {
        return None;
    };
    let kind = service_kind(rejection).for_role("of the profile", None);
    matches!(kind, ErrorKind::Role(_)).then_some(kind)
}

/// The kind of an error of the HTTP client.
pub(crate) fn connector_kind(error: &ConnectorError) -> ErrorKind {
    match find_cause(error).cloned() {
        Some(fault) => ErrorKind::Network(fault),
        None if error.is_timeout() => ErrorKind::Timeout,
        None => ErrorKind::Network(NetworkFault::ConnectionLost),
    }
}
