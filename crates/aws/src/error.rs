//! SDK errors, reduced to what may be shown. Distinguishes them by type and by `code()`, never by text. Must not keep their
//! text, because it can contain the request: the text of the SDK's endpoint error does.

use std::error::Error as StdError;
use std::fmt;
use upsert_secret_core::quote::{ForeignText, is_uuid};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError, ServiceError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use upsert_secret_core::claims::Claims;

use crate::fault::{MissingProfile, NetworkFault, Responder, RoleFault, ServiceFault};

#[cfg(test)]
mod tests;

/// A failed call, or a failure before the first call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AwsError {
    /// The operation, as IAM spells it: `PutSecretValue`.
    pub(crate) operation: &'static str,
    pub(crate) kind: ErrorKind,
    /// The AWS request ID of the last response.
    pub(crate) request_id: Option<String>,
    /// The number of attempts sent.
    pub(crate) attempts: u32,
}

/// The cause of an [`AwsError`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ErrorKind {
    /// AWS returned an error.
    Service {
        /// `AccessDeniedException`; `HTTP 502` for a response without a code.
        code: String,
        /// The text from AWS. It may quote anything, so it is redacted before it is printed.
        message: ForeignText,
        /// The HTTP status.
        status: u16,
    },
    /// No response within the time limit. A write may have been applied.
    Timeout,
    /// No connection, or a lost one. A write may have been applied.
    Network(NetworkFault),
    /// No source in the credential chain has credentials.
    NoCredentials,
    /// A source in the credential chain is configured, but its credentials cannot be loaded.
    InvalidCredentials,
    /// The credential service of the container has no credentials.
    CredentialService(Box<ServiceFault>),
    /// No source in the credential chain has credentials, and the instance metadata service failed.
    InstanceMetadata(Box<ServiceFault>),
    /// GitHub issued no OIDC token.
    IdTokenRejected {
        status: u16,
        /// GitHub's message, shortened; may be empty.
        message: ForeignText,
    },
    /// A response to the request for an OIDC token that did not come from GitHub: it contains neither a token nor a message.
    NotGithub {
        /// The host that the request was sent to.
        host: String,
        status: u16,
    },
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` does not name a file with a token.
    TokenFile,
    /// The operating system permits no more threads.
    NoThread,
    /// STS rejected a role.
    Role(Box<RoleFault>),
    /// The credentials belong to an account that is not in `allowed-account-ids`.
    AccountNotAllowed { account: String },
    /// A response with a success status that cannot be parsed. A write was probably applied.
    Unreadable,
    /// A response that did not come from AWS: it has neither an error code nor a request ID from AWS.
    NotAws {
        /// The host that the request was sent to.
        host: String,
        status: u16,
    },
    /// The call needed credentials, and obtaining them failed. The call was not sent.
    Credentials(Box<AwsError>),
    /// The run was canceled before the response arrived. A write may have been applied.
    Cancelled,
    /// An invalid setting in the shared configuration files or in the environment.
    Setting {
        key: &'static str,
        why: &'static str,
    },
    /// A shared configuration file that cannot be read or parsed: its path and the reason.
    SharedFile(String),
    /// A profile that the run needs does not exist.
    MissingProfile(Box<MissingProfile>),
    /// Trusted certificates that cannot be read: the variable, the file and the reason.
    Roots(String),
    /// No region is configured.
    NoRegion,
    /// The SDK cannot build the request from its configuration.
    Configuration,
}

impl ErrorKind {
    /// The same kind, except that an error that STS returned to a request for `role` becomes [`Self::Role`].
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

// The SDK's credential providers carry this error as their source.
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
        // A denied role is not a denied secret, and a call that was not sent was not applied: such errors must not look like
        // errors of the call itself.
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
            SdkError::ResponseError(context) => response_kind(None, None, context.raw()),
            other => credentials_kind(other).unwrap_or(ErrorKind::Configuration),
        };
        let request_id = error.raw_response().and_then(request_id).map(str::to_owned);
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
    response_kind(error.code(), error.message(), context.raw())
}

/// The AWS request ID of a response, if it can be printed.
pub(crate) fn request_id(response: &HttpResponse) -> Option<&str> {
    let id = response.headers().get("x-amzn-requestid");
    id.filter(|id| is_uuid(id))
}

/// The kind of a response that is neither an output nor an error, and has no request ID from AWS.
pub(crate) fn not_aws(response: &HttpResponse) -> ErrorKind {
    ErrorKind::NotAws {
        host: Responder::of(response),
        status: response.status().as_u16(),
    }
}

/// The kind of a response that is not an output.
fn response_kind(code: Option<&str>, message: Option<&str>, response: &HttpResponse) -> ErrorKind {
    let status = response.status().as_u16();
    if code.is_none() && request_id(response).is_none() {
        return not_aws(response);
    }
    if code.is_none() && response.status().is_success() {
        return ErrorKind::Unreadable;
    }
    ErrorKind::Service {
        code: shown_code(code, status),
        message: ForeignText::new(code.and(message).unwrap_or_default()),
        status,
    }
}

/// A printable code: the one from AWS, or the HTTP status instead.
pub(crate) fn shown_code(code: Option<&str>, status: u16) -> String {
    code.filter(|code| is_code(code))
        .map_or_else(|| format!("HTTP {status}"), str::to_owned)
}

/// Whether a text has the format of an AWS code. Anyone between this process and AWS can choose it.
fn is_code(text: &str) -> bool {
    let ends = [
        "Exception",
        "Error",
        "Failure",
        "Fault",
        "Denied",
        "Expired",
        "Token",
        "Claim",
        "Disabled",
        "Limit",
        "Match",
        "Throttling",
        "Unavailable",
        "Id",
        "Exceeded",
        "Required",
        "Signature",
        "Skewed",
    ];
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic())
        && ends.iter().any(|end| text.ends_with(end))
}

type Cause = dyn StdError + 'static;

/// An error, its source, the source's source, and so on.
pub(crate) fn causes(error: &Cause) -> impl Iterator<Item = &Cause> {
    std::iter::successors(Some(error), |&cause| cause.source())
}

/// The first error of type `T` among an error and its causes.
pub(crate) fn find_cause<T: StdError + 'static>(error: &Cause) -> Option<&T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The kind of an error caused by a credentials provider; `None` if none caused it.
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

/// The STS rejection of a role named in a profile. The SDK requests such roles itself.
fn sts_rejection<E>(error: &Cause) -> Option<ErrorKind>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let SdkError::ServiceError(rejection) = find_cause::<SdkError<E, HttpResponse>>(error)? else {
        return None;
    };
    let kind = service_kind(rejection).for_role("of the profile", None);
    matches!(kind, ErrorKind::Role(_) | ErrorKind::NotAws { .. }).then_some(kind)
}

/// The kind of an error of the HTTP client.
pub(crate) fn connector_kind(error: &ConnectorError) -> ErrorKind {
    match find_cause(error).cloned() {
        Some(fault) => ErrorKind::Network(fault),
        None if error.is_timeout() => ErrorKind::Timeout,
        None => ErrorKind::Network(NetworkFault::ConnectionLost),
    }
}
