//! Owns a tiny blocking client that sends one signed request a connection and shows the raw answer.
//! It must not retry, follow or interpret anything: tests look at what was really sent.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use crate::{
    sigv4::{self, Signed},
    time,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Where to send requests, and as whom.
#[derive(Clone, Debug)]
pub struct Client {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The region to sign for.
    pub region: String,
    /// The access key id.
    pub key_id: String,
    /// The secret access key.
    pub secret: String,
    /// The session token, for temporary credentials.
    pub session_token: Option<String>,
    /// The time to sign with; `None` is now.
    pub at: Option<SystemTime>,
}

/// A raw answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Header names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it came.
    pub body: String,
}

impl Client {
    /// A client with the sandbox's default key and region.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            region: crate::state::REGION.to_owned(),
            key_id: crate::server::KEY_ID.to_owned(),
            secret: crate::server::SECRET.to_owned(),
            session_token: None,
            at: None,
        }
    }

    /// Calls an operation of Secrets Manager.
    ///
    /// # Errors
    /// When no whole answer came.
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
    /// When no whole answer came.
    pub fn sts(&self, action: &str) -> io::Result<Reply> {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let body = format!("Action={action}&Version=2011-06-15");
        self.exchange(&self.post("sts", &headers, body.as_bytes()))
    }

    fn host(&self) -> &str {
        self.url.trim_start_matches("http://").trim_end_matches('/')
    }

    fn exchange(&self, request: &[u8]) -> io::Result<Reply> {
        let mut stream = TcpStream::connect(self.host())?;
        stream.set_read_timeout(Some(PATIENCE))?;
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
        let signed = Signed {
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
        let mut request = "POST / HTTP/1.1\r\n".to_owned();
        for (name, value) in &headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        [request.as_bytes(), body].concat()
    }

    /// Gets a page that needs no signature.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn get(&self, path: &str) -> io::Result<Reply> {
        let host = self.host();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        self.exchange(request.as_bytes())
    }
}

impl Reply {
    fn parse(answer: &[u8]) -> io::Result<Self> {
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the answer ended early");
        let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, body) = answer.split_at(head.ok_or_else(cut)? + 4);
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let reply = Self {
            status: status.ok_or_else(cut)?,
            headers,
            body: String::from_utf8_lossy(body).into_owned(),
        };
        let declared = reply
            .header("content-length")
            .and_then(|n| n.parse::<usize>().ok());
        if declared.is_some_and(|declared| body.len() < declared) {
            return Err(cut());
        }
        Ok(reply)
    }

    /// A header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `Null` if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The error code without a namespace, from JSON or XML; empty if there is none.
    #[must_use]
    pub fn code(&self) -> String {
        match self.json()["__type"].as_str() {
            Some(code) => code.rsplit('#').next().unwrap_or(code).to_owned(),
            None => self.element("Code"),
        }
    }

    /// The error message, from JSON or XML; empty if there is none.
    #[must_use]
    pub fn message(&self) -> String {
        let json = self.json();
        let message = json["Message"].as_str().or(json["message"].as_str());
        message.map_or_else(|| self.element("Message"), str::to_owned)
    }

    fn element(&self, name: &str) -> String {
        let start = self.body.split_once(&format!("<{name}>"));
        let text = start.and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
        text.map_or_else(String::new, |(text, _)| text.to_owned())
    }
}
