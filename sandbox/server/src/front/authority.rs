//! A certificate authority, and the good and bad server certificates it issues.

use std::sync::Arc;

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber,
    SignatureAlgorithm, SigningKey, date_time_ymd,
};
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::random;

const ORGANISATION: &str = "Example Corp";

/// The certificate of a TLS front.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certificate {
    /// Valid for the hosts, signed by the authority.
    #[default]
    Good,
    /// Like `Good`, but expired in 2021.
    Expired,
    /// Signed by the authority, for `wrong.example.com`.
    WrongHost,
    /// Valid for the hosts, signed by an unknown authority.
    UnknownAuthority,
    /// Valid for the hosts, self-signed.
    SelfSigned,
}

/// The certificate authority "Sandbox Test CA" of "Example Corp". Clones share its key.
#[derive(Clone)]
pub struct Authority(Arc<Signer>);

struct Signer {
    issuer: Issuer<'static, Key>,
    der: CertificateDer<'static>,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// Creates an authority with a new key.
    #[must_use]
    pub fn new() -> Self {
        Self::named("Sandbox Test CA")
    }

    fn named(name: &str) -> Self {
        let key = Key::generate();
        let mut params = params(name, &key);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key);
        let der = certificate.expect("its own parameters").der().clone();
        let issuer = Issuer::new(params, key);
        Self(Arc::new(Signer { issuer, der }))
    }

    /// The authority's certificate, for `AWS_CA_BUNDLE`, `SSL_CERT_FILE` and similar variables.
    #[must_use]
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.0.der);
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        for (at, c) in text.chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                pem.push('\n');
            }
            pem.push(c);
        }
        pem + "\n-----END CERTIFICATE-----\n"
    }

    /// The configuration of a server with this certificate for these host names and addresses.
    pub(super) fn server(&self, hosts: &[String], kind: Certificate) -> Arc<ServerConfig> {
        let key = Key::generate();
        let hosts = match kind {
            Certificate::WrongHost => vec!["wrong.example.com".to_owned()],
            _ => hosts.to_vec(),
        };
        let name = hosts.first().expect("a certificate is for a host").clone();
        let names = CertificateParams::new(hosts).expect("hosts are names or addresses");
        let mut leaf = params(&name, &key);
        leaf.subject_alt_names = names.subject_alt_names;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        if kind == Certificate::Expired {
            leaf.not_after = date_time_ymd(2021, 1, 1);
        }
        let signed = match kind {
            Certificate::SelfSigned => leaf.self_signed(&key),
            Certificate::UnknownAuthority => {
                let unknown = Self::named("Unknown Test CA");
                leaf.signed_by(&key, &unknown.0.issuer)
            }
            _ => leaf.signed_by(&key, &self.0.issuer),
        };
        let chain = vec![signed.expect("its own parameters").der().clone()];
        let config = ServerConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("the provider has the usual versions")
            .with_no_client_auth()
            .with_single_cert(chain, key.private())
            .expect("the key is the certificate's");
        Arc::new(config)
    }
}

/// The parameters that all certificates share.
fn params(name: &str, key: &Key) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
        .distinguished_name
        .push(DnType::OrganizationName, ORGANISATION);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    params.serial_number = Some(SerialNumber::from(random::serial().to_vec()));
    let id = digest(&SHA256, key.der_bytes()).as_ref()[..20].to_vec();
    params.key_identifier_method = KeyIdMethod::PreSpecified(id);
    params
}

/// A P-256 key, with the encodings that certificates and servers need.
struct Key(EcdsaKeyPair);

impl Key {
    fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
        Self(pair.expect("the system has random numbers"))
    }

    fn private(&self) -> PrivateKeyDer<'static> {
        let der = self.0.to_pkcs8v1().expect("a key can be written");
        PrivatePkcs8KeyDer::from(der.as_ref().to_vec()).into()
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature = self.0.sign(&SystemRandom::new(), message);
        let signature = signature.map_err(|_| rcgen::Error::RemoteKeyError)?;
        Ok(signature.as_ref().to_vec())
    }
}
