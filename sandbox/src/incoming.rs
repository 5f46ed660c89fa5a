//! Owns reading a request whole and naming its operation. It must not judge it.

use axum::{body::to_bytes, extract::Request, http::header::AUTHORIZATION};
use serde_json::Value;

use crate::{operations::Service, sigv4::Authorization, wire};

/// More than any valid request: a value may take six times its size in JSON.
const BODY: usize = 2 * 1024 * 1024;

/// A request, read whole.
pub(crate) struct Incoming {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) authorization: Option<Authorization>,
    pub(crate) body: Vec<u8>,
    pub(crate) operation: String,
    pub(crate) service: Service,
    pub(crate) input: Value,
}

impl Incoming {
    pub(crate) async fn read(request: Request) -> Option<Self> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, BODY).await.ok()?.to_vec();
        let text = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), value.into_owned())
        });
        let (service, operation, input) = match text("x-amz-target") {
            Some(target) => {
                let operation = target.strip_prefix("secretsmanager.").unwrap_or(target);
                let input = serde_json::from_slice(&body).unwrap_or(Value::Null);
                (Service::SecretsManager, operation.to_owned(), input)
            }
            None => {
                let input = wire::form(&body);
                let operation = input["Action"].as_str().unwrap_or_default().to_owned();
                (Service::Sts, operation, input)
            }
        };
        Some(Self {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            authorization: text(AUTHORIZATION.as_str()).and_then(Authorization::parse),
            headers: headers.collect(),
            body,
            operation,
            service,
            input,
        })
    }
}
