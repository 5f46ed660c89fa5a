//! The issuer of a certificate, as text for a message: common name and organization. No decision may depend on it.

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// The longest text; longer names are cut.
const MAX_CHARS: usize = 128;

/// `CN=Corp Root CA, O=Corp`
pub(super) fn issuer(certificate: &CertificateDer<'_>) -> String {
    EndEntityCert::try_from(certificate)
        .map(|certificate| distinguished_name(certificate.issuer()))
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "(no name)".to_owned())
}

/// Formats a distinguished name (RFC 5280, 4.1.2.4): a sequence of sets of pairs of identifier and text. Skips what it
/// cannot read.
fn distinguished_name(mut name: &[u8]) -> String {
    const SEQUENCE: u8 = 0x30;
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
            // The name is not trusted and must not start a line of its own.
            parts.push(format!("{label}={}", text.replace(char::is_control, " ")));
        }
    }
    // The common name first.
    parts.sort();
    parts.join(", ").chars().take(MAX_CHARS).collect()
}

/// The tag and content of the first DER element, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        // The number of bytes that hold the length.
        0x81 | 0x82 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let join = |length, &byte| length << 8 | usize::from(byte);
            (bytes.iter().fold(0, join), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
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
    fn control_characters_become_spaces() {
        let forged = part(3, "X\" ok\n  next: made up\r\u{85}");
        assert_eq!(distinguished_name(&forged), "CN=X\" ok   next: made up  ");
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
