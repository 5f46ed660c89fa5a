//! Roles, assumed with an OIDC token or with other credentials. Each attempt uses a fresh token, because GitHub's expire
//! after five minutes. Tokens must not be kept.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::Client;
use aws_sdk_sts::types::Credentials as IssuedCredentials;
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::bounded;
use upsert_secret_core::claims::Claims;
use upsert_secret_core::connection::{Identity, Role, TokenSource};
use zeroize::Zeroizing;

use super::github;
use super::provider::CredentialSource;
use crate::call_gate::{CallGate, send};
use crate::error::{AwsError, ErrorKind};
use crate::fault::RoleFault;
use crate::http::Http;
use crate::retry_delay::wait_before_retry;

/// Retries after the first attempt. Their delays add up to 4 seconds; an attempt in which STS cannot fetch the identity
/// provider's keys takes 5 seconds more.
const RETRIES: u32 = 7;
/// The largest token file. STS accepts tokens of 20,000 characters.
const MAX_TOKEN_FILE: usize = 64 * 1024;

/// A role as a source of credentials.
pub(super) struct AssumedRole {
    identity: Arc<Identity>,
    /// Selects one of the identity's roles.
    select: fn(&Identity) -> Option<&Role>,
    sts: Client,
    http: Http,
    gate: Arc<CallGate>,
}

impl AssumedRole {
    pub(super) fn new(
        identity: &Arc<Identity>,
        select: fn(&Identity) -> Option<&Role>,
        config: &SdkConfig,
        http: &Http,
        gate: &Arc<CallGate>,
    ) -> Self {
        // `assume_with_retries` retries. The SDK would send the same token again.
        let config = aws_sdk_sts::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            identity: Arc::clone(identity),
            select,
            sts: Client::from_conf(config),
            http: http.clone(),
            gate: Arc::clone(gate),
        }
    }

    async fn assume_with_retries(&self, role: &Role) -> Result<IssuedCredentials, AwsError> {
        let mut backoff = Backoff::new(RETRIES);
        loop {
            let error = match self.assume(role).await {
                Ok(credentials) => return Ok(credentials),
                Err(error) => error,
            };
            if !is_transient(&error) || !wait_before_retry(&mut backoff).await {
                return Err(error);
            }
        }
    }

    async fn assume(&self, role: &Role) -> Result<IssuedCredentials, AwsError> {
        let seconds = i32::try_from(role.duration).ok();
        let (result, claims, operation) = match &role.source {
            TokenSource::Credentials { external_id } => {
                let sent = send!(
                    &self.gate,
                    "AssumeRole",
                    self.sts
                        .assume_role()
                        .role_arn(&role.arn)
                        .role_session_name(&role.session_name)
                        .set_external_id(external_id.clone())
                        .set_duration_seconds(seconds)
                );
                (
                    sent.map(|(output, _)| output.credentials),
                    None,
                    "AssumeRole",
                )
            }
            with_token => {
                let token = self.token(with_token).await?;
                let sent = send!(
                    &self.gate,
                    "AssumeRoleWithWebIdentity",
                    self.sts
                        .assume_role_with_web_identity()
                        .role_arn(&role.arn)
                        .role_session_name(&role.session_name)
                        .web_identity_token(token.as_str())
                        .set_duration_seconds(seconds)
                );
                (
                    sent.map(|(output, _)| output.credentials),
                    Some(Claims::parse(&token)),
                    "AssumeRoleWithWebIdentity",
                )
            }
        };
        result
            .map_err(|error| role_error(error, role, claims))?
            .ok_or_else(|| AwsError::new(operation, ErrorKind::Unreadable))
    }

    async fn token(&self, source: &TokenSource) -> Result<Zeroizing<String>, AwsError> {
        let token = match source {
            TokenSource::Github(request) => github::token(request, &self.http, &self.gate).await?,
            TokenSource::Token(token) => parse_token(token.expose())?,
            TokenSource::TokenFile(path) => {
                let path = path.clone();
                // A pipe without a writer blocks, and on this thread it would also block the run's timeout.
                let bytes = tokio::task::spawn_blocking(move || read_token_file(&path)).await;
                parse_token(&bytes.map_err(|_| token_file_error())??)?
            }
            TokenSource::Credentials { .. } => Zeroizing::default(),
        };
        self.gate.hide(token.as_bytes());
        Ok(token)
    }
}

impl CredentialSource for AssumedRole {
    const NAME: &'static str = "AssumedRole";

    async fn load(&self) -> Result<Credentials, CredentialsError> {
        let Some(role) = (self.select)(&self.identity) else {
            return Err(CredentialsError::not_loaded("no role"));
        };
        let issued = self
            .assume_with_retries(role)
            .await
            .map_err(CredentialsError::provider_error)?;
        for secret in [&issued.secret_access_key, &issued.session_token] {
            self.gate.hide(secret.as_bytes());
        }
        let expires = u64::try_from(issued.expiration.secs())
            .ok()
            .map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        Ok(Credentials::new(
            issued.access_key_id,
            issued.secret_access_key,
            Some(issued.session_token),
            expires,
            Self::NAME,
        ))
    }
}

/// Turns an error that STS returned into [`ErrorKind::Role`].
fn role_error(error: AwsError, role: &Role, claims: Option<Claims>) -> AwsError {
    let ErrorKind::Service {
        code,
        message,
        status,
    } = error.kind
    else {
        return error;
    };
    AwsError {
        kind: ErrorKind::Role(Box::new(RoleFault {
            role: role.arn.clone(),
            code,
            message,
            status,
            claims,
        })),
        ..error
    }
}

/// Whether a retry may help. It does if STS cannot reach the identity provider (aws-cli#7194), and for what the SDK retries
/// in other calls.
fn is_transient(error: &AwsError) -> bool {
    // Requests for a token have retries of their own.
    if !error.operation.starts_with("AssumeRole") {
        return false;
    }
    match &error.kind {
        ErrorKind::Timeout => true,
        ErrorKind::Network(fault) => !fault.is_permanent(),
        ErrorKind::Role(fault) => match fault.code.as_str() {
            "IDPCommunicationError" => true,
            "InvalidIdentityToken" => fault.message.contains("Couldn't retrieve verification key"),
            "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => true,
            _ => fault.status >= 500,
        },
        _ => false,
    }
}

fn read_token_file(path: &str) -> Result<Zeroizing<Vec<u8>>, AwsError> {
    std::fs::File::open(path)
        .and_then(|file| bounded::read(file, MAX_TOKEN_FILE))
        .ok()
        .flatten()
        .map(Zeroizing::new)
        .ok_or_else(token_file_error)
}

/// Trims white space, such as the line feed that `echo` adds, and rejects anything that cannot be a token.
fn parse_token(bytes: &[u8]) -> Result<Zeroizing<String>, AwsError> {
    let token = bytes.trim_ascii();
    str::from_utf8(token)
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
        .map(|text| Zeroizing::new(text.to_owned()))
        .ok_or_else(token_file_error)
}

fn token_file_error() -> AwsError {
    AwsError::new("AssumeRoleWithWebIdentity", ErrorKind::TokenFile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::NetworkFault;

    #[test]
    fn token_is_trimmed_and_printable() {
        for (text, token) in [
            ("made-up.token\n", Some("made-up.token")),
            (" made-up.token\r\n", Some("made-up.token")),
            ("", None),
            ("\n", None),
            ("two words", None),
            ("schlüssel", None),
        ] {
            let parsed = parse_token(text.as_bytes()).ok();
            assert_eq!(parsed.as_deref().map(String::as_str), token, "{text:?}");
        }
        assert_eq!(parse_token(b"\xff").err(), Some(token_file_error()));
    }

    #[test]
    fn only_transient_errors_are_retried() {
        let role = |code: &str, message: &str, status| {
            ErrorKind::Role(Box::new(RoleFault {
                role: String::new(),
                code: code.to_owned(),
                message: message.to_owned(),
                status,
                claims: None,
            }))
        };
        let lost = || ErrorKind::Network(NetworkFault::ConnectionLost);
        for (operation, kind, transient) in [
            ("AssumeRole", ErrorKind::Timeout, true),
            ("AssumeRole", lost(), true),
            ("GetIdToken", lost(), false),
            ("AssumeRole", role("Throttling", "", 400), true),
            ("AssumeRole", role("InternalFailure", "", 500), true),
            ("AssumeRole", role("IDPCommunicationError", "", 400), true),
            (
                "AssumeRoleWithWebIdentity",
                role(
                    "InvalidIdentityToken",
                    "Couldn't retrieve verification key",
                    400,
                ),
                true,
            ),
            (
                "AssumeRoleWithWebIdentity",
                role("InvalidIdentityToken", "", 400),
                false,
            ),
            ("AssumeRole", role("AccessDenied", "", 403), false),
            (
                "AssumeRole",
                ErrorKind::Network(NetworkFault::Tls {
                    host: String::new(),
                }),
                false,
            ),
        ] {
            let error = AwsError::new(operation, kind);
            assert_eq!(is_transient(&error), transient, "{error:?}");
        }
    }
}
