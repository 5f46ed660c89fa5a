//! The trusted root certificates: those configured in the environment, otherwise the system's, otherwise Mozilla's, which are
//! built in for container images without any. Reads files. Must not open connections.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
#[cfg(all(unix, not(target_os = "macos")))]
use rustls_native_certs::load_certs_from_paths;

use upsert_secret_core::bounded::{self, io_reason};
use upsert_secret_core::connection::TrustSettings;

use crate::text_file;

/// The maximum size of a bundle. A system's bundle has about 220 KB.
const MAX_BUNDLE_BYTES: usize = 16 * 1024 * 1024;

/// Trusted root certificates.
#[derive(Clone)]
pub(crate) struct Roots {
    pub(crate) store: Arc<RootCertStore>,
    /// Their source, in words for messages: `AWS_CA_BUNDLE`.
    pub(crate) origin: &'static str,
}

/// Reads the certificates that the settings name: `AWS_CA_BUNDLE` as in all AWS tools, `SSL_CERT_FILE` and `SSL_CERT_DIR` as in
/// OpenSSL. `None` means the system's roots.
///
/// # Errors
/// The variable, the file and the reason, as text: a file cannot be read, or contains no certificate.
pub(crate) fn configured_roots(settings: &TrustSettings) -> Result<Option<Roots>, String> {
    let (origin, file, folders) = match settings {
        TrustSettings::System => return Ok(None),
        TrustSettings::Bundle(file) => ("AWS_CA_BUNDLE", Some(file), None),
        TrustSettings::Files { file, folders } => match file {
            Some(file) => ("SSL_CERT_FILE", Some(file), folders.as_deref()),
            None => ("SSL_CERT_DIR", None, folders.as_deref()),
        },
    };
    let mut store = match file {
        Some(file) => read_bundle(origin, file)?,
        None => RootCertStore::empty(),
    };
    for folder in folders.into_iter().flat_map(std::env::split_paths) {
        store.add_parsable_certificates(read_folder(&folder));
    }
    if store.is_empty() {
        let folders = folders.unwrap_or_default();
        return Err(if is_quotable(folders) {
            format!("SSL_CERT_DIR: no certificate was found in {folders}")
        } else {
            "SSL_CERT_DIR holds no path".to_owned()
        });
    }
    Ok(Some(Roots {
        store: Arc::new(store),
        origin,
    }))
}

/// The system's roots, or else Mozilla's. Reading the system's roots can open hundreds of files.
pub(crate) fn system_roots() -> Roots {
    let mut store = RootCertStore::empty();
    // A root that webpki cannot parse cannot verify anything.
    store.add_parsable_certificates(system_certificates());
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

/// The certificates of the system's bundle, or else of its directories, which contain the same certificates in about a hundred
/// files.
#[cfg(all(unix, not(target_os = "macos")))]
fn system_certificates() -> Vec<CertificateDer<'static>> {
    let found = openssl_probe::probe();
    let bundle = load_certs_from_paths(found.cert_file.as_deref(), None).certs;
    if !bundle.is_empty() {
        return bundle;
    }
    let folders = found.cert_dir.iter();
    let folders = folders.map(|folder| load_certs_from_paths(None, Some(folder)).certs);
    folders.flatten().collect()
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn system_certificates() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// Whether a message may quote a path. The variable may contain the content of a file instead, such as a private key.
pub(crate) fn is_quotable(path: &str) -> bool {
    path.len() <= 1_024 && !path.contains("-----") && !path.chars().any(char::is_control)
}

/// Reads all certificates of a PEM file. Rejects the file if one certificate is broken, because a truncated bundle would
/// otherwise only show up as a failed connection.
fn read_bundle(variable: &str, path: &str) -> Result<RootCertStore, String> {
    if !is_quotable(path) {
        return Err(format!(
            "{variable} holds no path; it must name a PEM file, not hold what is in one"
        ));
    }
    let invalid = |why: &str| format!("{variable}: {path} {why}");
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        // Reading a pipe could block forever.
        return Err(invalid("is no file"));
    }
    let text = File::open(path)
        .and_then(|file| bounded::read(file, MAX_BUNDLE_BYTES))
        .map_err(|error| invalid(&format!("cannot be read: {}", io_reason(&error))))?
        .ok_or_else(|| invalid("is larger than 16 MB"))?;
    if text_file::is_utf16(&text) {
        return Err(invalid("is UTF-16; save it as UTF-8"));
    }
    // The parser treats a byte order mark as part of the line after it, and would skip the first certificate.
    let text = text_file::without_mark(&text);
    let mut store = RootCertStore::empty();
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(text)) {
        // The parser's error may quote the file, which may be a private key by mistake.
        let certificate = certificate.map_err(|_| {
            invalid(&format!(
                "is no PEM file: certificate {number} is broken off or is not base64"
            ))
        })?;
        store
            .add(certificate)
            .map_err(|_| invalid(&format!("holds something in place of certificate {number}")))?;
    }
    if store.is_empty() {
        return Err(invalid(
            "holds no certificate; it must have lines `-----BEGIN CERTIFICATE-----`",
        ));
    }
    Ok(store)
}

/// The certificates in the files of a directory. Like OpenSSL, ignores files that are not certificates.
fn read_folder(folder: &Path) -> Vec<CertificateDer<'static>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file());
    let contents = paths.filter_map(|path| {
        let file = File::open(path).ok()?;
        bounded::read(file, MAX_BUNDLE_BYTES).ok()?
    });
    let certificates = contents.flat_map(|content| {
        let text = text_file::without_mark(&content);
        CertificateDer::pem_slice_iter(text)
            .flatten()
            .collect::<Vec<_>>()
    });
    let mut certificates: Vec<_> = certificates.collect();
    // A directory has several links to each file, and often another file with all certificates.
    certificates.sort_unstable_by(|a, b| a.as_ref().cmp(b.as_ref()));
    certificates.dedup();
    certificates
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    const ROOT: &str = include_str!("../testdata/root.pem");

    fn bundle(path: &str) -> TrustSettings {
        TrustSettings::Bundle(path.to_owned())
    }

    fn files(file: Option<&str>, folders: Option<&str>) -> TrustSettings {
        TrustSettings::Files {
            file: file.map(str::to_owned),
            folders: folders.map(str::to_owned),
        }
    }

    #[test]
    fn unusable_file_is_named_with_reason() {
        let key = ROOT.replace("CERTIFICATE", "PRIVATE KEY");
        let broken = ROOT.replacen("MII", "M!I", 1);
        let truncated = format!("{ROOT}{}", &ROOT[..ROOT.len() / 2]);
        let garbage = "-----BEGIN CERTIFICATE-----\nbWFkZSB1cA==\n-----END CERTIFICATE-----\n";
        let home = TempDir::new().unwrap();
        let path = home.path().join("bundle.pem");
        let path = path.to_str().unwrap();
        for (content, expected) in [
            (
                "",
                "holds no certificate; it must have lines `-----BEGIN CERTIFICATE-----`",
            ),
            (
                "made up",
                "holds no certificate; it must have lines `-----BEGIN CERTIFICATE-----`",
            ),
            (
                &key,
                "holds no certificate; it must have lines `-----BEGIN CERTIFICATE-----`",
            ),
            (
                &broken,
                "is no PEM file: certificate 1 is broken off or is not base64",
            ),
            (
                &truncated,
                "is no PEM file: certificate 2 is broken off or is not base64",
            ),
            (
                &format!("{ROOT}{garbage}"),
                "holds something in place of certificate 2",
            ),
            (&" ".repeat(MAX_BUNDLE_BYTES + 1), "is larger than 16 MB"),
            (
                &format!("\u{feff}{key}"),
                "holds no certificate; it must have lines `-----BEGIN CERTIFICATE-----`",
            ),
        ] {
            fs::write(path, content).unwrap();
            for (variable, settings) in [
                ("AWS_CA_BUNDLE", bundle(path)),
                ("SSL_CERT_FILE", files(Some(path), None)),
            ] {
                let error = configured_roots(&settings).err();
                assert_eq!(error, Some(format!("{variable}: {path} {expected}")));
            }
        }
    }

    #[test]
    fn unusable_path_is_quoted_unless_it_may_be_key() {
        let key = ROOT.replace("CERTIFICATE", "PRIVATE KEY");
        let home = TempDir::new().unwrap();
        let home = home.path().to_str().unwrap();
        let missing = format!("{home}/missing");
        let no_path = || {
            "AWS_CA_BUNDLE holds no path; it must name a PEM file, not hold what is in one"
                .to_owned()
        };
        for (settings, expected) in [
            (bundle(&key), no_path()),
            // Some CI systems join lines.
            (bundle(&key.replace('\n', " ")), no_path()),
            (bundle(&"x".repeat(1_025)), no_path()),
            (
                files(None, Some(&key)),
                "SSL_CERT_DIR holds no path".to_owned(),
            ),
            (
                bundle(&missing),
                format!("AWS_CA_BUNDLE: {missing} cannot be read: there is no such file"),
            ),
            (bundle(home), format!("AWS_CA_BUNDLE: {home} is no file")),
            (
                files(None, Some(home)),
                format!("SSL_CERT_DIR: no certificate was found in {home}"),
            ),
        ] {
            assert_eq!(configured_roots(&settings).err(), Some(expected));
        }
    }

    #[test]
    fn byte_order_mark_hides_no_certificate() {
        let home = TempDir::new().unwrap();
        let folder = home.path().to_str().unwrap();
        let path = format!("{folder}/root.pem");
        fs::write(&path, format!("\u{feff}{ROOT}")).unwrap();
        for settings in [
            bundle(&path),
            files(Some(&path), None),
            files(None, Some(folder)),
        ] {
            let roots = configured_roots(&settings).unwrap().unwrap();
            assert_eq!(roots.store.len(), 1, "{settings:?}");
        }
        fs::write(&path, b"\xff\xfe-\0-\0").unwrap();
        let error = configured_roots(&bundle(&path)).err();
        assert_eq!(
            error,
            Some(format!("AWS_CA_BUNDLE: {path} is UTF-16; save it as UTF-8"))
        );
    }

    #[test]
    fn named_roots_are_only_roots() {
        let home = TempDir::new().unwrap();
        let folder = home.path().to_str().unwrap();
        let path = format!("{folder}/root.pem");
        fs::write(&path, ROOT).unwrap();
        // Directories also contain other files.
        fs::write(home.path().join("README"), "made up").unwrap();
        for (settings, origin) in [
            (bundle(&path), "AWS_CA_BUNDLE"),
            (files(Some(&path), None), "SSL_CERT_FILE"),
            (files(None, Some(folder)), "SSL_CERT_DIR"),
        ] {
            let roots = configured_roots(&settings).unwrap().unwrap();
            assert_eq!((roots.store.len(), roots.origin), (1, origin));
        }
    }
}
