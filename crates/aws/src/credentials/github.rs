//! GitHub's OIDC token. It is valid for five minutes and can be requested as long as the job runs, so it is requested right
//! before use. It must be sent to STS only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::connection::TokenRequest;
use zeroize::Zeroizing;

use crate::call_gate::CallGate;
use crate::error::{AwsError, ErrorKind, connector_kind};
use crate::fault::{IdTokenFault, NetworkFault};
use crate::http::Http;
use crate::retry_delay::wait_before_retry;

const OPERATION: &str = "GetIdToken";
/// Timeout of one attempt. The endpoint responds within a second or hangs (grafana/shared-workflows#2249).
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Retries after the first attempt. Their delays add up to 4 seconds.
const RETRIES: u32 = 7;
const MAX_RESPONSE_BYTES: usize = 64 * 1024;
/// The length at which an error message of GitHub's is cut.
const MAX_MESSAGE_CHARS: usize = 300;

#[derive(Deserialize)]
struct TokenResponse {
    value: String,
}

#[derive(Deserialize)]
struct ErrorResponse {
    message: String,
}

/// Requests a token, and retries transient errors. The caller registers the token for redaction.
pub(super) async fn token(
    request: &TokenRequest,
    http: &Http,
    gate: &Arc<CallGate>,
) -> Result<Zeroizing<String>, AwsError> {
    let mut backoff = Backoff::new(RETRIES);
    let mut attempt = 0;
    loop {
        attempt += 1;
        let sent_at = Instant::now();
        let result = if gate.is_closed() {
            Err(ErrorKind::Cancelled)
        } else {
            tokio::time::timeout(ATTEMPT_TIMEOUT, request_token(request, http))
                .await
                .unwrap_or(Err(ErrorKind::Timeout))
        };
        let status = match &result {
            Ok(_) => "200".to_owned(),
            Err(ErrorKind::IdToken(IdTokenFault::Status { status, .. })) => status.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        gate.trace(OPERATION, attempt, &status, sent_at.elapsed(), "none");
        let kind = match result {
            Ok(token) => return Ok(token),
            Err(kind) => kind,
        };
        if !is_transient(&kind) || !wait_before_retry(&mut backoff).await {
            return Err(AwsError {
                attempts: attempt,
                ..AwsError::new(OPERATION, kind)
            });
        }
    }
}

/// Whether a retry may help. It does for throttling, server and network errors, and for a job that GitHub does not count as
/// running yet (aws-actions/configure-aws-credentials#469).
fn is_transient(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::IdToken(IdTokenFault::Status { status, message }) => match status {
            403 => message.contains("'Pending'") || message.contains("'Delayed'"),
            429 | 500..=599 => true,
            _ => false,
        },
        ErrorKind::Timeout => true,
        ErrorKind::Network(fault) => !fault.is_permanent(),
        _ => false,
    }
}

async fn request_token(
    request: &TokenRequest,
    http: &Http,
) -> Result<Zeroizing<String>, ErrorKind> {
    let audience = utf8_percent_encode(&request.audience, NON_ALPHANUMERIC);
    let separator = if request.url.contains('?') { '&' } else { '?' };
    let bearer = Zeroizing::new(request.bearer.expose().to_vec());
    let bearer = str::from_utf8(&bearer).map_err(|_| ErrorKind::Configuration)?;
    let mut get = HttpRequest::new(SdkBody::empty());
    get.set_uri(format!("{}{separator}audience={audience}", request.url))
        .map_err(|_| ErrorKind::Configuration)?;
    let headers = get.headers_mut();
    headers.insert("authorization", format!("bearer {bearer}"));
    headers.insert("accept", "application/json; api-version=2.0");
    headers.insert(
        "user-agent",
        concat!("upsert-secret/", env!("CARGO_PKG_VERSION")),
    );
    let response = http
        .request(get, ATTEMPT_TIMEOUT)
        .await
        .map_err(|error| connector_kind(&error))?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), MAX_RESPONSE_BYTES)
        .collect()
        .await
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                ErrorKind::IdToken(IdTokenFault::Unreadable)
            } else {
                ErrorKind::Network(NetworkFault::ConnectionLost)
            }
        })?
        .to_bytes();
    if status != 200 {
        return Err(ErrorKind::IdToken(IdTokenFault::Status {
            status,
            message: serde_json::from_slice::<ErrorResponse>(&body)
                .map(|error| error.message.chars().take(MAX_MESSAGE_CHARS).collect())
                .unwrap_or_default(),
        }));
    }
    serde_json::from_slice::<TokenResponse>(&body)
        .ok()
        .map(|response| Zeroizing::new(response.value))
        .filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or(ErrorKind::IdToken(IdTokenFault::Unreadable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_transient_errors_are_retried() {
        for (status, message, transient) in [
            (403, "the job is in state 'Pending'", true),
            (403, "the job is in state 'Delayed'", true),
            (403, "the job is in state 'Completed'", false),
            (401, "", false),
            (429, "", true),
            (502, "", true),
        ] {
            let kind = ErrorKind::IdToken(IdTokenFault::Status {
                status,
                message: message.to_owned(),
            });
            assert_eq!(is_transient(&kind), transient, "{status} {message}");
        }
        assert!(is_transient(&ErrorKind::Timeout));
        assert!(!is_transient(&ErrorKind::Cancelled));
    }
}
