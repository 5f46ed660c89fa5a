//! GitHub's OIDC token, requested right before it is used: it lives for five minutes, and the permission to request it as
//! long as the job. Only STS sees it.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::connection::TokenRequest;
use zeroize::Zeroizing;

use crate::call_gate::CallGate;
use crate::error::{AwsError, ErrorKind, connection};
use crate::fault::{IdTokenFault, NetworkFault};
use crate::http::Http;
use crate::retry_delay::wait;

const OPERATION: &str = "GetIdToken";
/// One attempt. The endpoint answers within a second, or hangs (grafana/shared-workflows#2249).
const ATTEMPT: Duration = Duration::from_secs(5);
/// The first and seven more: 4 seconds of waiting in all.
const RETRIES: u32 = 7;
const MAX_ANSWER: usize = 64 * 1024;
/// The most of GitHub's own words that is shown.
const MAX_MESSAGE: usize = 300;

#[derive(Deserialize)]
struct Answer {
    value: String,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

/// Requests a token until there is one, or an answer that no retry changes.
pub(super) async fn token(
    request: &TokenRequest,
    http: &Http,
    gate: &Arc<CallGate>,
) -> Result<Zeroizing<String>, AwsError> {
    let mut backoff = Backoff::new(RETRIES);
    let mut attempt = 0;
    loop {
        attempt += 1;
        let sent = gate.now();
        let answer = if gate.is_closed() {
            Err(ErrorKind::Cancelled)
        } else {
            tokio::time::timeout(ATTEMPT, request_token(request, http))
                .await
                .unwrap_or(Err(ErrorKind::Timeout))
        };
        let status = match &answer {
            Ok(_) => "200".to_owned(),
            Err(ErrorKind::IdToken(IdTokenFault::Status { status, .. })) => status.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        gate.trace(
            OPERATION,
            attempt,
            &status,
            gate.now().saturating_sub(sent),
            "none",
        );
        let kind = match answer {
            Ok(token) => {
                gate.hide(token.as_bytes());
                return Ok(token);
            }
            Err(kind) => kind,
        };
        if !is_transient(&kind) || !wait(&mut backoff).await {
            return Err(AwsError {
                attempts: attempt,
                ..AwsError::new(OPERATION, kind)
            });
        }
    }
}

/// Whether a retry may help: a job that GitHub does not yet count as running
/// (aws-actions/configure-aws-credentials#469), throttling, a failure of the server or the network.
fn is_transient(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::IdToken(IdTokenFault::Status { status, message }) => match status {
            403 => message.contains("'Pending'") || message.contains("'Delayed'"),
            429 | 500..=599 => true,
            _ => false,
        },
        ErrorKind::Timeout => true,
        ErrorKind::Network(fault) => !fault.is_lasting(),
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
    let bearer = str::from_utf8(&bearer).map_err(|_| ErrorKind::Setup)?;
    let mut get = HttpRequest::new(SdkBody::empty());
    get.set_uri(format!("{}{separator}audience={audience}", request.url))
        .map_err(|_| ErrorKind::Setup)?;
    let headers = get.headers_mut();
    headers.insert("authorization", format!("bearer {bearer}"));
    headers.insert("accept", "application/json; api-version=2.0");
    headers.insert(
        "user-agent",
        concat!("upsert-secret/", env!("CARGO_PKG_VERSION")),
    );
    let answer = http
        .request(get, ATTEMPT)
        .await
        .map_err(|error| connection(&error))?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), MAX_ANSWER)
        .collect()
        .await
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                ErrorKind::IdToken(IdTokenFault::Unreadable)
            } else {
                ErrorKind::Network(NetworkFault::Lost)
            }
        })?
        .to_bytes();
    if status != 200 {
        return Err(ErrorKind::IdToken(IdTokenFault::Status {
            status,
            message: serde_json::from_slice::<Refusal>(&body)
                .map(|refusal| refusal.message.chars().take(MAX_MESSAGE).collect())
                .unwrap_or_default(),
        }));
    }
    serde_json::from_slice::<Answer>(&body)
        .ok()
        .map(|answer| Zeroizing::new(answer.value))
        .filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or(ErrorKind::IdToken(IdTokenFault::Unreadable))
}
