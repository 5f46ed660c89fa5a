//! What can stand between a client and AWS, on loopback: TLS servers, proxies, and endpoints that never respond.
//!
//! ```
//! use sandbox::{Sandbox, front::{Certificate, Proxy, Tls}};
//!
//! let sandbox = Sandbox::start();
//! let aws = "secretsmanager.eu-west-1.amazonaws.com";
//! let tls = Tls::builder(&[aws, "localhost"]).certificate(Certificate::Good).start(&sandbox.url());
//! let proxy = Proxy::builder()
//!     .route(&format!("{aws}:443"), tls.address())
//!     .credentials("ci", "p@ss")
//!     .start();
//! // For the process under test; the CA goes into a file for `AWS_CA_BUNDLE` or `SSL_CERT_FILE`.
//! let (ca, https_proxy) = (tls.ca_pem(), proxy.url_with_credentials());
//! // After the process has run:
//! assert!(tls.handshakes().is_empty() && proxy.log().is_empty());
//! ```
//!
//! Each front has its own thread and port, and stops when it is dropped. It never connects beyond loopback, and
//! is independent of AWS: it forwards bytes. Only [`Hostile`] replaces what it forwards.

mod authority;
mod blackhole;
mod forwarder;
mod hostile;
mod key;
mod listener;
mod message;
mod proxy;
mod tls;
mod unaccepted;

pub use authority::{Authority, Certificate};
pub use blackhole::{BlackHole, BlackHoleBuilder};
pub use forwarder::ProxyRequest;
pub use hostile::{Hostile, Quote};
pub use proxy::{Proxy, ProxyBuilder};
pub use tls::{Handshake, Tls, TlsBuilder};
pub use unaccepted::Unaccepted;
