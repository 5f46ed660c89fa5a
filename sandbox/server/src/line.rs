//! Owns the connections, and breaking them on demand: an HTTP server never closes without an answer or sends
//! less than it declared, so this happens below it.

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

/// What becomes of the next bytes that are written.
#[derive(Clone, Copy)]
enum Order {
    Carry,
    /// Close without a byte.
    Close,
    /// Reset without a byte.
    Reset,
    /// Close after the head and this much of the body.
    Cut(usize),
    /// Close after this many more bytes.
    Left(usize),
}

/// A request's hold on the connection it came by.
#[derive(Clone)]
pub(crate) struct Handle(Arc<Mutex<Order>>);

impl Handle {
    pub(crate) fn close(&self) {
        self.set(Order::Close);
    }

    pub(crate) fn reset(&self) {
        self.set(Order::Reset);
    }

    pub(crate) fn cut_body_after(&self, bytes: usize) {
        self.set(Order::Cut(bytes));
    }

    fn set(&self, order: Order) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = order;
    }
}

impl Connected<IncomingStream<'_, Lines>> for Handle {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.io().handle.clone()
    }
}

/// Listens for connections that can be broken.
pub(crate) struct Lines(pub(crate) TcpListener);

impl Listener for Lines {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        // Only a matter of speed.
        let _ = stream.set_nodelay(true);
        let handle = Handle(Arc::new(Mutex::new(Order::Carry)));
        (Line { stream, handle }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

pub(crate) struct Line {
    stream: TcpStream,
    handle: Handle,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let handle = self.handle.clone();
        let mut order = handle.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Order::Cut(body) = *order {
            // The head is always in the first write after the order, whole.
            let head = buf.windows(4).position(|four| four == b"\r\n\r\n");
            *order = Order::Left(head.map_or(0, |at| at + 4) + body);
        }
        match *order {
            Order::Carry => Pin::new(&mut self.stream).poll_write(cx, buf),
            Order::Left(left) if left > 0 => {
                let part = &buf[..left.min(buf.len())];
                let written = Pin::new(&mut self.stream).poll_write(cx, part);
                if let Poll::Ready(Ok(written)) = written {
                    *order = Order::Left(left - written);
                }
                written
            }
            Order::Reset => {
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
