//! Connections that break on demand. An HTTP server neither closes a connection without a response nor sends less than it
//! declared, so this happens below the HTTP layer.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// The instruction for the bytes that are written next.
#[derive(Clone, Copy)]
enum Instruction {
    Forward,
    /// Close without sending a byte.
    Close,
    /// Reset without sending a byte.
    Reset,
    /// Close after the head and this many bytes of the body.
    TruncateBody(usize),
    /// Close after this many more bytes.
    CloseAfter(usize),
}

/// Control of the connection that a request came in on.
#[derive(Clone)]
pub(crate) struct ConnectionHandle(Arc<Mutex<Instruction>>);

impl ConnectionHandle {
    pub(crate) fn close(&self) {
        self.set(Instruction::Close);
    }

    pub(crate) fn reset(&self) {
        self.set(Instruction::Reset);
    }

    pub(crate) fn truncate_body_after(&self, bytes: usize) {
        self.set(Instruction::TruncateBody(bytes));
    }

    fn set(&self, instruction: Instruction) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = instruction;
    }
}

impl Connected<IncomingStream<'_, BreakableListener>> for ConnectionHandle {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        stream.io().handle.clone()
    }
}

/// Accepts connections that can be broken.
pub(crate) struct BreakableListener(pub(crate) TcpListener);

impl Listener for BreakableListener {
    type Io = BreakableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (BreakableStream, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        // Without it, small writes wait for acknowledgments; a failure only costs time.
        let _ = stream.set_nodelay(true);
        let handle = ConnectionHandle(Arc::new(Mutex::new(Instruction::Forward)));
        (BreakableStream { stream, handle }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

pub(crate) struct BreakableStream {
    stream: TcpStream,
    handle: ConnectionHandle,
}

impl AsyncRead for BreakableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for BreakableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let handle = self.handle.clone();
        let mut instruction = handle.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Instruction::TruncateBody(body) = *instruction {
            // The first write after the instruction always contains the complete head.
            let head = buf.windows(4).position(|four| four == b"\r\n\r\n");
            *instruction = Instruction::CloseAfter(head.map_or(0, |at| at + 4) + body);
        }
        match *instruction {
            Instruction::Forward => Pin::new(&mut self.stream).poll_write(cx, buf),
            Instruction::CloseAfter(left) if left > 0 => {
                let part = &buf[..left.min(buf.len())];
                let written = Pin::new(&mut self.stream).poll_write(cx, part);
                if let Poll::Ready(Ok(written)) = written {
                    *instruction = Instruction::CloseAfter(left - written);
                }
                written
            }
            Instruction::Reset => {
                let lingers = self.stream.set_zero_linger();
                Poll::Ready(Err(lingers.err().unwrap_or_else(broken)))
            }
            _ => Poll::Ready(Err(broken())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

fn broken() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}
