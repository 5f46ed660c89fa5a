//! The listener of a front: a separate thread, and a task per connection.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

use tokio::net::TcpStream;

use crate::server_thread::{ServerThread, listen};

/// A listening front. It stops, and all of its connections end, when this is dropped.
pub(super) struct BackgroundListener {
    pub(super) address: SocketAddr,
    _thread: ServerThread,
}

impl BackgroundListener {
    /// Listens on a free loopback port and calls `serve` for each connection.
    ///
    /// # Panics
    /// If there is no free port, or no thread can be started.
    pub(super) fn start<F, T>(ipv6: bool, serve: F) -> Self
    where
        F: Fn(TcpStream) -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        Self::try_start(ipv6, serve).expect("a front starts on a free port")
    }

    fn try_start<F, T>(ipv6: bool, serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let loopback: IpAddr = if ipv6 {
            Ipv6Addr::LOCALHOST.into()
        } else {
            Ipv4Addr::LOCALHOST.into()
        };
        let listener = listen(loopback, 0)?;
        Ok(Self {
            address: listener.local_addr()?,
            _thread: ServerThread::spawn("front", move || accept(listener, serve))?,
        })
    }
}

/// Accepts connections until the listener fails.
async fn accept<F, T>(listener: TcpListener, serve: F) -> io::Result<()>
where
    F: Fn(TcpStream) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        // Without it, small writes wait for acknowledgments; a failure only costs time.
        let _ = stream.set_nodelay(true);
        tokio::spawn(serve(stream));
    }
}
