//! GitHub's OIDC token. It is valid for five minutes and can be requested as long as the job runs, so it is requested right
//! before use. Must be sent only to STS.

use std::time::{Duration, Instant};
use upsert_secret_core::quote::ForeignText;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use upsert_secret_core::connection::TokenRequest;
use zeroize::Zeroizing;

use super::retry::with_retries;
use crate::call_gate::CallGate;
use crate::error::{AwsError, ErrorKind, connector_kind};
use crate::fault::{NetworkFault, Responder};
use crate::http::Http;

const OPERATION: &str = "GetIdToken";
/// Time limit for a response and its body. The endpoint either responds within a second or hangs
/// (grafana/shared-workflows#2249).
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

#[derive(Deserialize)]
struct TokenResponse {
    value: String,
}

#[derive(Deserialize)]
struct ErrorResponse {
    message: String,
}

/// Requests a token, and retries transient errors.
pub(super) async fn token(
    request: &TokenRequest,
    http: &Http,
    gate: &CallGate,
) -> Result<Zeroizing<String>, AwsError> {
    with_retries(OPERATION, async |attempts| {
        let sent_at = Instant::now();
        let result = if gate.is_closed() {
            Err(ErrorKind::Cancelled)
        } else {
            request_token(request, http).await
        };
        let status = match &result {
            Ok(_) => "200".to_owned(),
            Err(
                ErrorKind::IdTokenRejected { status, .. } | ErrorKind::NotGithub { status, .. },
            ) => status.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        gate.trace(OPERATION, attempts, &status, sent_at.elapsed(), "none");
        result.map_err(|kind| AwsError {
            attempts,
            ..AwsError::new(OPERATION, kind)
        })
    })
    .await
}

async fn request_token(
    request: &TokenRequest,
    http: &Http,
) -> Result<Zeroizing<String>, ErrorKind> {
    let audience = utf8_percent_encode(&request.audience, NON_ALPHANUMERIC);
    let separator = if request.url.contains('?') { '&' } else { '?' };
    let bearer = str::from_utf8(request.bearer.expose()).map_err(|_| ErrorKind::Configuration)?;
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
        .request(get, RESPONSE_TIMEOUT)
        .await
        .map_err(|error| connector_kind(&error))?;
    let status = response.status().as_u16();
    let host = Responder::of(&response);
    let not_github = || ErrorKind::NotGithub {
        host: host.clone(),
        status,
    };
    let body = Limited::new(response.into_body(), MAX_RESPONSE_BYTES).collect();
    let body = tokio::time::timeout(RESPONSE_TIMEOUT, body)
        .await
        .map_err(|_| ErrorKind::Timeout)?
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                not_github()
            } else {
                ErrorKind::Network(NetworkFault::ConnectionLost)
            }
        })?
        .to_bytes();
    if status != 200 {
        return Err(match serde_json::from_slice::<ErrorResponse>(&body) {
            Ok(error) => ErrorKind::IdTokenRejected {
                status,
                message: ForeignText::new(&error.message),
            },
            Err(_) => not_github(),
        });
    }
    serde_json::from_slice::<TokenResponse>(&body)
        .ok()
        .map(|response| Zeroizing::new(response.value))
        .filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or_else(not_github)
}
