//! TLS over an open connection. The configuration is made for the first connection that needs it, because reading the
//! system's roots opens hundreds of files, and many runs with a metadata service or a local endpoint never use TLS.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::ServerName;
use rustls::{Error, OtherError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::verifier::client_config;
use crate::fault::{CertificateError, NetworkFault};
use crate::roots::RootSource;

/// A TCP connection, a tunnel, or TLS over either.
pub(super) type Io = Box<dyn ReadWrite>;
pub(super) trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for T {}

/// The TLS client.
pub(super) struct Tls {
    source: RootSource,
    /// `None` inside if rustls rejects the configuration.
    connector: OnceLock<Option<TlsConnector>>,
}

impl Tls {
    pub(super) fn new(source: RootSource) -> Self {
        Self {
            source,
            connector: OnceLock::new(),
        }
    }

    /// Establishes TLS over `io` and verifies that the server is `host`.
    pub(super) async fn handshake(
        &self,
        host: &str,
        io: Io,
    ) -> Result<TlsStream<Io>, NetworkFault> {
        let host = || host.to_owned();
        let tls_fault = || NetworkFault::Tls { host: host() };
        let name = ServerName::try_from(host()).map_err(|_| tls_fault())?;
        let connector = self.connector.get_or_init(|| {
            let config = client_config(&self.source.load_roots())?;
            Some(TlsConnector::from(Arc::new(config)))
        });
        let connector = connector.as_ref().ok_or_else(tls_fault)?;
        connector.connect(name, io).await.map_err(|error| {
            let tls_error = error.get_ref().and_then(|inner| inner.downcast_ref());
            match tls_error {
                Some(Error::InvalidCertificate(rustls::CertificateError::Other(OtherError(
                    explained,
                )))) => explained
                    .downcast_ref::<CertificateError>()
                    .map_or_else(tls_fault, |error| NetworkFault::Certificate(error.clone())),
                Some(_) => tls_fault(),
                // An error of the connection, not of TLS.
                None => NetworkFault::ConnectFailed { host: host() },
            }
        })
    }
}
