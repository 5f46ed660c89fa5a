//! An SDK error reduced to what may be shown. Errors are told apart by `code()` and by type, never
//! by their text, and their text is never kept: the endpoint error, for one, contains the request.

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::credentials::{IdTokenFault, RoleFault};
use super::http::Distrust;

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// The operation, as in IAM: `PutSecretValue`.
    pub operation: &'static str,
    /// What happened.
    pub kind: ErrorKind,
    /// AWS's id of the last answer.
    pub request_id: Option<String>,
    /// Attempts that were sent.
    pub attempts: u32,
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
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
    /// Two reads never told the same story.
    Incoherent,
    /// A setting of the shared configuration files, or of the environment together with them.
    Setting {
        /// Its key.
        key: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No region was configured.
    NoRegion,
    /// The request could not be built from the configuration.
    Setup,
}

/// Why there was no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkFault {
    /// The host name has no address.
    Dns {
        /// The server's name or address.
        host: String,
    },
    /// Nobody listens there.
    Refused {
        /// The server's name or address.
        host: String,
    },
    /// No connection within the time for one.
    Slow {
        /// The server's, or the proxy's, name or address.
        host: String,
    },
    /// The server's, or the proxy's, certificate.
    Untrusted(Distrust),
    /// The other side speaks no TLS, or none that we do.
    Tls {
        /// The server's name or address.
        host: String,
    },
    /// The proxy.
    Proxy {
        /// Its name or address, without credentials.
        proxy: String,
        /// What it did.
        why: ProxyFault,
    },
    /// Any other end of a connection that was being made.
    Broken {
        /// The server's name or address.
        host: String,
    },
    /// The end of a connection in use.
    Lost,
}

/// What a proxy did instead of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// Its name has no address.
    Dns,
    /// It could not be connected to.
    Unreachable,
    /// It took the connection, and did not go on in time.
    Slow,
    /// It speaks no TLS although its URL says so.
    Tls,
    /// It answered CONNECT with this HTTP status.
    Status(u16),
    /// It hung up, or its answer could not be read.
    Broken,
}

impl NetworkFault {
    /// Whether the next attempt would end the same.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::Untrusted(_) | Self::Tls { .. } => true,
            Self::Proxy { why, .. } => match why {
                ProxyFault::Tls => true,
                ProxyFault::Status(status) => *status < 500,
                _ => false,
            },
            _ => false,
        }
    }
}

impl fmt::Display for NetworkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no connection")
    }
}

impl StdError for NetworkFault {}

// So that it survives a trip through the SDK's credential providers.
impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed", self.operation)
    }
}

impl StdError for AwsError {}

impl AwsError {
    /// An error of our own making.
    #[must_use]
    pub fn new(operation: &'static str, kind: ErrorKind) -> Self {
        Self {
            operation,
            kind,
            request_id: None,
            attempts: 0,
        }
    }

    /// AWS's code, where it answered this very call with one. A role that was denied on the way is not
    /// a secret that is denied.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.kind {
            ErrorKind::Service { code, .. } => Some(code),
            _ => None,
        }
    }

    /// AWS's text, where it answered. It may quote anything.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match &self.kind {
            ErrorKind::Service { message, .. } => Some(message),
            _ => None,
        }
    }

    /// Whether the answer to UpdateSecretVersionStage says that the labels are not where they were seen. Which
    /// code that has is not documented, and differs by what is amiss.
    #[must_use]
    pub fn is_lost_swap(&self) -> bool {
        [
            "InvalidParameterException",
            "InvalidRequestException",
            "ResourceNotFoundException",
        ]
        .iter()
        .any(|code| self.is(code))
    }

    /// Whether AWS answered with this code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code() == Some(code)
    }

    /// Whether a write may have been applied all the same.
    #[must_use]
    pub fn is_unknown_outcome(&self) -> bool {
        self.attempts > 0
            && matches!(
                self.kind,
                ErrorKind::Timeout | ErrorKind::Network(_) | ErrorKind::Unreadable
            )
    }

    /// Why there are no credentials.
    pub(super) fn of_credentials(error: &CredentialsError) -> Self {
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

    pub(super) fn from_sdk<E>(
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
pub(super) fn chain<'a>(error: &'a Cause) -> impl Iterator<Item = &'a Cause> {
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
pub(super) fn connection(error: &ConnectorError) -> ErrorKind {
    match chain(error).find_map(|error| error.downcast_ref::<NetworkFault>()) {
        Some(fault) => ErrorKind::Network(fault.clone()),
        None if error.is_timeout() => ErrorKind::Timeout,
        None => ErrorKind::Network(NetworkFault::Lost),
    }
}
