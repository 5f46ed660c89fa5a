//! Why a token, a role or a connection could not be had, as data. The words are the diagnosis'.

use std::error::Error as StdError;
use std::fmt;

use upsert_secret_core::claims::Claims;

/// Why GitHub issued no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IdTokenFault {
    /// It answered with this HTTP status.
    Status {
        /// The status.
        status: u16,
        /// What it said, shortened.
        message: String,
    },
    /// It answered, but not with a token.
    Unreadable,
}

/// Why STS did not let the run assume a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleFault {
    /// The role's ARN.
    pub(crate) role: String,
    /// AWS's code.
    pub(crate) code: String,
    /// AWS's text.
    pub(crate) message: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The claims of the token, where there was one.
    pub(crate) claims: Option<Claims>,
}

/// A certificate that was not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateError {
    /// The server that presented it.
    pub(crate) host: String,
    /// Why not.
    pub(crate) fault: CertificateFault,
}

/// Why a certificate was not trusted. Names are the server's, and are redacted like everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CertificateFault {
    /// No trusted root issued it.
    UnknownIssuer {
        /// The issuer that would have to be trusted.
        issuer: String,
        /// The list that lacks it.
        origin: &'static str,
    },
    /// A root of its issuer's name is trusted, but did not sign it.
    OtherKey {
        /// The issuer.
        issuer: String,
        /// The list that has one of that name.
        origin: &'static str,
    },
    /// It has expired.
    Expired {
        /// RFC 3339, or empty where the library does not say.
        at: String,
    },
    /// It is not valid yet.
    NotYetValid {
        /// RFC 3339, or empty where the library does not say.
        from: String,
    },
    /// It is for other names.
    WrongName {
        /// Some of them.
        names: Vec<String>,
    },
    /// Anything else: revoked, malformed, a purpose other than a server's.
    Other,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("certificate not trusted")
    }
}

impl StdError for CertificateError {}

/// Why there was no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NetworkFault {
    /// The host name has no address.
    Dns {
        /// The server's name or address.
        host: String,
    },
    /// Nobody listens there.
    Refused {
        /// The server's name or address.
        host: String,
    },
    /// No connection within the time for one.
    Slow {
        /// The server's, or the proxy's, name or address.
        host: String,
    },
    /// The server's, or the proxy's, certificate.
    Untrusted(CertificateError),
    /// The other side speaks no TLS, or none that we do.
    Tls {
        /// The server's name or address.
        host: String,
    },
    /// The proxy.
    Proxy {
        /// Its name or address, without credentials.
        proxy: String,
        /// What it did.
        why: ProxyFault,
    },
    /// Any other end of a connection that was being made.
    Broken {
        /// The server's name or address.
        host: String,
    },
    /// The end of a connection in use.
    Lost,
}

/// What a proxy did instead of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxyFault {
    /// Its name has no address.
    Dns,
    /// It could not be connected to.
    Unreachable,
    /// It took the connection, and did not go on in time.
    Slow,
    /// It speaks no TLS although its URL says so.
    Tls,
    /// It answered CONNECT with this HTTP status.
    Status(u16),
    /// It hung up, or its answer could not be read.
    Broken,
}

impl NetworkFault {
    /// Whether the next attempt would end the same.
    pub(crate) fn is_lasting(&self) -> bool {
        match self {
            Self::Untrusted(_) | Self::Tls { .. } => true,
            Self::Proxy { why, .. } => match why {
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
