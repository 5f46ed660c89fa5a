//! TLS over a connection that is open already. The configuration is made once, for the first connection that needs it.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::ServerName;
use rustls::{Error, OtherError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::verifier::client_config;
use crate::fault::{CertificateError, NetworkFault};
use crate::roots::{Roots, Trust};

/// What a connection is made of, whatever it is.
pub(super) trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for T {}
pub(super) type Io = Box<dyn ReadWrite>;

/// The TLS client, set up for the first `https` connection: reading the system's roots takes hundreds of files, and the
/// metadata services and endpoints on loopback speak plain HTTP.
pub(super) struct LazyTls {
    trust: Trust,
    client: OnceLock<Tls>,
}

impl LazyTls {
    pub(super) fn new(trust: Trust) -> Self {
        Self {
            trust,
            client: OnceLock::new(),
        }
    }

    pub(super) fn get(&self) -> &Tls {
        self.client.get_or_init(|| Tls::new(&self.trust.roots()))
    }
}

/// How to speak TLS; `None` inside where the provider could not be set up at all.
pub(super) struct Tls(Option<TlsConnector>);

impl Tls {
    pub(super) fn new(roots: &Roots) -> Self {
        Self(client_config(roots).map(|config| TlsConnector::from(Arc::new(config))))
    }

    /// Shakes hands over `io` with the server that must be `host`.
    pub(super) async fn wrap(&self, host: &str, io: Io) -> Result<TlsStream<Io>, NetworkFault> {
        let broken_tls = || NetworkFault::Tls {
            host: host.to_owned(),
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|_| broken_tls())?;
        let connector = self.0.as_ref().ok_or_else(broken_tls)?;
        connector.connect(name, io).await.map_err(|error| {
            let of_rustls = error.get_ref().and_then(|inner| inner.downcast_ref());
            match of_rustls {
                Some(Error::InvalidCertificate(rustls::CertificateError::Other(OtherError(
                    why,
                )))) => why
                    .downcast_ref::<CertificateError>()
                    .map_or_else(broken_tls, |why| NetworkFault::Untrusted(why.clone())),
                Some(_) => broken_tls(),
                // Not TLS's fault: the connection ended.
                None => NetworkFault::Broken {
                    host: host.to_owned(),
                },
            }
        })
    }
}
