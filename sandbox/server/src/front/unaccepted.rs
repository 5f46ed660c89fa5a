//! An address whose packets are dropped, as by a firewall.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::{self, Runtime},
};

/// The maximum duration of a loopback connection before its packets count as dropped.
const LONG: Duration = Duration::from_millis(200);
/// More connections than fit into a queue of minimum length.
const MANY: usize = 16;

/// Drops the first packet of each connection. It is a listener with a full queue that accepts nothing: Linux drops packets that
/// do not fit into the queue.
pub struct Unaccepted {
    address: SocketAddr,
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
    _runtime: Runtime,
}

impl Unaccepted {
    /// Uses a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If the operating system accepts connections anyway.
    #[must_use]
    pub fn start() -> Self {
        let started = Self::try_start().expect("a listener starts on a free port");
        started.expect("the system drops what does not fit into the queue")
    }

    fn try_start() -> io::Result<Option<Self>> {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let listener = runtime.block_on(async {
            let socket = TcpSocket::new_v4()?;
            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
            socket.listen(0)
        })?;
        let address = listener.local_addr()?;
        let mut queued = Vec::new();
        while queued.len() < MANY {
            match TcpStream::connect_timeout(&address, LONG) {
                Ok(stream) => queued.push(stream),
                Err(_) => {
                    return Ok(Some(Self {
                        address,
                        _listener: listener,
                        _queued: queued,
                        _runtime: runtime,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
