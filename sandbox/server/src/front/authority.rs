//! A certificate authority, and the good and bad server certificates it issues.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyUsagePurpose, PublicKeyData as _, SerialNumber, date_time_ymd,
};
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::CertificateDer,
    sign::{CertifiedKey, SingleCertAndKey},
};

use super::key::Key;
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
    /// Like `Good`, but with the hosts in the common name only.
    NoNames,
    /// Like `Good`, but marked as that of an authority.
    Authority,
    /// Like `Good`, but with an RSA key of 1024 bits. The server has no such key: a client that accepts its size finds a bad
    /// signature.
    ShortKey,
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

    /// Creates an authority with an RSA key of 1024 bits. Its signatures are made up: a client that accepts the size of
    /// the key finds a bad signature.
    #[must_use]
    pub fn with_short_key() -> Self {
        Self::with_key("Sandbox Test CA", Key::made_up(1024))
    }

    /// Creates an authority that signs over SHA-1. Its signatures are made up: a client that accepts SHA-1 finds a bad
    /// signature.
    #[must_use]
    pub fn with_sha1() -> Self {
        Self::with_key("Sandbox Test CA", Key::made_up(2048))
    }

    fn named(name: &str) -> Self {
        Self::with_key(name, Key::generate())
    }

    fn with_key(name: &str, key: Key) -> Self {
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
        let key = match kind {
            Certificate::ShortKey => Key::made_up(1024),
            _ => Key::generate(),
        };
        let hosts = match kind {
            Certificate::WrongHost => vec!["wrong.example.com".to_owned()],
            _ => hosts.to_vec(),
        };
        let name = hosts.first().expect("a certificate is for a host").clone();
        let names = CertificateParams::new(hosts).expect("hosts are names or addresses");
        let mut leaf = params(&name, &key);
        if kind != Certificate::NoNames {
            leaf.subject_alt_names = names.subject_alt_names;
        }
        if kind == Certificate::Authority {
            leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
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
        let mut der = signed.expect("its own parameters").der().to_vec();
        if self.0.issuer.key().is_made_up(2048) {
            rename_algorithm(&mut der);
        }
        let certified = CertifiedKey::new(vec![der.into()], key.for_server());
        let config = ServerConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("the provider has the usual versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        Arc::new(config)
    }
}

/// Names the signature of a certificate sha1WithRSAEncryption instead of sha256WithRSAEncryption.
fn rename_algorithm(der: &mut [u8]) {
    const RSA_SHA256: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
    for at in 0..der.len().saturating_sub(RSA_SHA256.len()) {
        if der[at..].starts_with(&RSA_SHA256) {
            der[at + RSA_SHA256.len() - 1] = 0x05;
        }
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
