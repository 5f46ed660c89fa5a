//! TLS over an open connection. rustls verifies certificates. Must not change any decision: it only replaces a rustls error
//! with one that also names the server and the issuer.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::{chain_fault, key_fault};
use super::issuer::issuer;
use super::stream::Io;
use crate::fault::{CertificateFault, NetworkFault, RejectedCertificate};
use crate::roots::{Roots, system_roots};
use crate::thread;

/// The TLS client. Its configuration is made for the first connection that needs it, because reading the system's roots takes
/// milliseconds, and many runs with a metadata service or a local endpoint never use TLS.
pub(super) struct Tls {
    /// The roots configured in the environment; `None` for the system's roots.
    roots: Option<Roots>,
    /// The inner value is `None` if rustls rejects the configuration.
    connector: OnceCell<Option<TlsConnector>>,
}

impl Tls {
    pub(super) fn new(roots: Option<Roots>) -> Self {
        Self {
            roots,
            connector: OnceCell::new(),
        }
    }

    /// Starts creating the configuration, so that it is ready when the connection is open.
    pub(super) fn prepare(self: &Arc<Self>) {
        if !self.connector.initialized() {
            let this = Arc::clone(self);
            tokio::spawn(async move {
                this.connector().await;
            });
        }
    }

    async fn connector(&self) -> Option<&TlsConnector> {
        let made = self.connector.get_or_init(async || {
            let roots = self.roots.clone();
            let make = move || connector(roots.unwrap_or_else(system_roots));
            match thread::start(make.clone()) {
                Ok(made) => made.await.flatten(),
                // Running on this thread is better than failing.
                Err(thread::NoThread) => make(),
            }
        });
        made.await.as_ref()
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
        let connector = self.connector().await.ok_or_else(tls_fault)?;
        connector.connect(name, io).await.map_err(|error| {
            let tls_error = error.get_ref().and_then(|inner| inner.downcast_ref());
            match tls_error {
                Some(Error::InvalidCertificate(CertificateError::Other(OtherError(error)))) => {
                    let rejected = error.downcast_ref::<Rejected>();
                    rejected.map_or_else(tls_fault, |rejected| rejected.by(host()))
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
    let store = Arc::clone(&roots.store);
    let inner = WebPkiServerVerifier::builder_with_provider(store, Arc::clone(&provider))
        .build()
        .ok()?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        // rustls marks custom verifiers as dangerous. This one wraps the rustls verifier.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ExplainingVerifier { inner, roots }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(TlsConnector::from(Arc::new(config)))
}

/// A rejection with its reason, as an error that rustls passes on.
#[derive(Clone, Debug)]
struct Rejected {
    fault: CertificateFault,
    issuer: String,
    origin: &'static str,
}

impl Rejected {
    fn by(&self, host: String) -> NetworkFault {
        let Self {
            fault,
            issuer,
            origin,
        } = self.clone();
        NetworkFault::Certificate(Box::new(RejectedCertificate {
            host,
            fault,
            issuer,
            origin,
        }))
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rejected certificate")
    }
}

impl StdError for Rejected {}

/// The rustls verifier with explained errors.
struct ExplainingVerifier {
    inner: Arc<WebPkiServerVerifier>,
    roots: Roots,
}

impl ExplainingVerifier {
    /// The error with the reason that `find` derives from the rustls error. `topmost` is the server's last certificate.
    fn explain(
        &self,
        error: &Error,
        topmost: &CertificateDer<'_>,
        find: impl FnOnce(&CertificateError) -> CertificateFault,
    ) -> Error {
        let fault = match error {
            Error::InvalidCertificate(error) => find(error),
            _ => CertificateFault::Invalid,
        };
        let rejected = Rejected {
            fault,
            issuer: issuer(topmost),
            origin: self.roots.origin,
        };
        Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(rejected))))
    }
}

impl fmt::Debug for ExplainingVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExplainingVerifier")
    }
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
                let topmost = intermediates.last().unwrap_or(end_entity);
                self.explain(&error, topmost, |error| {
                    chain_fault(error, end_entity, intermediates, &self.roots.store)
                })
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls12_signature(message, cert, dss)
            .map_err(|error| self.explain(&error, cert, |error| key_fault(error, cert)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls13_signature(message, cert, dss)
            .map_err(|error| self.explain(&error, cert, |error| key_fault(error, cert)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
