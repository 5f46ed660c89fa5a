//! Causes of failure that only this crate can distinguish: faults of roles, certificates and connections. Plain data;
//! `diagnosis` owns the wording.

use std::error::Error as StdError;
use std::fmt;
use upsert_secret_core::quote::ForeignText;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use rustls::pki_types::UnixTime;
use upsert_secret_core::claims::Claims;

/// The STS rejection of a request for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleFault {
    /// The ARN, or a description if it is unknown.
    pub(crate) role: String,
    pub(crate) code: String,
    pub(crate) message: ForeignText,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The claims of the OIDC token, if the role was requested with one.
    pub(crate) claims: Option<Claims>,
}

/// The fault of the credential service of a container or an instance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServiceFault {
    /// The variable that names the service, or that disables it.
    pub(crate) variable: &'static str,
    /// Empty if no request was sent.
    pub(crate) host: String,
    pub(crate) problem: ServiceProblem,
}

/// The kinds of a [`ServiceFault`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ServiceProblem {
    /// The HTTP status of an unsuccessful response.
    Status(u16),
    /// A successful response without credentials.
    NoCredentials,
    /// The instance has no role.
    NoRole,
    /// A connection, but no response within the time limit.
    NoAnswer,
    Network(NetworkFault),
    /// The variable names a file that cannot be read.
    TokenFile,
    /// The variable, or the file that it names, contains characters that cannot be sent in a header.
    Token,
    /// The variable is not a URI of a permitted credential service.
    Uri,
}

/// The host that a response came from, attached to the response.
#[derive(Clone, Debug)]
pub(crate) struct Responder(pub(crate) String);

impl Responder {
    /// The host, or a description if it is unknown.
    pub(crate) fn of(response: &HttpResponse) -> String {
        response
            .extension::<Self>()
            .map_or_else(|| "the server".to_owned(), |Self(host)| host.clone())
    }
}

/// A profile that is not in the shared configuration files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissingProfile {
    pub(crate) name: String,
    /// The profile that names it as its `source_profile`; `None` if `AWS_PROFILE` names it.
    pub(crate) source_of: Option<String>,
    /// Whether the configuration file has a section with the name, but without the word `profile` before it.
    pub(crate) has_bare_section: bool,
    /// The files, in words for messages.
    pub(crate) places: [String; 2],
}

/// A certificate that rustls rejected. All names come from the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RejectedCertificate {
    pub(crate) host: String,
    pub(crate) fault: CertificateFault,
    /// The issuer of the topmost certificate that the server presented.
    pub(crate) issuer: String,
    /// The trusted roots, in words; see `Roots::origin`.
    pub(crate) origin: &'static str,
}

/// The reason a certificate was rejected.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CertificateFault {
    /// No trusted root has the issuer's name.
    UnknownIssuer,
    /// A trusted root has the issuer's name, but its key did not sign the certificate.
    OtherKey,
    /// The RSA key of a certificate authority is too short.
    ShortCaKey {
        bits: usize,
    },
    /// The server's RSA key is too short.
    ShortKey {
        bits: usize,
    },
    /// The certificate, or that of an authority, has a SHA-1 signature.
    Sha1,
    /// A signature uses another unsupported algorithm.
    Algorithm,
    Expired(Option<UnixTime>),
    NotYetValid(Option<UnixTime>),
    /// There is no subjectAltName.
    NoNames,
    /// The names that the certificate is for, as rustls formats them.
    OtherNames(Vec<String>),
    /// The server presented the certificate of an authority as its own.
    IsCa,
    /// The certificate was issued by one that is not a certificate authority.
    IssuerIsNoCa,
    /// The authority is not allowed to issue certificates for this name.
    NameConstraint,
    /// The extended key usage excludes servers.
    NotForServers,
    /// The server did not prove possession of the certificate's key.
    NotItsKey,
    /// Any other reason, such as revocation or an invalid encoding.
    Invalid,
}

/// The reason there is no connection. Hosts are names or addresses, without ports or credentials.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NetworkFault {
    Dns {
        host: String,
    },
    /// No response to a DNS lookup within the time limit.
    DnsTimeout {
        host: String,
    },
    /// The operating system permits no thread for a DNS lookup.
    NoThread {
        host: String,
    },
    /// Nothing listens on the port.
    Refused {
        host: String,
    },
    /// No response to the first packet of a connection, for example because a firewall drops it.
    Timeout {
        host: String,
    },
    /// The network has no route to the host.
    NoRoute {
        host: String,
    },
    /// The server accepted the connection but did not complete the TLS handshake within the time limit.
    TlsTimeout {
        host: String,
    },
    /// The certificate of the server or of the proxy.
    Certificate(Box<RejectedCertificate>),
    /// The server does not use TLS, or has no protocol version and cipher suite in common.
    Tls {
        host: String,
    },
    Proxy {
        proxy: String,
        fault: ProxyFault,
    },
    /// The proxy URL for the request is not that of an HTTP proxy: the variable and the reason.
    UnusableProxy(String),
    /// An address that is neither http:// nor https://.
    UnknownScheme {
        host: String,
    },
    /// Any other failure before the connection was established.
    ConnectFailed {
        host: String,
    },
    /// An established connection ended early.
    ConnectionLost,
}

/// The reason a proxy provided no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxyFault {
    Dns,
    /// No response to the lookup of the proxy's name within the time limit.
    DnsTimeout,
    Unreachable,
    /// No response to the first packet of a connection.
    Silent,
    /// The proxy accepted a connection, but did not connect to the server within the time limit.
    Timeout,
    /// The proxy's URL uses https, but the proxy does not use TLS.
    Tls,
    /// The proxy's URL uses https, but the proxy did not complete the handshake within the time limit.
    TlsTimeout,
    /// The HTTP status of the response to CONNECT.
    Status(u16),
    /// The proxy requires an authentication scheme other than Basic.
    Scheme(&'static str),
    /// The response to CONNECT is missing or unreadable.
    InvalidResponse,
}

impl NetworkFault {
    /// Whether a longer time limit for connections may help.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(
            self,
            Self::DnsTimeout { .. }
                | Self::Timeout { .. }
                | Self::TlsTimeout { .. }
                | Self::Proxy {
                    fault: ProxyFault::DnsTimeout
                        | ProxyFault::Silent
                        | ProxyFault::Timeout
                        | ProxyFault::TlsTimeout,
                    ..
                }
        )
    }

    /// Whether a retry would end the same way.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::Certificate(_)
            | Self::Tls { .. }
            | Self::UnusableProxy(_)
            | Self::UnknownScheme { .. } => true,
            Self::Proxy { fault, .. } => match fault {
                ProxyFault::Tls | ProxyFault::Scheme(_) => true,
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
