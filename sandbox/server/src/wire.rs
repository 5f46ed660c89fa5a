//! Encodes responses: JSON 1.1 for Secrets Manager, XML for the query protocol of STS, and the formats of the other services.
//! Must not decide their content.

use axum::{
    body::Body,
    http::{
        HeaderValue, Response, StatusCode,
        header::{CONTENT_TYPE, DATE, HeaderName},
    },
};
use sandbox_model::ServiceError;
use serde_json::{Value, json};

use crate::{protocol::Service, random};

const JSON: &str = "application/x-amz-json-1.1";
const PLAIN_JSON: &str = "application/json; charset=utf-8";
const XML: &str = "text/xml";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// A response, ready to be sent.
pub(crate) struct EncodedResponse {
    pub(crate) status: u16,
    /// The error code, for the log.
    pub(crate) error: Option<String>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// Only AWS's services have one.
    request_id: Option<String>,
    /// One additional header.
    header: Option<(&'static str, String)>,
    /// The date header, if it is not the real time.
    pub(crate) date: Option<String>,
}

impl EncodedResponse {
    pub(crate) fn plain(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            error: None,
            content_type,
            body: body.into(),
            request_id: None,
            header: None,
            date: None,
        }
    }

    /// With a request id.
    pub(crate) fn of_aws(
        status: u16,
        content_type: &'static str,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            request_id: Some(random::uuid()),
            ..Self::plain(status, content_type, body)
        }
    }

    pub(crate) fn success(service: Service, operation: &str, answer: &Value) -> Self {
        match (service, answer) {
            (Service::Metadata, Value::String(text)) => {
                Self::plain(200, "text/plain", text.as_str())
            }
            // EC2 sends the token's lifetime in a header.
            (Service::Metadata, answer) if answer.get("ttl").is_some() => {
                let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
                let header = Some(("x-aws-ec2-metadata-token-ttl-seconds", text("ttl")));
                let this = Self::plain(200, "text/plain", text("token"));
                Self { header, ..this }
            }
            (Service::Metadata, answer) => Self::plain(200, "application/json", answer.to_string()),
            (Service::Issuer, answer) => Self::plain(200, PLAIN_JSON, answer.to_string()),
            (Service::SecretsManager, Value::Null) => Self::of_aws(200, JSON, ""),
            (Service::SecretsManager, answer) => Self::of_aws(200, JSON, answer.to_string()),
            (Service::Sts, answer) => {
                let mut this = Self::of_aws(200, XML, "");
                let result = elements(answer);
                let id = this.request_id.as_deref().unwrap_or_default();
                this.body = format!(
                    "<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>{result}</{operation}Result><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>"
                )
                .into_bytes();
                this
            }
        }
    }

    pub(crate) fn error(service: Service, error: ServiceError) -> Self {
        let mut this = match service {
            Service::SecretsManager => {
                // Errors of the AWS front end have a lower-case `message`, errors of the service a capitalized one.
                let lower = matches!(
                    error.code.as_str(),
                    "ExpiredTokenException"
                        | "InvalidSignatureException"
                        | "MissingAuthenticationTokenException"
                        | "ThrottlingException"
                        | "UnrecognizedClientException"
                        | "ValidationException"
                );
                let name = if lower { "message" } else { "Message" };
                let body = json!({"__type": error.code, name: error.message});
                Self::of_aws(error.status, JSON, body.to_string())
            }
            Service::Metadata => {
                let title = format!("{} - {}", error.status, escape(&error.message));
                let page = format!(
                    "<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
                );
                Self::plain(error.status, "text/html", page)
            }
            Service::Issuer => {
                // The error format of Azure DevOps, on which GitHub's endpoint is built.
                let body = json!({
                    "$id": "1",
                    "innerException": null,
                    "message": error.message,
                    "typeKey": error.code,
                    "errorCode": 0,
                    "eventId": 3000,
                });
                Self::plain(error.status, PLAIN_JSON, body.to_string())
            }
            Service::Sts => {
                let mut this = Self::of_aws(error.status, XML, "");
                let side = if error.status < 500 {
                    "Sender"
                } else {
                    "Receiver"
                };
                let (code, message) = (escape(&error.code), escape(&error.message));
                let id = this.request_id.as_deref().unwrap_or_default();
                this.body = format!(
                    "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{side}</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
                )
                .into_bytes();
                this
            }
        };
        this.error = Some(error.code);
        this
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if let Some(id) = self.request_id
            && let Ok(id) = HeaderValue::from_str(&id)
        {
            headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
        }
        if let Some(date) = self.date
            && let Ok(date) = HeaderValue::from_str(&date)
        {
            headers.insert(DATE, date);
        }
        if let Some((name, value)) = self.header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            headers.insert(HeaderName::from_static(name), value);
        }
        response
    }
}

/// Encodes members as nested XML elements.
fn elements(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let element = |(name, value)| format!("<{name}>{}</{name}>", elements(value));
            members.iter().map(element).collect()
        }
        value => escape(value.as_str().unwrap_or_default()),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
