//! The messages of a proxy: reads the head of a request, rewrites it, and responds with an error. Must not connect.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Larger than the head of any request to AWS.
const HEAD: usize = 64 * 1024;

/// The destination of a request.
pub(super) struct Destination {
    /// `HOST:PORT`.
    pub(super) authority: String,
    /// `None` for a tunnel.
    pub(super) path: Option<String>,
}

impl Destination {
    pub(super) fn parse(method: &str, target: &str) -> Option<Self> {
        if method == "CONNECT" {
            let authority = target.to_owned();
            return Some(Self {
                authority,
                path: None,
            });
        }
        let rest = target.strip_prefix("http://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let port = if has_port { "" } else { ":80" };
        Some(Self {
            authority: format!("{host}{port}"),
            path: Some(if path.is_empty() { "/" } else { path }.to_owned()),
        })
    }
}

/// The head of a request and the bytes that follow it; `None` if the head never ends.
pub(super) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(at + 4);
            bytes.truncate(at);
            return Some((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        let read = stream.read_buf(&mut bytes).await.ok()?;
        if read == 0 || bytes.len() > HEAD {
            return None;
        }
    }
}

/// The head that the server gets: the path alone, no headers for the proxy, and `connection: close`.
pub(super) fn forwarded_head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        if !lower.starts_with("proxy-") && lower != "connection" {
            head.push_str(&format!("{name}:{value}\r\n"));
        }
    }
    head + "connection: close\r\n\r\n"
}

/// Responds with this status and an HTML page, as proxies do.
pub(super) async fn send_error(
    stream: &mut (impl AsyncWrite + Unpin),
    status: u16,
    scheme: &str,
) -> io::Result<()> {
    let challenge = match status {
        407 => format!("proxy-authenticate: {scheme}\r\n"),
        _ => String::new(),
    };
    let page =
        "<html><body><h1>Example Corp: the proxy does not let this pass</h1></body></html>\n";
    let answer = format!(
        "HTTP/1.1 {status} Refused\r\n{challenge}content-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
