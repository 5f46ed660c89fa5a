//! The issuer of a certificate, as text for a message: common name and organization. No decision may depend on it.

use rustls::pki_types::CertificateDer;
use upsert_secret_core::quote::plain_text;
use webpki::EndEntityCert;

use super::der::{SEQUENCE, element};

/// The maximum length; longer names are truncated.
const MAX_CHARS: usize = 128;

/// `CN=Corp Root CA, O=Corp`
pub(super) fn issuer(certificate: &CertificateDer<'_>) -> String {
    EndEntityCert::try_from(certificate)
        .map(|certificate| distinguished_name(certificate.issuer()))
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "(no name)".to_owned())
}

/// Formats a distinguished name (RFC 5280, 4.1.2.4): a sequence of sets of pairs of identifier and text. Skips parts that it
/// cannot parse.
fn distinguished_name(mut name: &[u8]) -> String {
    const SET: u8 = 0x31;
    // webpki returns names without the outer header.
    if let Some((SEQUENCE, content, [])) = element(name) {
        name = content;
    }
    // X.520: 2.5.4.3 and 2.5.4.10.
    let label = |identifier: &[u8]| match identifier {
        [0x55, 0x04, 0x03] => Some("CN"),
        [0x55, 0x04, 0x0a] => Some("O"),
        _ => None,
    };
    let mut parts = Vec::new();
    while let Some((SET, set, rest)) = element(name) {
        name = rest;
        if let Some((SEQUENCE, pair, _)) = element(set)
            && let Some((_, identifier, text)) = element(pair)
            && let Some(label) = label(identifier)
            && let Some((_, text, _)) = element(text)
            && let Ok(text) = str::from_utf8(text)
        {
            // The name is not trusted: the certificate determines it.
            parts.push(format!("{label}={}", plain_text(text)));
        }
    }
    // The common name first.
    parts.sort();
    parts.join(", ").chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn issuer_is_read_from_certificate() {
        let root = include_bytes!("../../testdata/root.pem");
        let root = CertificateDer::from_pem_slice(root).unwrap();
        assert_eq!(issuer(&root), "CN=Example Root CA, O=Example Corp");
        assert_eq!(issuer(&b"made up".as_slice().into()), "(no name)");
    }

    fn text(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut der = vec![tag, u8::try_from(content.len()).unwrap()];
        der.extend(content);
        der
    }

    fn part(identifier: u8, content: &str) -> Vec<u8> {
        let mut pair = text(6, &[0x55, 4, identifier]);
        pair.extend(text(0x0c, content.as_bytes()));
        text(0x31, &text(0x30, &pair))
    }

    #[test]
    fn only_plain_words_are_shown() {
        let forged = part(3, "X\" ok\n  next: made up\r\u{85}");
        assert_eq!(distinguished_name(&forged), "CN=X\" ok next: made up");
        let quoting = part(3, "Root bWFkZS11cC12YWx1ZQ");
        assert_eq!(distinguished_name(&quoting), "CN=Root …");
    }

    #[test]
    fn common_name_precedes_organization() {
        let name = [
            part(6, "NL"),
            part(10, "Example Corp"),
            part(3, "Example Root CA"),
        ]
        .concat();
        assert_eq!(
            distinguished_name(&name),
            "CN=Example Root CA, O=Example Corp"
        );
        assert_eq!(
            distinguished_name(&text(0x30, &name)),
            "CN=Example Root CA, O=Example Corp"
        );
        assert_eq!(distinguished_name(&name[..20]), "");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(der: Vec<u8>) {
            let _ = distinguished_name(&der);
        }
    }
}
