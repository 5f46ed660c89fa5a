//! Causes of failure that only this crate can tell apart: of roles, certificates and connections. They are data; their
//! wording belongs to `diagnosis`.

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

/// A certificate that rustls rejected. All names come from the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RejectedCertificate {
    pub(crate) host: String,
    pub(crate) error: rustls::CertificateError,
    /// The issuer of the topmost certificate that the server presented.
    pub(crate) issuer: String,
    /// The trusted roots, in words; see `Roots::origin`.
    pub(crate) origin: &'static str,
}

/// Why there is no connection. Hosts are names or addresses, without ports or credentials.
#[derive(Clone, Debug, PartialEq)]
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
    Certificate(Box<RejectedCertificate>),
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
