//! The TLS configuration. Certificates are verified by rustls, and this module changes no decision: it only replaces an
//! error of rustls by one that names the certificate and the reason.

use std::sync::Arc;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::issuer::issuer;
use crate::fault::{CertificateError, CertificateFault};
use crate::roots::Roots;

pub(super) fn client_config(roots: &Roots) -> Option<ClientConfig> {
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
        // rustls calls any verifier but its own dangerous. This one wraps rustls's own.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ExplainingVerifier {
            inner,
            origin: roots.origin,
        }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(config)
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
                let topmost = intermediates.last().unwrap_or(end_entity);
                let explained = CertificateError {
                    host: server_name.to_str().into_owned(),
                    fault: certificate_fault(&error, topmost, self.origin),
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

fn certificate_fault(
    error: &Error,
    topmost: &CertificateDer<'_>,
    origin: &'static str,
) -> CertificateFault {
    let Error::InvalidCertificate(why) = error else {
        return CertificateFault::Other;
    };
    match why {
        rustls::CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer {
            issuer: issuer(topmost),
            origin,
        },
        rustls::CertificateError::BadSignature => CertificateFault::IssuerKeyMismatch {
            issuer: issuer(topmost),
            origin,
        },
        rustls::CertificateError::Expired => CertificateFault::Expired { at: String::new() },
        rustls::CertificateError::ExpiredContext { not_after, .. } => CertificateFault::Expired {
            at: format_time(*not_after),
        },
        rustls::CertificateError::NotValidYet => CertificateFault::NotYetValid {
            from: String::new(),
        },
        rustls::CertificateError::NotValidYetContext { not_before, .. } => {
            CertificateFault::NotYetValid {
                from: format_time(*not_before),
            }
        }
        rustls::CertificateError::NotValidForName => {
            CertificateFault::NameMismatch { names: Vec::new() }
        }
        rustls::CertificateError::NotValidForNameContext { presented, .. } => {
            CertificateFault::NameMismatch {
                // A shared certificate can have hundreds.
                names: presented
                    .iter()
                    .take(3)
                    .map(|name| unwrap_debug(name).replace(char::is_control, " "))
                    .collect(),
            }
        }
        _ => CertificateFault::Other,
    }
}

/// The name in `DnsName("example.com")`, which is how rustls formats it.
fn unwrap_debug(presented: &str) -> &str {
    presented
        .split_once('(')
        .map_or(presented, |(_, rest)| rest)
        .trim_end_matches(')')
        .trim_matches('"')
}

fn format_time(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| DateTime::from_secs(seconds).fmt(Format::DateTime).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rejection_becomes_fault() {
        use rustls::CertificateError as Rejection;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(1_700_000_000));
        let certificate = CertificateDer::from(b"made up".as_slice());
        let presented = |names: &[&str]| Rejection::NotValidForNameContext {
            expected: ServerName::try_from("localhost").unwrap(),
            presented: names.iter().map(|&name| name.to_owned()).collect(),
        };
        let names = |names: &[&str]| CertificateFault::NameMismatch {
            names: names.iter().map(|&name| name.to_owned()).collect(),
        };
        for (rejection, expected) in [
            (
                Rejection::UnknownIssuer,
                CertificateFault::UnknownIssuer {
                    issuer: "(no name)".to_owned(),
                    origin: "SSL_CERT_FILE",
                },
            ),
            (
                Rejection::BadSignature,
                CertificateFault::IssuerKeyMismatch {
                    issuer: "(no name)".to_owned(),
                    origin: "SSL_CERT_FILE",
                },
            ),
            (
                Rejection::ExpiredContext {
                    time,
                    not_after: time,
                },
                CertificateFault::Expired {
                    at: "2023-11-14T22:13:20Z".to_owned(),
                },
            ),
            (
                Rejection::NotValidYetContext {
                    time,
                    not_before: time,
                },
                CertificateFault::NotYetValid {
                    from: "2023-11-14T22:13:20Z".to_owned(),
                },
            ),
            (presented(&[]), names(&[])),
            (
                presented(&[r#"DnsName("a.example")"#, "IpAddress(::1)", "c\nd", "e"]),
                names(&["a.example", "::1", "c d"]),
            ),
            (Rejection::Revoked, CertificateFault::Other),
        ] {
            let error = Error::InvalidCertificate(rejection);
            let fault = certificate_fault(&error, &certificate, "SSL_CERT_FILE");
            assert_eq!(fault, expected);
        }
    }
}
