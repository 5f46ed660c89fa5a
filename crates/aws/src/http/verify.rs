//! TLS: the library's verifier, unchanged in what it accepts, with a reason that names the certificate where it rejects
//! one.

use std::sync::{Arc, OnceLock};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::name;
use crate::fault::{CertificateError, CertificateFault, NetworkFault};
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
        Self(config(roots).map(|config| TlsConnector::from(Arc::new(config))))
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

fn config(roots: &Roots) -> Option<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let inner = WebPkiServerVerifier::builder_with_provider(
        Arc::clone(&roots.store),
        Arc::clone(&provider),
    )
    .build()
    .ok()?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        // "Dangerous" is any verifier but the default; this one is the default with other words.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ExplainingVerifier {
            inner,
            origin: roots.origin,
        }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(config)
}

/// The library's verifier. Every decision is its own; only its errors become ours.
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
                let highest = intermediates.last().unwrap_or(end_entity);
                let explained = CertificateError {
                    host: server_name.to_str().into_owned(),
                    fault: fault(&error, highest, self.origin),
                };
                Error::InvalidCertificate(rustls::CertificateError::Other(OtherError(Arc::new(
                    explained,
                ))))
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

fn fault(error: &Error, highest: &CertificateDer<'_>, origin: &'static str) -> CertificateFault {
    let Error::InvalidCertificate(why) = error else {
        return CertificateFault::Other;
    };
    match why {
        rustls::CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer {
            issuer: name::issuer(highest),
            origin,
        },
        rustls::CertificateError::BadSignature => CertificateFault::OtherKey {
            issuer: name::issuer(highest),
            origin,
        },
        rustls::CertificateError::Expired => CertificateFault::Expired { at: String::new() },
        rustls::CertificateError::ExpiredContext { not_after, .. } => CertificateFault::Expired {
            at: date(*not_after),
        },
        rustls::CertificateError::NotValidYet => CertificateFault::NotYetValid {
            from: String::new(),
        },
        rustls::CertificateError::NotValidYetContext { not_before, .. } => {
            CertificateFault::NotYetValid {
                from: date(*not_before),
            }
        }
        rustls::CertificateError::NotValidForName => {
            CertificateFault::WrongName { names: Vec::new() }
        }
        rustls::CertificateError::NotValidForNameContext { presented, .. } => {
            CertificateFault::WrongName {
                // Shared certificates have hundreds.
                names: presented
                    .iter()
                    .take(3)
                    .map(|name| plain(name).replace(char::is_control, " "))
                    .collect(),
            }
        }
        _ => CertificateFault::Other,
    }
}

/// `DnsName("example.com")`, as the library words it, without its wrapping.
fn plain(presented: &str) -> &str {
    presented
        .split_once('(')
        .map_or(presented, |(_, rest)| rest)
        .trim_end_matches(')')
        .trim_matches('"')
}

fn date(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| DateTime::from_secs(seconds).fmt(Format::DateTime).ok())
        .unwrap_or_default()
}
