//! A hostile server: forwards requests, and replaces or breaks the responses, with quotes of secrets in many encodings. A seed
//! determines its response to a request.

mod encoding;
mod mutation;
mod reply;

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use sandbox_model::Random;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    forwarder::lock,
    listener::BackgroundListener,
    message::{forwarded_head, read_head},
};
pub use encoding::Quote;
use reply::{End, Reply};

/// Listens in front of a server and responds in its place.
pub struct Hostile {
    listener: BackgroundListener,
    script: Arc<Mutex<Script>>,
}

/// The responses planned and sent.
struct Script {
    seed: u64,
    /// The percentage of hostile responses.
    hostile: usize,
    secrets: Vec<Vec<u8>>,
    /// The calls so far, by subject.
    calls: HashMap<u64, usize>,
    quotes: Vec<Quote>,
}

impl Hostile {
    /// Starts in front of a plain HTTP server. Of a hundred responses, `hostile` are not from the server; they quote `secrets`,
    /// and secrets that the client received from the server.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(server: SocketAddr, seed: u64, hostile: usize, secrets: Vec<Vec<u8>>) -> Self {
        let script = Arc::new(Mutex::new(Script {
            seed,
            hostile,
            secrets,
            calls: HashMap::new(),
            quotes: Vec::new(),
        }));
        let shared = Arc::clone(&script);
        let listener = BackgroundListener::start(false, move |stream| {
            let script = Arc::clone(&shared);
            async move {
                // A client that disconnects has seen enough.
                let _ = serve(stream, server, &script).await;
            }
        });
        Self { listener, script }
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.listener.address)
    }

    /// All secrets that were quoted, as given or learned from the server's responses.
    #[must_use]
    pub fn secrets(&self) -> Vec<Vec<u8>> {
        lock(&self.script).secrets.clone()
    }

    /// Everything that was quoted.
    #[must_use]
    pub fn quotes(&self) -> Vec<Quote> {
        lock(&self.script).quotes.clone()
    }
}

impl Script {
    /// The random numbers for a call. Concurrent calls with different subjects do not affect each other's numbers.
    fn random(&mut self, subject: u64) -> Random {
        let call = self.calls.entry(subject).or_default();
        *call += 1;
        let mut hasher = DefaultHasher::new();
        (self.seed, subject, *call).hash(&mut hasher);
        Random::new(hasher.finish())
    }
}

/// The subject of a call: its path, its operation, and the first line of its body up to the part that differs between runs.
fn subject(head: &str, body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut lines = head.split("\r\n");
    let path = lines.next().and_then(|line| line.split(['?', ' ']).nth(1));
    path.hash(&mut hasher);
    let target = lines.find(|line| line.to_ascii_lowercase().starts_with("x-amz-target"));
    target.hash(&mut hasher);
    let body = String::from_utf8_lossy(body);
    for name in ["\"Name\":\"", "\"SecretId\":\"", "Action="] {
        let value = body.split_once(name).map(|(_, rest)| rest);
        let value = value.and_then(|rest| rest.split(['"', '&']).next());
        value.hash(&mut hasher);
    }
    hasher.finish()
}

/// Responds to one request.
async fn serve(
    mut stream: TcpStream,
    server: SocketAddr,
    script: &Mutex<Script>,
) -> std::io::Result<()> {
    let Some((head, mut body)) = read_head(&mut stream).await else {
        return Ok(());
    };
    let headers: Vec<(&str, &str)> = head
        .split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok());
    while body.len() < length.unwrap_or(0) {
        if stream.read_buf(&mut body).await? == 0 {
            return Ok(());
        }
    }
    let mut random = lock(script).random(subject(&head, &body));
    let real = if random.below(8) > 0 {
        forward(server, &head, &headers, &body).await?
    } else {
        Reply::error_of_gateway()
    };
    let reply = {
        let mut script = lock(script);
        if random.below(100) < script.hostile {
            let Script {
                secrets, quotes, ..
            } = &mut *script;
            mutation::Liar::new(&mut random, secrets, quotes).answer(real)
        } else {
            // A secret that the client never received is not its own, so the client could not recognize it in an ID.
            mutation::learn(&real, &mut script.secrets);
            real
        }
    };
    let (bytes, end) = reply.into_bytes();
    stream.write_all(&bytes).await?;
    match end {
        End::Close => stream.shutdown().await,
        End::Reset => stream.set_zero_linger(),
        End::Stall => {
            let mut rest = [0; 1024];
            while stream.read(&mut rest).await? > 0 {}
            Ok(())
        }
    }
}

async fn forward(
    server: SocketAddr,
    head: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Reply> {
    let mut start = head.split(' ');
    let (method, path) = (
        start.next().unwrap_or_default(),
        start.next().unwrap_or_default(),
    );
    let mut upstream = TcpStream::connect(server).await?;
    let head = forwarded_head(method, path, headers);
    upstream
        .write_all(&[head.as_bytes(), body].concat())
        .await?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).await?;
    Ok(Reply::read(&answer))
}
