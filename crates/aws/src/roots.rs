//! The trusted certificate authorities: those that the environment names, else the system's, else Mozilla's, which are in
//! the binary for images that have none. Reads and checks files; opens no connection and judges no server.

use std::fs::File;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use upsert_secret_core::bounded::{self, io_reason};
use upsert_secret_core::connection::TrustSettings;

/// The largest bundle that is read; a system's has about 220 KB.
const MAX_BUNDLE_BYTES: usize = 16 * 1024 * 1024;

/// The trusted authorities. The system's are not read before [`Trust::roots`].
#[derive(Clone)]
pub(crate) enum Trust {
    /// These and no others.
    Named(Roots),
    /// The system's.
    System,
}

/// Trusted certificates, and where they came from.
#[derive(Clone)]
pub(crate) struct Roots {
    /// For the verifier.
    pub(crate) store: Arc<RootCertStore>,
    /// In words, for messages: "AWS_CA_BUNDLE".
    pub(crate) origin: &'static str,
}

impl Trust {
    /// Reads the certificates that the settings name: `AWS_CA_BUNDLE` as in every AWS tool, `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` as in OpenSSL.
    ///
    /// # Errors
    /// A file that cannot be read or holds no certificate, with the variable, the file and the reason.
    pub(crate) fn load(settings: &TrustSettings) -> Result<Self, String> {
        let (file, folders) = match settings {
            TrustSettings::System => return Ok(Self::System),
            TrustSettings::Bundle(file) => {
                return Ok(Self::Named(Roots {
                    store: Arc::new(read_bundle("AWS_CA_BUNDLE", file)?),
                    origin: "AWS_CA_BUNDLE",
                }));
            }
            TrustSettings::Files { file, folders } => (file, folders.as_deref()),
        };
        let mut store = match file {
            Some(file) => read_bundle("SSL_CERT_FILE", file)?,
            None => RootCertStore::empty(),
        };
        for folder in folders.into_iter().flat_map(std::env::split_paths) {
            // Such folders hold other files too. OpenSSL ignores them, and so does this.
            let found = rustls_native_certs::load_certs_from_paths(None, Some(&folder));
            store.add_parsable_certificates(found.certs);
        }
        if store.is_empty() {
            let folders = folders.unwrap_or_default();
            return Err(if is_quotable(folders) {
                format!("SSL_CERT_DIR: no certificate was found in {folders}")
            } else {
                "SSL_CERT_DIR holds no path".to_owned()
            });
        }
        Ok(Self::Named(Roots {
            store: Arc::new(store),
            origin: match file {
                Some(_) => "SSL_CERT_FILE",
                None => "SSL_CERT_DIR",
            },
        }))
    }

    /// The certificates. Reads the system's, hundreds of files.
    pub(crate) fn roots(&self) -> Roots {
        if let Self::Named(roots) = self {
            return roots.clone();
        }
        let mut store = RootCertStore::empty();
        // What webpki cannot read, it could not verify with either.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let origin = if store.is_empty() {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            "Mozilla's list, as this system has none of its own"
        } else {
            "the system's list"
        };
        Roots {
            store: Arc::new(store),
            origin,
        }
    }
}

/// Whether it is like a path, and not the content of a file, which may be a key, in its place.
fn is_quotable(path: &str) -> bool {
    path.len() <= 1_024 && !path.contains("-----") && !path.chars().any(char::is_control)
}

/// Every certificate of a PEM file. One that is broken refuses the file: a bundle that is cut short
/// would otherwise be found out by a connection that fails.
fn read_bundle(variable: &str, path: &str) -> Result<RootCertStore, String> {
    if !is_quotable(path) {
        return Err(format!(
            "{variable} holds no path; it must name a PEM file, not hold what is in one"
        ));
    }
    let wrong = |why: &str| format!("{variable}: {path} {why}");
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        // Reading a pipe could take for ever.
        return Err(wrong("is no file"));
    }
    let text = File::open(path)
        .and_then(|file| bounded::read(file, MAX_BUNDLE_BYTES))
        .map_err(|error| wrong(&format!("cannot be read: {}", io_reason(&error))))?
        .ok_or_else(|| wrong("is larger than 16 MB"))?;
    let mut store = RootCertStore::empty();
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(&text)) {
        // The parser's own text may quote the file, which may be a key by mistake.
        let certificate = certificate.map_err(|_| {
            wrong(&format!(
                "is no PEM file: certificate {number} is broken off or is not base64"
            ))
        })?;
        store
            .add(certificate)
            .map_err(|_| wrong(&format!("holds something in place of certificate {number}")))?;
    }
    if store.is_empty() {
        return Err(wrong(
            "holds no certificate; it must have lines `-----BEGIN CERTIFICATE-----`",
        ));
    }
    Ok(store)
}
