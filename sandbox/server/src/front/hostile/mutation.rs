//! Creates hostile responses from real ones. Uses the formats of AWS responses, and the names of fields that contain secrets,
//! so that it quotes those as well.

use sandbox_model::Random;
use serde_json::{Value, json};

use super::{
    encoding::{Quote, quote},
    reply::{End, Framing, Reply},
};

/// Response fields that contain secrets: from Secrets Manager, STS, GitHub's issuer, and metadata services.
const SECRET_MEMBERS: [&str; 5] = [
    "SecretString",
    "SecretAccessKey",
    "SessionToken",
    "Token",
    "value",
];

/// Shorter values are ordinary words.
const MIN_SECRET: usize = 12;

const STATUSES: [&str; 16] = [
    "400 Bad Request",
    "400 Bad Request",
    "400 Bad Request",
    "400 Bad Request",
    "403 Forbidden",
    "403 Forbidden",
    "404 Not Found",
    "405 Method Not Allowed",
    "407 Proxy Authentication Required",
    "413 Payload Too Large",
    "429 Too Many Requests",
    "500 Internal Server Error",
    "503 Service Unavailable",
    "200 OK",
    "204 No Content",
    "302 Found",
];

const CODES: [&str; 18] = [
    "AccessDeniedException",
    "AccessDenied",
    "DecryptionFailure",
    "EncryptionFailure",
    "ExpiredTokenException",
    "InvalidParameterException",
    "InvalidRequestException",
    "InvalidSignatureException",
    "InternalServiceError",
    "LimitExceededException",
    "MalformedPolicyDocumentException",
    "PreconditionNotMetException",
    "PublicPolicyException",
    "ResourceExistsException",
    "ResourceNotFoundException",
    "ThrottlingException",
    "UnrecognizedClientException",
    "ValidationException",
];

/// `{}` is a quote.
const SENTENCES: [&str; 14] = [
    "{}",
    "'{}'",
    "Value '{}' at 'secretString' failed to satisfy constraint: Member must not be {}",
    "User: arn:aws:sts::111122223333:assumed-role/ci/{} is not authorized to perform: secretsmanager:{} on resource: {}",
    "User: arn:aws:iam::111122223333:user/{} is not authorized",
    "You can't create this secret because a secret {} is already scheduled for deletion.",
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:{}-AbCdEf",
    "arn:aws:kms:eu-west-1:111122223333:key/{}",
    "<html><body><b>{}</b></body></html>",
    "Invalid request: {\"SecretString\":\"{}\"}",
    "\n::error::{}\n##[error]{}\n\u{1b}[2K\u{1b}]0;{}\u{7}",
    "The request signature does not match; the string to sign is\nAWS4-HMAC-SHA256\n{}\n{}",
    "a a a {} a a a {} a a a",
    "SecretString={}&ClientRequestToken={}",
];

const HEADERS: [&str; 8] = [
    "x-amzn-requestid",
    "x-amzn-errortype",
    "x-amz-id-2",
    "date",
    "server",
    "retry-after",
    "x-amz-retry-after",
    "www-authenticate",
];

/// Adds secrets that a real response contains.
pub(super) fn learn(real: &Reply, secrets: &mut Vec<Vec<u8>>) {
    let text = String::from_utf8_lossy(&real.body);
    for name in SECRET_MEMBERS {
        let json = format!("\"{name}\":\"");
        let xml = format!("<{name}>");
        for (start, end) in [(json.as_str(), '"'), (xml.as_str(), '<')] {
            for rest in text.split(start).skip(1) {
                let value = rest.split(end).next().unwrap_or_default();
                let value = value.as_bytes().to_vec();
                if value.len() >= MIN_SECRET && !secrets.contains(&value) {
                    secrets.push(value);
                }
            }
        }
    }
}

/// The material for a response.
pub(super) struct Liar<'a> {
    random: &'a mut Random,
    secrets: &'a [Vec<u8>],
    quotes: &'a mut Vec<Quote>,
}

impl<'a> Liar<'a> {
    pub(super) fn new(
        random: &'a mut Random,
        secrets: &'a [Vec<u8>],
        quotes: &'a mut Vec<Quote>,
    ) -> Self {
        Self {
            random,
            secrets,
            quotes,
        }
    }

    pub(super) fn answer(&mut self, real: Reply) -> Reply {
        let mut reply = match self.random.below(20) {
            0..9 => self.error(&real),
            9..18 => self.mutated(real),
            _ => self.page(),
        };
        if self.random.below(6) == 0 {
            let name = self.random.pick(&HEADERS);
            let value = self.sentence();
            reply.set_header(name, &value);
        }
        if self.random.below(8) == 0 {
            self.spoil(&mut reply);
        }
        reply
    }

    fn quote(&mut self) -> String {
        let index = self.random.below(self.secrets.len());
        let Some(secret) = self.secrets.get(index) else {
            return String::new();
        };
        let quote = quote(secret, self.random);
        let text = quote.text();
        self.quotes.push(quote);
        text
    }

    fn sentence(&mut self) -> String {
        let sentence = self.random.pick(&SENTENCES);
        let mut parts = sentence.split("{}");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            text.push_str(&self.quote());
            text.push_str(part);
        }
        // More than any client keeps, and rarely much more.
        if self.random.below(40) == 0 {
            let times = 1 + self.random.pick(&[5_000, 300_000]) / (text.len() + 1);
            text = text.repeat(times);
        }
        text
    }

    fn error(&mut self, real: &Reply) -> Reply {
        let status = self.random.pick(&STATUSES);
        let code = match self.random.below(6) {
            0 => self.quote(),
            1 => format!(
                "com.amazonaws#{}:{}",
                self.random.pick(&CODES),
                self.quote()
            ),
            _ => self.random.pick(&CODES).to_owned(),
        };
        let message = self.sentence();
        if real.is_json() {
            let message = match self.random.below(12) {
                0 => self.odd(),
                _ => json!(message),
            };
            let (kind, text) = (
                self.random.pick(&["__type", "code", "Code", "typeKey"]),
                self.random.pick(&["Message", "message", "errorMessage"]),
            );
            let body = json!({kind: code, text: message, "Type": self.quote()});
            return Reply::new(status, "application/x-amz-json-1.1", body.to_string());
        }
        let request_id = self.quote();
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
            escape(&code),
            escape(&message),
            escape(&request_id)
        );
        Reply::new(status, "text/xml", body)
    }

    /// The real response with some of its parts replaced, removed or added.
    fn mutated(&mut self, mut real: Reply) -> Reply {
        let times = 1 + self.random.below(3);
        if let Ok(mut document) = serde_json::from_slice::<Value>(&real.body) {
            for _ in 0..times {
                let nodes = count(&document);
                let index = self.random.below(nodes);
                if let Some(node) = nth(&mut document, index) {
                    self.mutate(node);
                }
            }
            real.body = document.to_string().into_bytes();
            return real;
        }
        let text = String::from_utf8_lossy(&real.body).into_owned();
        let mut parts: Vec<String> = text.split_inclusive('>').map(str::to_owned).collect();
        for _ in 0..times {
            let index = self.random.below(parts.len());
            let Some(part) = parts.get_mut(index) else {
                break;
            };
            match self.random.below(4) {
                0 => part.clear(),
                _ => {
                    let tag = part.find('<').unwrap_or(part.len());
                    let tag = part.split_off(tag);
                    *part = escape(&self.text()) + &tag;
                }
            }
        }
        real.body = parts.concat().into_bytes();
        real
    }

    fn mutate(&mut self, node: &mut Value) {
        match self.random.below(8) {
            0..4 => *node = json!(self.text()),
            4 => *node = self.odd(),
            5 => {
                if let Value::Object(members) = node {
                    let index = self.random.below(members.len());
                    let name = members.keys().nth(index).cloned();
                    members.remove(&name.unwrap_or_default());
                } else {
                    *node = Value::Null;
                }
            }
            6 => match node {
                Value::Object(members) => {
                    let (name, text) = (self.quote(), self.text());
                    members.insert(name, json!(text));
                }
                Value::Array(items) => {
                    let text = self.text();
                    items.push(json!(text));
                }
                other => *other = json!([other.take()]),
            },
            _ => {
                if let Value::Array(items) = node
                    && let Some(first) = items.first().cloned()
                {
                    let times = self.random.pick(&[1, 2, 200]);
                    items.extend(std::iter::repeat_n(first, times));
                } else if let Value::String(text) = node {
                    text.push_str(&self.quote());
                }
            }
        }
    }

    /// A text to replace any other.
    fn text(&mut self) -> String {
        match self.random.below(3) {
            0 => self.sentence(),
            1 => self.quote(),
            _ => {
                // As long as a version ID or a label.
                let quote = self.quote();
                quote.chars().take(36).collect()
            }
        }
    }

    /// A value of another type.
    fn odd(&mut self) -> Value {
        let number = self.random.pick(&[0.0, -1.0, 1e18, 0.5]);
        let deep = self.random.pick(&[3, 100]);
        match self.random.below(7) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(number),
            3 => json!([]),
            4 => json!({}),
            5 => json!([self.quote(), {self.quote(): self.quote()}]),
            _ => (0..deep).fold(json!(self.quote()), |inner, _| json!([inner])),
        }
    }

    /// A response that no service would send.
    fn page(&mut self) -> Reply {
        let status = self.random.pick(&STATUSES);
        let text = self.sentence();
        let (kind, body) = match self.random.below(6) {
            0 | 1 => (
                "text/html",
                format!("<html><title>{text}</title>{text}</html>"),
            ),
            2 => ("text/plain", text),
            3 => ("application/x-amz-json-1.1", format!("{{\"ARN\": {text}")),
            // Too deep for the stack of any parser.
            4 => {
                let open = self.random.pick(&["[", "{\"ARN\":", "<a>"]);
                ("application/json", open.repeat(100_000) + &text)
            }
            _ => {
                let body = [b"\xff\xfe\0", text.as_bytes()].concat();
                return Reply::new(status, "application/x-amz-json-1.1", body);
            }
        };
        Reply::new(status, kind, body)
    }

    /// Breaks the framing or the connection.
    fn spoil(&mut self, reply: &mut Reply) {
        let length = reply.body.len();
        match self.random.below(12) {
            0..2 => reply.framing = Framing::Declared(length + 1 + self.random.below(1_000)),
            2 => {
                reply.framing = Framing::Declared(length + 1);
                reply.end = End::Stall;
            }
            3..5 => reply.framing = Framing::Declared(length / 2),
            5 => reply.framing = Framing::ToTheEnd,
            6 => reply.framing = Framing::BadChunk,
            7 => reply.end = End::Reset,
            8 => reply.status = format!("200 {}", self.quote().replace(['\r', '\n'], " ")),
            9 => reply.status = self.quote(),
            10 => {
                reply.status = "307 Temporary Redirect".to_owned();
                let place = format!("http://127.0.0.1:9/{}", self.quote());
                reply.set_header("location", &place);
            }
            _ => reply.set_header("content-encoding", "gzip"),
        }
    }
}

/// The number of values in a document, including the document.
fn count(document: &Value) -> usize {
    1 + match document {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// A value of a document by its number; the document is 0.
fn nth(document: &mut Value, mut index: usize) -> Option<&mut Value> {
    if index == 0 {
        return Some(document);
    }
    index -= 1;
    let children: Vec<&mut Value> = match document {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => return None,
    };
    for child in children {
        let size = count(child);
        if index < size {
            return nth(child, index);
        }
        index -= size;
    }
    None
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
