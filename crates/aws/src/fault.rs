//! Causes of failure that only this crate can tell apart: of roles, certificates and connections. They are data;
//! their wording belongs to `diagnosis`.

use std::error::Error as StdError;
use std::fmt;

use upsert_secret_core::claims::Claims;

/// STS's rejection of a request for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleFault {
    /// The ARN, or words in place of one that is not known.
    pub(crate) role: String,
    pub(crate) code: String,
    pub(crate) message: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The claims of the OIDC token, if the role was requested with one.
    pub(crate) claims: Option<Claims>,
}

/// The certificate of `host` failed verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateError {
    pub(crate) host: String,
    pub(crate) fault: CertificateFault,
}

/// Why a certificate failed verification. All names come from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CertificateFault {
    UnknownIssuer {
        /// The issuer of the topmost certificate that the server presented.
        issuer: String,
        /// The trusted roots, in words; see `Roots::origin`.
        origin: &'static str,
    },
    /// A root with the issuer's name is trusted, but its key did not sign the certificate.
    IssuerKeyMismatch {
        issuer: String,
        origin: &'static str,
    },
    Expired {
        /// RFC 3339; empty if rustls does not say.
        at: String,
    },
    NotYetValid {
        /// RFC 3339; empty if rustls does not say.
        from: String,
    },
    NameMismatch {
        /// At most three of the names in the certificate.
        names: Vec<String>,
    },
    /// Anything else, such as revoked, malformed, or not issued for servers.
    Other,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("certificate not trusted")
    }
}

impl StdError for CertificateError {}

/// Why there is no connection. Hosts are names or addresses, without ports or credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NetworkFault {
    Dns {
        host: String,
    },
    /// Nothing listens on the port.
    Refused {
        host: String,
    },
    Timeout {
        host: String,
    },
    /// The certificate of the server or of the proxy.
    Certificate(CertificateError),
    /// The server speaks no TLS, or none with a common version and cipher suite.
    Tls {
        host: String,
    },
    Proxy {
        proxy: String,
        fault: ProxyFault,
    },
    /// Any other failure before the connection was established.
    ConnectFailed {
        host: String,
    },
    /// An established connection ended early.
    ConnectionLost,
}

/// Why a proxy provided no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxyFault {
    Dns,
    Unreachable,
    /// The proxy, or the server behind it, did not complete the connection in time.
    Timeout,
    /// The proxy's URL says https, and the proxy speaks no TLS.
    Tls,
    /// The HTTP status of the response to CONNECT.
    Status(u16),
    /// The response to CONNECT is missing or unreadable.
    InvalidResponse,
}

impl NetworkFault {
    /// Whether a retry would end the same way.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::Certificate(_) | Self::Tls { .. } => true,
            Self::Proxy { fault, .. } => match fault {
                ProxyFault::Tls => true,
                ProxyFault::Status(status) => *status < 500,
                _ => false,
            },
            _ => false,
        }
    }
}

impl fmt::Display for NetworkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no connection")
    }
}

impl StdError for NetworkFault {}
