//! An HTTP/1.1 response in parts, so that each part can be wrong. Must not make decisions.

/// What happens to the connection after the last byte.
#[derive(Clone, Copy)]
pub(super) enum End {
    Close,
    Reset,
    /// It stays open, silently, until the client closes it.
    Stall,
}

/// How a body is framed.
#[derive(Clone, Copy)]
pub(super) enum Framing {
    /// The declared length is correct.
    Length,
    /// The declared length is wrong.
    Declared(usize),
    /// By the end of the connection.
    ToTheEnd,
    /// A chunk, and nothing that could be the next one.
    BadChunk,
}

pub(super) struct Reply {
    pub(super) status: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) framing: Framing,
    pub(super) end: End,
}

impl Reply {
    pub(super) fn new(status: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: status.to_owned(),
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.into(),
            framing: Framing::Length,
            end: End::Close,
        }
    }

    /// For a request that reached no server.
    pub(super) fn error_of_gateway() -> Self {
        Self::new("502 Bad Gateway", "text/html", "<h1>502 Bad Gateway</h1>")
    }

    /// Reads a server's complete response.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Self::error_of_gateway();
        };
        let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split_once(' '));
        let framing = ["content-length", "connection", "transfer-encoding"];
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .filter(|(name, _)| !framing.contains(&name.as_str()));
        Self {
            status: status.map_or("200", |(_, status)| status).to_owned(),
            headers: headers.collect(),
            body: bytes[at + 4..].to_vec(),
            framing: Framing::Length,
            end: End::Close,
        }
    }

    pub(super) fn is_json(&self) -> bool {
        self.headers
            .iter()
            .any(|(name, value)| name == "content-type" && value.contains("json"))
    }

    pub(super) fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(there, _)| there != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn into_bytes(self) -> (Vec<u8>, End) {
        let mut head = format!("HTTP/1.1 {}\r\nconnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            // A value with line breaks would create additional headers; only real servers do that.
            let value = value.replace(['\r', '\n', '\0'], " ");
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut body = self.body;
        match self.framing {
            Framing::Length => head.push_str(&format!("content-length: {}\r\n", body.len())),
            Framing::Declared(length) => head.push_str(&format!("content-length: {length}\r\n")),
            Framing::ToTheEnd => {}
            Framing::BadChunk => {
                head.push_str("transfer-encoding: chunked\r\n");
                let chunk = format!("{:x}\r\n", body.len());
                body = [chunk.as_bytes(), &body, b"\r\nno length\r\n"].concat();
            }
        }
        head.push_str("\r\n");
        ([head.into_bytes(), body].concat(), self.end)
    }
}
