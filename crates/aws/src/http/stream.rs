//! A connection in the types of hyper's pool. It does not open or close one, and does not look into what passes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use hyper::rt::ReadBufCursor;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;

/// A TCP connection, a tunnel, or TLS over either.
pub(super) type Io = Box<dyn ReadWrite>;
pub(super) trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for T {}

/// A connection that is ready for HTTP requests.
pub(super) struct Stream {
    io: TokioIo<Io>,
    /// Whether a proxy reads the requests and forwards them. hyper then sends the whole URL in the request line.
    forwarded: bool,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Stream {
    /// `forwarded`: a proxy reads the requests and forwards them. The connection keeps its `permit` while it exists.
    pub(super) fn new(io: Io, forwarded: bool, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            io: TokioIo::new(io),
            forwarded,
            _permit: permit,
        }
    }

    /// Whether the server has neither closed the connection nor sent anything over it.
    pub(super) fn is_idle(&mut self) -> bool {
        let (mut byte, mut context) = ([0], Context::from_waker(Waker::noop()));
        let mut buffer = ReadBuf::new(&mut byte);
        let read = Pin::new(self.io.inner_mut()).poll_read(&mut context, &mut buffer);
        read.is_pending()
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.forwarded)
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
