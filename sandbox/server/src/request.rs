//! Reads a request completely and determines its service and operation. Does not validate it.

use axum::{body::to_bytes, extract::Request, http::header::AUTHORIZATION};
use serde_json::Value;

use crate::{form, protocol::Service, sigv4::Authorization};

/// Larger than any valid request: in JSON, a value can take six times its size.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// A complete request.
pub(crate) struct ServiceRequest {
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

/// The service and operation that a path determines. The remaining services share the path `/`.
pub(crate) fn service_by_path(path: &str) -> Option<(Service, &'static str)> {
    const ROLES: &str = "/latest/meta-data/iam/security-credentials";
    if path.contains("/idtoken/") {
        return Some((Service::Issuer, "GetIdToken"));
    }
    let operation = match path {
        "/latest/api/token" => "GetMetadataToken",
        "/latest/meta-data/placement/region" => "GetMetadataRegion",
        _ if path.starts_with("/v2/credentials/") => "GetContainerCredentials",
        _ if path
            .strip_prefix(ROLES)
            .is_some_and(|rest| matches!(rest, "" | "/")) =>
        {
            "GetMetadataRole"
        }
        _ if path
            .strip_prefix(ROLES)
            .is_some_and(|rest| rest.starts_with('/')) =>
        {
            "GetMetadataCredentials"
        }
        // Paths of the metadata service without an operation here; they get its 404.
        _ if path.starts_with("/latest/") => "",
        _ => return None,
    };
    Some((Service::Metadata, operation))
}

impl ServiceRequest {
    pub(crate) async fn read(request: Request) -> Option<Self> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MAX_BODY).await.ok()?.to_vec();
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
        let path = parts.uri.path();
        let query = parts.uri.query().unwrap_or_default();
        let (service, operation, input) = match (service_by_path(path), text("x-amz-target")) {
            (Some((service, operation)), _) => (
                service,
                operation.to_owned(),
                form::decode(query.as_bytes()),
            ),
            (None, Some(target)) => {
                let operation = target.strip_prefix("secretsmanager.").unwrap_or(target);
                let input = serde_json::from_slice(&body).unwrap_or(Value::Null);
                (Service::SecretsManager, operation.to_owned(), input)
            }
            (None, None) => {
                let input = form::decode(&body);
                let operation = input["Action"].as_str().unwrap_or_default().to_owned();
                (Service::Sts, operation, input)
            }
        };
        Some(Self {
            method: parts.method.as_str().to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            authorization: text(AUTHORIZATION.as_str()).and_then(Authorization::parse),
            headers: headers.collect(),
            body,
            operation,
            service,
            input,
        })
    }

    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}
