//! TLS: the library's verifier, unchanged in what it accepts, with a reason that names the
//! certificate where it refuses.

use std::fmt;
use std::sync::Arc;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::error::NetworkFault;
use super::connect::Io;
use super::name;
use crate::trust::Roots;

/// A certificate that was not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distrust {
    /// The server that showed it.
    pub host: String,
    /// Why not.
    pub doubt: Doubt,
}

/// Why a certificate was not trusted. Names are the server's, and are redacted like everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// No root that we trust issued it.
    UnknownIssuer {
        /// The issuer that would have to be trusted.
        issuer: String,
        /// The list that it is not on.
        origin: &'static str,
    },
    /// A root of its issuer's name is trusted, but did not sign it.
    OtherKey {
        /// The issuer.
        issuer: String,
        /// The list that has one of that name.
        origin: &'static str,
    },
    /// It ended before now.
    Expired {
        /// RFC 3339, or empty where the library does not say.
        at: String,
    },
    /// It starts after now.
    NotYetValid {
        /// RFC 3339, or empty where the library does not say.
        from: String,
    },
    /// It is for other names.
    WrongName {
        /// Some of them.
        names: Vec<String>,
    },
    /// Anything else: revoked, malformed, a purpose that is not a server's.
    Other,
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("certificate not trusted")
    }
}

impl std::error::Error for Distrust {}

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
                Some(Error::InvalidCertificate(CertificateError::Other(OtherError(why)))) => why
                    .downcast_ref::<Distrust>()
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
        .with_custom_certificate_verifier(Arc::new(Telling {
            inner,
            origin: roots.origin,
        }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(config)
}

/// The library's verifier. Every decision is its own; only its errors become ours.
#[derive(Debug)]
struct Telling {
    inner: Arc<WebPkiServerVerifier>,
    origin: &'static str,
}

impl ServerCertVerifier for Telling {
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
                let distrust = Distrust {
                    host: server_name.to_str().into_owned(),
                    doubt: doubt(&error, highest, self.origin),
                };
                Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(distrust))))
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

fn doubt(error: &Error, highest: &CertificateDer<'_>, origin: &'static str) -> Doubt {
    let Error::InvalidCertificate(why) = error else {
        return Doubt::Other;
    };
    match why {
        CertificateError::UnknownIssuer => Doubt::UnknownIssuer {
            issuer: name::issuer(highest),
            origin,
        },
        CertificateError::BadSignature => Doubt::OtherKey {
            issuer: name::issuer(highest),
            origin,
        },
        CertificateError::Expired => Doubt::Expired { at: String::new() },
        CertificateError::ExpiredContext { not_after, .. } => Doubt::Expired {
            at: date(*not_after),
        },
        CertificateError::NotValidYet => Doubt::NotYetValid {
            from: String::new(),
        },
        CertificateError::NotValidYetContext { not_before, .. } => Doubt::NotYetValid {
            from: date(*not_before),
        },
        CertificateError::NotValidForName => Doubt::WrongName { names: Vec::new() },
        CertificateError::NotValidForNameContext { presented, .. } => Doubt::WrongName {
            // Shared certificates have hundreds.
            names: presented
                .iter()
                .take(3)
                .map(|name| plain(name).replace(char::is_control, " "))
                .collect(),
        },
        _ => Doubt::Other,
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
