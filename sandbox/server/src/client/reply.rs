//! A raw HTTP response and its parts. Interprets nothing but error codes and messages.

use std::io;

use serde_json::Value;

/// A raw response.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it arrived.
    pub body: String,
}

impl Reply {
    pub(super) fn parse(answer: &[u8]) -> io::Result<Self> {
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

    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `Null` if it is not JSON.
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

    /// The text of the first XML element with this name; empty if there is none.
    #[must_use]
    pub fn element(&self, name: &str) -> String {
        let start = self.body.split_once(&format!("<{name}>"));
        let text = start.and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
        text.map_or_else(String::new, |(text, _)| text.to_owned())
    }
}
