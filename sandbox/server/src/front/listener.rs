//! Owns the thread of a front: listening, a task for each connection, stopping.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    thread::{self, JoinHandle},
};

use tokio::{net::TcpStream, runtime, sync::oneshot};

/// A listening front. It stops, and all of its connections end, when this is dropped.
pub(super) struct BackgroundListener {
    pub(super) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl BackgroundListener {
    /// Listens on a free port of loopback and lets `serve` have each connection.
    ///
    /// # Panics
    /// When there is no such port, or no thread.
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
        let listener = TcpListener::bind((loopback, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = thread::Builder::new()
            .name("front".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = accept(listener, serve) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

/// Ends with an error only.
async fn accept<F, T>(listener: TcpListener, serve: F) -> io::Result<()>
where
    F: Fn(TcpStream) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        // Only a matter of speed.
        let _ = stream.set_nodelay(true);
        tokio::spawn(serve(stream));
    }
}

impl Drop for BackgroundListener {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may be gone already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
