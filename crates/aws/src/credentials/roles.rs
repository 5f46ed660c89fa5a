//! Roles from STS, assumed with an OIDC token or with other credentials. Each attempt presents a fresh token, because
//! GitHub's lives for five minutes and may be what STS rejected.

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
use crate::retry_delay::wait;

/// The first and seven more: 4 seconds of waiting in all, and where STS cannot reach the provider's
/// keys five more for each attempt.
const RETRIES: u32 = 7;
/// The largest token file that is read; STS takes 20,000 characters.
const MAX_TOKEN_FILE: usize = 64 * 1024;

/// A role as a source of credentials.
pub(super) struct AssumedRole {
    identity: Arc<Identity>,
    /// Which of the identity's roles.
    pick: fn(&Identity) -> Option<&Role>,
    sts: Client,
    http: Http,
    gate: Arc<CallGate>,
}

impl AssumedRole {
    pub(super) fn new(
        identity: &Arc<Identity>,
        pick: fn(&Identity) -> Option<&Role>,
        config: &SdkConfig,
        http: &Http,
        gate: &Arc<CallGate>,
    ) -> Self {
        // Our own loop retries: the SDK's would show the same token again.
        let config = aws_sdk_sts::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            identity: Arc::clone(identity),
            pick,
            sts: Client::from_conf(config),
            http: http.clone(),
            gate: Arc::clone(gate),
        }
    }

    async fn issued(&self, role: &Role) -> Result<IssuedCredentials, AwsError> {
        let mut backoff = Backoff::new(RETRIES);
        loop {
            let error = match self.assume(role).await {
                Ok(issued) => return Ok(issued),
                Err(error) => error,
            };
            if !is_transient(&error) || !wait(&mut backoff).await {
                return Err(error);
            }
        }
    }

    async fn assume(&self, role: &Role) -> Result<IssuedCredentials, AwsError> {
        let seconds = i32::try_from(role.duration).ok();
        let (answer, claims, operation) = match &role.source {
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
                    sent.map(|(answer, _)| answer.credentials),
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
                    sent.map(|(answer, _)| answer.credentials),
                    Some(Claims::parse(&token)),
                    "AssumeRoleWithWebIdentity",
                )
            }
        };
        answer
            .map_err(|error| of_role(error, role, claims))?
            .ok_or_else(|| AwsError::new(operation, ErrorKind::Unreadable))
    }

    async fn token(&self, source: &TokenSource) -> Result<Zeroizing<String>, AwsError> {
        let token = match source {
            TokenSource::Github(request) => github::token(request, &self.http, &self.gate).await?,
            TokenSource::Token(token) => text(token.expose())?,
            TokenSource::TokenFile(path) => {
                let path = path.clone();
                // Not here: a pipe that nobody writes to would stop the clock, too.
                let bytes = tokio::task::spawn_blocking(move || read(&path)).await;
                text(&bytes.map_err(|_| no_token())??)?
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
        let Some(role) = (self.pick)(&self.identity) else {
            return Err(CredentialsError::not_loaded("no role"));
        };
        let issued = self
            .issued(role)
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

/// A refusal of STS's is about the role; anything else is what it is.
fn of_role(error: AwsError, role: &Role, claims: Option<Claims>) -> AwsError {
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

/// What is known to pass: STS without a line to the provider of the token (aws-cli#7194), and what
/// every AWS call is tried again for.
fn is_transient(error: &AwsError) -> bool {
    // A token that could not be had was tried for often enough.
    if !error.operation.starts_with("AssumeRole") {
        return false;
    }
    match &error.kind {
        ErrorKind::Timeout => true,
        ErrorKind::Network(fault) => !fault.is_lasting(),
        ErrorKind::Role(fault) => match fault.code.as_str() {
            "IDPCommunicationError" => true,
            "InvalidIdentityToken" => fault.message.contains("Couldn't retrieve verification key"),
            "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => true,
            _ => fault.status >= 500,
        },
        _ => false,
    }
}

/// Reads the file each time, because other processes renew it.
fn read(path: &str) -> Result<Zeroizing<Vec<u8>>, AwsError> {
    std::fs::File::open(path)
        .and_then(|file| bounded::read(file, MAX_TOKEN_FILE))
        .ok()
        .flatten()
        .map(Zeroizing::new)
        .ok_or_else(no_token)
}

/// A token without what an editor or `echo` left around it.
fn text(bytes: &[u8]) -> Result<Zeroizing<String>, AwsError> {
    let token = bytes.trim_ascii();
    str::from_utf8(token)
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
        .map(|text| Zeroizing::new(text.to_owned()))
        .ok_or_else(no_token)
}

fn no_token() -> AwsError {
    AwsError::new("AssumeRoleWithWebIdentity", ErrorKind::NoToken)
}
