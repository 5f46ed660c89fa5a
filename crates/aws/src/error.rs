//! An SDK error reduced to what may be shown. Errors are told apart by `code()` and by type, never by their text, and
//! their text is never kept: the endpoint error, for one, contains the request.

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::fault::{IdTokenFault, NetworkFault, RoleFault};

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsError {
    /// The operation, as in IAM: `PutSecretValue`.
    pub(crate) operation: &'static str,
    /// What happened.
    pub(crate) kind: ErrorKind,
    /// AWS's id of the last answer.
    pub(crate) request_id: Option<String>,
    /// Attempts that were sent.
    pub(crate) attempts: u32,
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// AWS answered with an error.
    Service {
        /// The code, `AccessDeniedException`; of an answer that has none, `HTTP 502`.
        code: String,
        /// AWS's text; it may quote anything, so it is redacted like everything else.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// No answer in time; a write may have been applied.
    Timeout,
    /// No connection, or a broken one; a write may have been applied.
    Network(NetworkFault),
    /// No place in the credential chain had credentials.
    NoCredentials,
    /// A place had credentials, or should have, and they could not be loaded.
    BadCredentials,
    /// CI gave no OIDC token.
    IdToken(IdTokenFault),
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` names no file that holds a token.
    NoToken,
    /// STS did not give the role.
    Role(Box<RoleFault>),
    /// The credentials are of an account that is not in `allowed-account-ids`.
    ForeignAccount {
        /// Theirs.
        account: String,
    },
    /// An answer of success that cannot be read: a write was probably applied.
    Unreadable,
    /// The credentials that the call needed could not be had: it was never sent.
    Credentials(Box<AwsError>),
    /// The run was cancelled before the call was sent.
    Cancelled,
    /// A setting of the shared configuration files, or of the environment together with them.
    Setting {
        /// Its key.
        key: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Certificates that cannot be read: which variable, which file, and why.
    Trust(String),
    /// No region was configured.
    NoRegion,
    /// The request could not be built from the configuration.
    Setup,
}

// So that it survives a trip through the SDK's credential providers.
impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed", self.operation)
    }
}

impl StdError for AwsError {}

impl AwsError {
    /// An error of our own making.
    pub(crate) fn new(operation: &'static str, kind: ErrorKind) -> Self {
        Self {
            operation,
            kind,
            request_id: None,
            attempts: 0,
        }
    }

    /// Why there are no credentials.
    pub(crate) fn of_credentials(error: &CredentialsError) -> Self {
        chain(error)
            .find_map(|error| error.downcast_ref::<Self>())
            .cloned()
            .unwrap_or_else(|| {
                Self::new(
                    "credentials",
                    credentials(error).unwrap_or(ErrorKind::BadCredentials),
                )
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
        // Kept apart from what the call itself can end with: a role that is denied is no secret that
        // is denied, and what was not sent was not applied.
        if let Some(before) = chain(error).find_map(|error| error.downcast_ref::<Self>()) {
            return Self::new(operation, ErrorKind::Credentials(Box::new(before.clone())));
        }
        let kind = match error {
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                service(context.err(), status)
            }
            SdkError::TimeoutError(_) => ErrorKind::Timeout,
            SdkError::DispatchFailure(failure) => failure
                .as_connector_error()
                .map_or(ErrorKind::Setup, |error| {
                    credentials(error).unwrap_or_else(|| connection(error))
                }),
            SdkError::ResponseError(context) if context.raw().status().is_success() => {
                ErrorKind::Unreadable
            }
            SdkError::ResponseError(context) => {
                let status = context.raw().status().as_u16();
                ErrorKind::Service {
                    code: format!("HTTP {status}"),
                    message: String::new(),
                    status,
                }
            }
            other => credentials(other).unwrap_or(ErrorKind::Setup),
        };
        let request_id = error
            .raw_response()
            .and_then(|response| response.headers().get("x-amzn-requestid"))
            .filter(|id| is_code(id))
            .map(str::to_owned);
        Self {
            operation,
            kind,
            request_id,
            attempts,
        }
    }
}

fn service(error: &impl ProvideErrorMetadata, status: u16) -> ErrorKind {
    match error.code() {
        Some(code) => ErrorKind::Service {
            code: if is_code(code) {
                code.to_owned()
            } else {
                format!("HTTP {status}")
            },
            message: error.message().unwrap_or_default().to_owned(),
            status,
        },
        None if (200..300).contains(&status) => ErrorKind::Unreadable,
        None => ErrorKind::Service {
            code: format!("HTTP {status}"),
            message: String::new(),
            status,
        },
    }
}

/// Codes and ids end up in headlines: whoever answers in AWS's place must not write lines of ours.
fn is_code(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._- ".contains(&byte))
}

type Cause = dyn StdError + 'static;

/// An error and what it says caused it.
pub(crate) fn chain<'a>(error: &'a Cause) -> impl Iterator<Item = &'a Cause> {
    let mut next: Option<&'a Cause> = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

fn credentials(error: &Cause) -> Option<ErrorKind> {
    let why = chain(error).find_map(|error| error.downcast_ref::<CredentialsError>())?;
    let network = || chain(error).find_map(|error| error.downcast_ref::<NetworkFault>());
    Some(match why {
        CredentialsError::CredentialsNotLoaded(_) => ErrorKind::NoCredentials,
        _ => role_of_profile(error)
            .or_else(|| network().cloned().map(ErrorKind::Network))
            .unwrap_or(ErrorKind::BadCredentials),
    })
}

/// STS's refusal of a role that a profile names: the SDK asked for it, not we.
fn role_of_profile(error: &Cause) -> Option<ErrorKind> {
    chain(error).find_map(|error| {
        of_sts::<AssumeRoleError>(error).or_else(|| of_sts::<AssumeRoleWithWebIdentityError>(error))
    })
}

fn of_sts<E>(error: &Cause) -> Option<ErrorKind>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let SdkError::ServiceError(refusal) = error.downcast_ref::<SdkError<E, HttpResponse>>()? else {
        return None;
    };
    let status = refusal.raw().status().as_u16();
    let ErrorKind::Service { code, message, .. } = service(refusal.err(), status) else {
        return None;
    };
    Some(ErrorKind::Role(Box::new(RoleFault {
        role: "of the profile".to_owned(),
        code,
        message,
        status,
        claims: None,
    })))
}

/// Why a request found no connection, or lost it.
pub(crate) fn connection(error: &ConnectorError) -> ErrorKind {
    match chain(error).find_map(|error| error.downcast_ref::<NetworkFault>()) {
        Some(fault) => ErrorKind::Network(fault.clone()),
        None if error.is_timeout() => ErrorKind::Timeout,
        None => ErrorKind::Network(NetworkFault::Lost),
    }
}
