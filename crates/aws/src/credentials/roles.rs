//! Assumes roles, with an OIDC token or with other credentials. Each attempt uses a new token, because GitHub's tokens expire
//! after five minutes. Tokens must not be stored.

use std::sync::Arc;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::Client;
use aws_sdk_sts::types::Credentials as IssuedCredentials;
use upsert_secret_core::bounded;
use upsert_secret_core::claims::Claims;
use upsert_secret_core::connection::{Role, TokenSource};
use zeroize::Zeroizing;

use super::github;
use super::retry::with_retries;
use crate::call_gate::{CallGate, send};
use crate::clock::Correction;
use crate::error::{AwsError, ErrorKind};
use crate::http::Http;
use crate::thread;

/// The maximum size of a token file. STS accepts tokens of 20,000 characters.
const MAX_TOKEN_FILE: usize = 64 * 1024;

/// The credentials of a role. `config` has the credentials for assuming it, unless a token is used.
pub(super) fn provider(
    role: &Arc<Role>,
    config: &SdkConfig,
    http: &Http,
    gate: &Arc<CallGate>,
) -> SharedCredentialsProvider {
    // `with_retries` retries. The SDK would resend the same token.
    let config = aws_sdk_sts::config::Builder::from(config)
        .retry_config(RetryConfig::disabled())
        .build();
    let assumed = AssumedRole {
        role: Arc::clone(role),
        sts: Client::from_conf(config),
        http: http.clone(),
        gate: Arc::clone(gate),
    };
    SharedCredentialsProvider::new(provide_credentials_fn(move || {
        let assumed = assumed.clone();
        async move { assumed.load().await }
    }))
}

#[derive(Clone)]
struct AssumedRole {
    role: Arc<Role>,
    sts: Client,
    http: Http,
    gate: Arc<CallGate>,
}

impl AssumedRole {
    async fn load(&self) -> Result<Credentials, CredentialsError> {
        let issued = with_retries("AssumeRole", |_| self.assume())
            .await
            .map_err(CredentialsError::provider_error)?;
        Ok(Credentials::new(
            issued.access_key_id,
            issued.secret_access_key,
            Some(issued.session_token),
            SystemTime::try_from(issued.expiration).ok(),
            "AssumedRole",
        ))
    }

    async fn assume(&self) -> Result<IssuedCredentials, AwsError> {
        let role = &self.role;
        let seconds = i32::try_from(role.duration).ok();
        let mut claims = None;
        let sent = if let TokenSource::Credentials { external_id } = &role.source {
            let request = || {
                self.sts
                    .assume_role()
                    .role_arn(&role.arn)
                    .role_session_name(&role.session_name)
                    .set_external_id(external_id.clone())
                    .set_duration_seconds(seconds)
            };
            let mut sent = send!(&self.gate, "AssumeRole", request());
            if sent.as_ref().is_err_and(is_signature_error) && self.is_clock_wrong() {
                // The SDK has learned the time from the response.
                sent = send!(&self.gate, "AssumeRole", request());
            }
            sent.map(|(output, call)| (output.credentials, call))
        } else {
            let token = self.token().await?;
            claims = Some(Claims::parse(&token));
            let request = self
                .sts
                .assume_role_with_web_identity()
                .role_arn(&role.arn)
                .role_session_name(&role.session_name)
                .web_identity_token(token.as_str())
                .set_duration_seconds(seconds);
            send!(&self.gate, "AssumeRoleWithWebIdentity", request)
                .map(|(output, call)| (output.credentials, call))
        };
        let (credentials, call) = sent.map_err(|error| AwsError {
            kind: error.kind.for_role(&role.arn, claims),
            ..error
        })?;
        credentials.ok_or_else(|| call.unreadable())
    }

    fn is_clock_wrong(&self) -> bool {
        self.http.clock_correction() != Correction::None
    }

    async fn token(&self) -> Result<Zeroizing<String>, AwsError> {
        match &self.role.source {
            TokenSource::Github(request) => github::token(request, &self.http, &self.gate).await,
            TokenSource::Token(token) => parse_token(token.expose()),
            TokenSource::TokenFile(path) => {
                let path = path.clone();
                // A pipe without a writer blocks, and on this thread it would also block the run's time limit.
                let read = thread::start(move || {
                    std::fs::File::open(path).and_then(|file| bounded::read(file, MAX_TOKEN_FILE))
                });
                let read = read.map_err(|_| no_thread())?.await;
                let bytes = read.and_then(Result::ok).flatten();
                parse_token(&Zeroizing::new(bytes.unwrap_or_default()))
            }
            TokenSource::Credentials { .. } => Ok(Zeroizing::default()),
        }
    }
}

/// Whether STS rejected the signature, as it does if the clock is wrong.
fn is_signature_error(error: &AwsError) -> bool {
    let ErrorKind::Service { code, .. } = &error.kind else {
        return false;
    };
    matches!(
        code.as_str(),
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "RequestExpired"
    )
}

fn no_thread() -> AwsError {
    AwsError::new("AssumeRoleWithWebIdentity", ErrorKind::NoThread)
}

/// Trims white space, such as the line feed that `echo` adds, and rejects anything that cannot be a token.
fn parse_token(bytes: &[u8]) -> Result<Zeroizing<String>, AwsError> {
    str::from_utf8(bytes.trim_ascii())
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
        .map(|text| Zeroizing::new(text.to_owned()))
        .ok_or_else(|| AwsError::new("AssumeRoleWithWebIdentity", ErrorKind::TokenFile))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let kind = parse_token(b"\xff").err().map(|error| error.kind);
        assert_eq!(kind, Some(ErrorKind::TokenFile));
    }
}
