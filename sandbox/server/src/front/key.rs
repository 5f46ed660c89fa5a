//! The keys of certificates: real ones, and made-up RSA keys of which only the public half exists.

use std::sync::Arc;

use aws_lc_rs::{
    rand::{self, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use rcgen::{
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm, SigningKey,
};
use tokio_rustls::rustls::{
    self, SignatureScheme,
    crypto::aws_lc_rs::sign::any_ecdsa_type,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::Signer,
};

/// A key, with the encodings that certificates and servers need.
pub(super) enum Key {
    P256(EcdsaKeyPair),
    /// The public half (RFC 8017, A.1.1) of an RSA key of this size.
    MadeUp {
        bits: usize,
        public: Vec<u8>,
    },
}

impl Key {
    pub(super) fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
        Self::P256(pair.expect("the system has random numbers"))
    }

    /// An RSA key whose modulus is a random odd number. It has no private half, so its signatures are made up.
    pub(super) fn made_up(bits: usize) -> Self {
        let mut modulus = vec![0; bits / 8];
        rand::fill(&mut modulus).expect("the system has random numbers");
        modulus[0] |= 0x80;
        modulus[bits / 8 - 1] |= 1;
        // A positive integer starts with a 0 bit.
        modulus.insert(0, 0);
        let exponent = element(2, &[1, 0, 1]);
        let public = element(0x30, &[element(2, &modulus), exponent].concat());
        Self::MadeUp { bits, public }
    }

    pub(super) fn is_made_up(&self, wanted: usize) -> bool {
        matches!(self, Self::MadeUp { bits, .. } if *bits == wanted)
    }

    pub(super) fn for_server(&self) -> Arc<dyn rustls::sign::SigningKey> {
        let Self::P256(pair) = self else {
            return Arc::new(MadeUpSigner);
        };
        let der = pair.to_pkcs8v1().expect("a key can be written");
        let der: PrivateKeyDer<'_> = PrivatePkcs8KeyDer::from(der.as_ref().to_vec()).into();
        any_ecdsa_type(&der).expect("a P-256 key")
    }
}

/// A DER element.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length @ 0..=0x7f) => der.push(length),
        Ok(length) => der.extend([0x81, length]),
        Err(_) => {
            let length = u16::try_from(content.len()).expect("a short element");
            der.push(0x82);
            der.extend(length.to_be_bytes());
        }
    }
    der.extend(content);
    der
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        match self {
            Self::P256(pair) => pair.public_key().as_ref(),
            Self::MadeUp { public, .. } => public,
        }
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self {
            Self::P256(_) => &PKCS_ECDSA_P256_SHA256,
            Self::MadeUp { .. } => &PKCS_RSA_SHA256,
        }
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match self {
            Self::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message);
                let signature = signature.map_err(|_| rcgen::Error::RemoteKeyError)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::MadeUp { bits, .. } => Ok(vec![1; bits / 8]),
        }
    }
}

/// Signs handshakes with anything.
#[derive(Debug)]
struct MadeUpSigner;

const SCHEME: SignatureScheme = SignatureScheme::RSA_PSS_SHA256;

impl rustls::sign::SigningKey for MadeUpSigner {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let signer: Box<dyn Signer> = Box::new(Self);
        offered.contains(&SCHEME).then_some(signer)
    }

    fn algorithm(&self) -> rustls::SignatureAlgorithm {
        rustls::SignatureAlgorithm::RSA
    }
}

impl Signer for MadeUpSigner {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Ok(vec![1; 128])
    }

    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
}
