//! Finds the reason a certificate was rejected. rustls has already made the decision; if its error is ambiguous, this module
//! inspects keys and signature algorithms. No decision may depend on the result.

use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, OtherError, RootCertStore};
use webpki::EndEntityCert;

use super::der::{SEQUENCE, element};
use crate::fault::CertificateFault;

/// The minimum accepted size of an RSA key, in bits.
const LEAST_RSA_BITS: usize = 2_048;
/// The contents of object identifiers: rsaEncryption, sha1WithRSAEncryption, ecdsa-with-SHA1.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05];
const ECDSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];

/// The reason the certificates presented by a server were rejected.
pub(super) fn chain_fault(
    error: &CertificateError,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    roots: &RootCertStore,
) -> CertificateFault {
    match error {
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        CertificateError::BadSignature => {
            let topmost = intermediates.last().unwrap_or(end_entity);
            short_ca_key(topmost, intermediates, roots).map_or(CertificateFault::OtherKey, |bits| {
                CertificateFault::ShortCaKey { bits }
            })
        }
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id,
            ..
        } if is_sha1(signature_algorithm_id) => CertificateFault::Sha1,
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            CertificateFault::Algorithm
        }
        CertificateError::Expired => CertificateFault::Expired(None),
        CertificateError::ExpiredContext { not_after, .. } => {
            CertificateFault::Expired(Some(*not_after))
        }
        CertificateError::NotValidYet => CertificateFault::NotYetValid(None),
        CertificateError::NotValidYetContext { not_before, .. } => {
            CertificateFault::NotYetValid(Some(*not_before))
        }
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            CertificateFault::NoNames
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            CertificateFault::OtherNames(presented.clone())
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            CertificateFault::NotForServers
        }
        CertificateError::Other(OtherError(error)) => match error.downcast_ref() {
            Some(webpki::Error::CaUsedAsEndEntity) => CertificateFault::IsCa,
            Some(webpki::Error::EndEntityUsedAsCa) => CertificateFault::IssuerIsNoCa,
            Some(webpki::Error::NameConstraintViolation) => CertificateFault::NameConstraint,
            _ => CertificateFault::Invalid,
        },
        _ => CertificateFault::Invalid,
    }
}

/// The reason the server's proof of possession of its certificate's key was rejected.
pub(super) fn key_fault(
    error: &CertificateError,
    end_entity: &CertificateDer<'_>,
) -> CertificateFault {
    let bits = EndEntityCert::try_from(end_entity)
        .ok()
        .and_then(|certificate| rsa_bits(&certificate.subject_public_key_info()));
    match (bits, error) {
        (Some(bits), _) if bits < LEAST_RSA_BITS => CertificateFault::ShortKey { bits },
        (_, CertificateError::BadSignature) => CertificateFault::NotItsKey,
        _ => CertificateFault::Algorithm,
    }
}

/// The size in bits of a key of the authorities that is too short.
fn short_ca_key(
    topmost: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    roots: &RootCertStore,
) -> Option<usize> {
    let topmost = EndEntityCert::try_from(topmost).ok()?;
    let of_roots = roots
        .roots
        .iter()
        .filter(|root| root.subject.as_ref() == topmost.issuer())
        .filter_map(|root| rsa_bits(&root.subject_public_key_info));
    let of_intermediates = intermediates
        .iter()
        .filter_map(|der| rsa_bits(&EndEntityCert::try_from(der).ok()?.subject_public_key_info()));
    of_roots
        .chain(of_intermediates)
        .find(|bits| *bits < LEAST_RSA_BITS)
}

/// Whether an AlgorithmIdentifier, with or without its outer header, names a SHA-1 signature.
fn is_sha1(algorithm: &[u8]) -> bool {
    let content = match element(algorithm) {
        Some((SEQUENCE, content, [])) => content,
        _ => algorithm,
    };
    element(content).is_some_and(|(_, identifier, _)| [RSA_SHA1, ECDSA_SHA1].contains(&identifier))
}

/// The size of an RSA key, from a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) with or without its outer header; `None` for
/// another kind of key.
fn rsa_bits(info: &[u8]) -> Option<usize> {
    let info = match element(info) {
        Some((SEQUENCE, content, [])) => content,
        _ => info,
    };
    let (_, algorithm, rest) = element(info)?;
    let (_, identifier, _) = element(algorithm)?;
    let (_, key, _) = element(rest)?;
    // The first byte of a bit string is the number of unused bits.
    let (_, key, _) = element(key.get(1..)?)?;
    let (_, modulus, _) = element(key)?;
    let leading = modulus.iter().take_while(|byte| **byte == 0).count();
    let modulus = &modulus[leading..];
    let first = modulus.first().filter(|_| identifier == RSA)?;
    Some(modulus.len() * 8 - usize::try_from(first.leading_zeros()).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sha1_is_recognized_by_identifier() {
        let with = |identifier: &[u8]| {
            let mut der = vec![6, u8::try_from(identifier.len()).unwrap()];
            der.extend(identifier);
            der
        };
        assert!(is_sha1(&with(RSA_SHA1)) && is_sha1(&with(ECDSA_SHA1)));
        assert!(!is_sha1(&with(RSA)) && !is_sha1(&[]));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(der: Vec<u8>) {
            let _ = (rsa_bits(&der), is_sha1(&der));
        }
    }
}
