//! DNS lookups. A lookup continues when the connection that needs it has reached its time limit, and the next connection waits
//! for the same lookup: if the first DNS server does not respond, each lookup takes five seconds or more. Must not cache
//! results.

use std::collections::HashMap;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::vec;

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::watch;
use tower_service::Service;

use crate::fault::NetworkFault;

/// The addresses of a name, with port 0; `None` while they are looked up.
type Addresses = Option<Result<Vec<SocketAddr>, NetworkFault>>;

/// The lookups in progress, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lookups(Arc<Mutex<HashMap<String, watch::Receiver<Addresses>>>>);

impl Lookups {
    /// Whether a lookup of this name is in progress.
    pub(super) fn is_waiting_for(&self, host: &str) -> bool {
        self.lock().contains_key(host)
    }

    async fn addresses(&self, host: &str) -> Result<Vec<SocketAddr>, NetworkFault> {
        let mut lookup = self.start(host)?;
        // The sender is lost if the thread panicked.
        let addresses = lookup.wait_for(Option::is_some).await;
        let addresses = addresses.ok().and_then(|addresses| addresses.clone());
        addresses.unwrap_or_else(|| Err(dns_fault(host)))
    }

    fn start(&self, host: &str) -> Result<watch::Receiver<Addresses>, NetworkFault> {
        let mut lookups = self.lock();
        if let Some(lookup) = lookups.get(host) {
            return Ok(lookup.clone());
        }
        let (sender, lookup) = watch::channel(None);
        let (this, name) = (self.clone(), host.to_owned());
        let thread = move || {
            let addresses = (name.as_str(), 0).to_socket_addrs();
            let addresses =
                addresses.map_or_else(|_| Err(dns_fault(&name)), |all| Ok(all.collect()));
            this.lock().remove(&name);
            sender.send_replace(Some(addresses));
        };
        // Does not use the runtime's pool, which panics if no more threads are permitted.
        thread::Builder::new()
            .spawn(thread)
            .map_err(|_| NetworkFault::NoThread {
                host: host.to_owned(),
            })?;
        lookups.insert(host.to_owned(), lookup.clone());
        Ok(lookup)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Addresses>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn dns_fault(host: &str) -> NetworkFault {
    NetworkFault::Dns {
        host: host.to_owned(),
    }
}

/// The SDK's resolver interface.
impl ResolveDns for Lookups {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let addresses = self.addresses(name).await;
            let addresses = addresses.map_err(ResolveDnsError::new)?;
            Ok(addresses.into_iter().map(|address| address.ip()).collect())
        })
    }
}

/// hyper-util's resolver interface.
impl Service<Name> for Lookups {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = NetworkFault;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NetworkFault>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NetworkFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.addresses(name.as_str()).await?.into_iter()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lookup_survives_its_first_waiter() {
        let lookups = Lookups::default();
        // Stands in for the thread of a slow lookup.
        let (sender, lookup) = watch::channel(None);
        lookups.lock().insert("slow.example".to_owned(), lookup);
        let mut first = Box::pin(lookups.addresses("slow.example"));
        assert!(futures_poll(&mut first).is_pending());
        drop(first);
        assert!(lookups.is_waiting_for("slow.example"));
        let mut second = Box::pin(lookups.addresses("slow.example"));
        assert!(futures_poll(&mut second).is_pending());
        let found: SocketAddr = "192.0.2.1:0".parse().unwrap();
        sender.send_replace(Some(Ok(vec![found])));
        assert_eq!(second.await, Ok(vec![found]));
    }

    fn futures_poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(std::task::Waker::noop()))
    }

    #[tokio::test]
    async fn lookup_ends_with_addresses_or_fault() {
        let lookups = Lookups::default();
        let found = lookups.addresses("localhost").await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()));
        let missing = lookups.addresses("made-up.invalid").await;
        assert_eq!(missing, Err(dns_fault("made-up.invalid")));
        assert!(!lookups.is_waiting_for("localhost"));
    }
}
