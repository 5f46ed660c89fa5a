//! TLS over an open connection. Certificates are verified by rustls, and this module changes no decision: it only replaces
//! an error of rustls by one that also names the server and the issuer.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::issuer::issuer;
use crate::fault::{NetworkFault, RejectedCertificate};
use crate::roots::{Roots, system_roots};

/// A TCP connection, a tunnel, or TLS over either.
pub(super) type Io = Box<dyn ReadWrite>;
pub(super) trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for T {}

/// The TLS client. Its configuration is made for the first connection that needs it, because reading the system's roots opens
/// hundreds of files, and many runs with a metadata service or a local endpoint never use TLS.
pub(super) struct Tls {
    /// The roots that the environment names; `None` for the system's.
    roots: Option<Roots>,
    /// `None` inside if rustls rejects the configuration.
    connector: OnceLock<Option<TlsConnector>>,
}

impl Tls {
    pub(super) fn new(roots: Option<Roots>) -> Self {
        Self {
            roots,
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
        let connector = self
            .connector
            .get_or_init(|| connector(self.roots.clone().unwrap_or_else(system_roots)));
        let connector = connector.as_ref().ok_or_else(tls_fault)?;
        connector.connect(name, io).await.map_err(|error| {
            let tls_error = error.get_ref().and_then(|inner| inner.downcast_ref());
            match tls_error {
                Some(Error::InvalidCertificate(CertificateError::Other(OtherError(rejected)))) => {
                    rejected
                        .downcast_ref::<NetworkFault>()
                        .cloned()
                        .unwrap_or_else(tls_fault)
                }
                Some(_) => tls_fault(),
                // An error of the connection, not of TLS.
                None => NetworkFault::ConnectFailed { host: host() },
            }
        })
    }
}

fn connector(roots: Roots) -> Option<TlsConnector> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let inner = WebPkiServerVerifier::builder_with_provider(roots.store, Arc::clone(&provider))
        .build()
        .ok()?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        // rustls calls any verifier but its own dangerous. This one wraps rustls's own.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ExplainingVerifier {
            inner,
            origin: roots.origin,
        }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(TlsConnector::from(Arc::new(config)))
}

/// rustls's verifier with explained errors.
#[derive(Debug)]
struct ExplainingVerifier {
    inner: Arc<WebPkiServerVerifier>,
    origin: &'static str,
}

impl ServerCertVerifier for ExplainingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| {
                let error = match error {
                    Error::InvalidCertificate(error) => error,
                    _ => CertificateError::ApplicationVerificationFailure,
                };
                let topmost = intermediates.last().unwrap_or(end_entity);
                let rejected = RejectedCertificate {
                    host: server_name.to_str().into_owned(),
                    error,
                    issuer: issuer(topmost),
                    origin: self.origin,
                };
                let fault = NetworkFault::Certificate(Box::new(rejected));
                Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(fault))))
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
