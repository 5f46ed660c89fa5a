//! Connections opened before the first request needs them: while a token or credentials are being requested, they cost no extra
//! time. Each is used once, by one of the first requests to its server. Must not send anything itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;
use tokio::task::JoinHandle;

use super::connection_limit::{Server, server};
use super::stream::Stream;
use crate::fault::NetworkFault;

type Opening = JoinHandle<Result<Stream, NetworkFault>>;

/// The connections that no request has used yet, by server.
#[derive(Clone, Default)]
pub(super) struct EarlyConnections(Arc<Mutex<HashMap<Server, Vec<Opening>>>>);

impl EarlyConnections {
    /// Starts opening a connection to the server of `uri`, for [`Self::take`].
    pub(super) fn open(
        &self,
        uri: &Uri,
        connecting: impl Future<Output = Result<Stream, NetworkFault>> + Send + 'static,
    ) {
        let mut openings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let opening = tokio::spawn(connecting);
        openings.entry(server(uri)).or_default().push(opening);
    }

    /// A connection to the server of `uri`, once it is open, or the reason there is none. `None` if none was opened early, or
    /// the server has closed it again.
    pub(super) async fn take(&self, uri: &Uri) -> Option<Result<Stream, NetworkFault>> {
        loop {
            // A task that panicked counts as a closed connection.
            if let Ok(mut opened) = self.next(uri)?.await
                && opened.as_mut().map_or(true, Stream::is_idle)
            {
                return Some(opened);
            }
        }
    }

    fn next(&self, uri: &Uri) -> Option<Opening> {
        let mut openings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        openings.get_mut(&server(uri))?.pop()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    const SERVER: &str = "https://made-up.example.com";

    /// Connections that are open already, and the server's ends of them.
    fn opened(count: usize) -> (EarlyConnections, Vec<DuplexStream>) {
        let early = EarlyConnections::default();
        let ends = (0..count).map(|_| {
            let (client, server) = duplex(64);
            let stream = Stream::new(Box::new(client), false, None);
            early.open(&Uri::from_static(SERVER), async { Ok(stream) });
            server
        });
        let ends = ends.collect();
        (early, ends)
    }

    async fn is_taken(early: &EarlyConnections, uri: &'static str) -> bool {
        early.take(&Uri::from_static(uri)).await.is_some()
    }

    #[tokio::test]
    async fn connection_is_taken_once_and_by_its_server() {
        let (early, _ends) = opened(1);
        for other in ["https://other.example.com", "http://made-up.example.com"] {
            assert!(!is_taken(&early, other).await, "{other}");
        }
        assert!(is_taken(&early, SERVER).await);
        assert!(!is_taken(&early, SERVER).await);
    }

    #[tokio::test]
    async fn closed_connection_is_passed_over() {
        let (early, mut ends) = opened(2);
        drop(ends.pop());
        assert!(is_taken(&early, SERVER).await);
        assert!(!is_taken(&early, SERVER).await);
    }

    #[tokio::test]
    async fn failed_connection_is_reported() {
        let early = EarlyConnections::default();
        let uri = Uri::from_static(SERVER);
        early.open(&uri, async { Err(NetworkFault::ConnectionLost) });
        let taken = early.take(&uri).await;
        assert!(matches!(taken, Some(Err(NetworkFault::ConnectionLost))));
    }
}
