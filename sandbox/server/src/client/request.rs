//! Signs requests and sends them, each on a connection of its own.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, SystemTime},
};

use sandbox_model::REGION;
use serde_json::Value;

use super::reply::Reply;
use crate::{
    defaults,
    sigv4::{self, RequestToSign},
    time,
};

const TIMEOUT: Duration = Duration::from_secs(30);

/// A client of one endpoint with one set of credentials.
#[derive(Clone, Debug)]
pub struct Client {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The region to sign for.
    pub region: String,
    /// The access key ID.
    pub key_id: String,
    /// The secret access key.
    pub secret: String,
    /// The session token, for temporary credentials.
    pub session_token: Option<String>,
    /// The time to sign with; `None` for the current time.
    pub at: Option<SystemTime>,
}

impl Client {
    /// A client with the sandbox's default key and region.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            region: REGION.to_owned(),
            key_id: defaults::KEY_ID.to_owned(),
            secret: defaults::SECRET_KEY.to_owned(),
            session_token: None,
            at: None,
        }
    }

    /// Calls an operation of Secrets Manager.
    ///
    /// # Errors
    /// If no complete response arrived.
    pub fn call(&self, operation: &str, input: &Value) -> io::Result<Reply> {
        self.exchange(&self.request(operation, input))
    }

    /// The bytes of a request to Secrets Manager, for a test that sends them itself.
    #[must_use]
    pub fn request(&self, operation: &str, input: &Value) -> Vec<u8> {
        let target = format!("secretsmanager.{operation}");
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target.as_str()),
        ];
        self.post("secretsmanager", &headers, input.to_string().as_bytes())
    }

    /// Calls an operation of STS that takes no parameters.
    ///
    /// # Errors
    /// If no complete response arrived.
    pub fn sts(&self, action: &str) -> io::Result<Reply> {
        self.sts_with(action, &[])
    }

    /// Calls an operation of STS.
    ///
    /// # Errors
    /// If no complete response arrived.
    pub fn sts_with(&self, action: &str, parameters: &[(&str, &str)]) -> io::Result<Reply> {
        let body = form(action, parameters);
        self.exchange(&self.post("sts", &[FORM], body.as_bytes()))
    }

    /// Calls an operation of STS without a signature.
    ///
    /// # Errors
    /// If no complete response arrived.
    pub fn sts_unsigned(&self, action: &str, parameters: &[(&str, &str)]) -> io::Result<Reply> {
        self.plain("POST", "/", &[FORM], &form(action, parameters))
    }

    /// The same client with the credentials in a response of STS.
    ///
    /// # Panics
    /// If the response contains none.
    #[must_use]
    pub fn with_session(&self, answer: &Reply) -> Self {
        let part = |name: &str| {
            let text = answer.element(name);
            assert!(!text.is_empty(), "no {name} in {}", answer.body);
            text
        };
        Self {
            key_id: part("AccessKeyId"),
            secret: part("SecretAccessKey"),
            session_token: Some(part("SessionToken")),
            ..self.clone()
        }
    }

    fn host(&self) -> &str {
        self.url.trim_start_matches("http://").trim_end_matches('/')
    }

    fn exchange(&self, request: &[u8]) -> io::Result<Reply> {
        let mut stream = TcpStream::connect(self.host())?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.write_all(request)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Reply::parse(&answer)
    }

    fn post(&self, service: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let at = self.at.unwrap_or_else(SystemTime::now);
        let mut headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        headers.push(("host".to_owned(), self.host().to_owned()));
        headers.push(("x-amz-date".to_owned(), time::compact(at)));
        if let Some(token) = &self.session_token {
            headers.push(("x-amz-security-token".to_owned(), token.clone()));
        }
        let signed = RequestToSign {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body,
        };
        let authorization = sigv4::sign(
            &self.key_id,
            &self.secret,
            &self.region,
            service,
            at,
            &signed,
        );
        headers.push(("authorization".to_owned(), authorization));
        headers.push(("content-length".to_owned(), body.len().to_string()));
        headers.push(("connection".to_owned(), "close".to_owned()));
        [head("POST / HTTP/1.1", &headers).as_bytes(), body].concat()
    }

    /// Sends an unsigned GET request.
    ///
    /// # Errors
    /// If no complete response arrived.
    pub fn get(&self, path: &str) -> io::Result<Reply> {
        self.plain("GET", path, &[], "")
    }

    /// Sends any unsigned request. `path` can be a complete URL, whose host is ignored.
    ///
    /// # Errors
    /// If no complete response arrived.
    pub fn plain(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Reply> {
        let path = match path.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => path,
        };
        let length = body.len().to_string();
        let always = [
            ("host", self.host()),
            ("content-length", &length),
            ("connection", "close"),
        ];
        let start = format!("{method} {path} HTTP/1.1");
        let head = head(&start, &[&always[..], headers].concat());
        self.exchange(&[head.as_bytes(), body.as_bytes()].concat())
    }
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The body of a request to STS.
fn form(action: &str, parameters: &[(&str, &str)]) -> String {
    let mut body = format!("Action={action}&Version=2011-06-15");
    for (name, value) in parameters {
        body.push_str(&format!("&{name}="));
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() {
                body.push(char::from(byte));
            } else {
                body.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    body
}

/// The head of a request, including the empty line.
fn head<N: AsRef<str>, V: AsRef<str>>(start: &str, headers: &[(N, V)]) -> String {
    let mut head = format!("{start}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{}: {}\r\n", name.as_ref(), value.as_ref()));
    }
    head.push_str("\r\n");
    head
}
