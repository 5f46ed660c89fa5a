//! The number of connections that are open at the same time, for each server by itself: connections to Secrets Manager must
//! not keep a request for credentials from STS. It opens none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;
use http::uri::{Authority, Scheme};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most connections to one server. The pool would open one for each request that finds none idle, also for those that get
/// one before it is open. At the default `rate`, this many keep the pace with responses that take 150 ms.
const MAX_CONNECTIONS: usize = 32;

/// A server, as the pool of connections distinguishes them.
pub(super) type Server = (Option<Scheme>, Option<Authority>);

/// The server of a URL.
pub(super) fn server(uri: &Uri) -> Server {
    (uri.scheme().cloned(), uri.authority().cloned())
}

/// The permits that are left, by server.
#[derive(Clone, Default)]
pub(super) struct ConnectionLimit(Arc<Mutex<HashMap<Server, Arc<Semaphore>>>>);

impl ConnectionLimit {
    /// Waits until another connection to the server of `uri` may be opened. It counts until the permit is dropped.
    pub(super) async fn permit(&self, uri: &Uri) -> Option<OwnedSemaphorePermit> {
        let permits = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let permits = all.entry(server(uri));
            Arc::clone(permits.or_insert_with(|| Arc::new(Semaphore::new(MAX_CONNECTIONS))))
        };
        // `None` only if the semaphore were closed.
        permits.acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn servers_do_not_wait_for_each_other() {
        let limit = ConnectionLimit::default();
        let busy = Uri::from_static("https://secrets.example.com");
        let mut permits = Vec::new();
        for _ in 0..MAX_CONNECTIONS {
            permits.push(limit.permit(&busy).await.unwrap());
        }
        let mut next = pin!(limit.permit(&busy));
        let mut context = Context::from_waker(Waker::noop());
        assert!(next.as_mut().poll(&mut context).is_pending());
        let other = Uri::from_static("https://sts.example.com");
        assert!(limit.permit(&other).await.is_some());
        permits.pop();
        assert!(next.await.is_some());
    }
}
