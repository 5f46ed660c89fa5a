//! What stands between a client and AWS, on loopback: TLS, proxies, and networks that swallow everything.
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
//! // For the process under test: the CA goes to a file, for `AWS_CA_BUNDLE` or `SSL_CERT_FILE`.
//! let (ca, https_proxy) = (tls.ca_pem(), proxy.url_with_credentials());
//! // Afterwards:
//! assert!(tls.handshakes().is_empty() && proxy.log().is_empty());
//! ```
//!
//! Each front has a thread and an ephemeral port of its own, and stops when it is dropped; nothing here ever
//! connects to anything but loopback. The files must not know AWS: they carry bytes.

mod authority;
mod blackhole;
mod forwarder;
mod listener;
mod message;
mod proxy;
mod tls;

pub use authority::{Authority, Certificate};
pub use blackhole::{BlackHole, BlackHoleBuilder};
pub use forwarder::ProxyRequest;
pub use proxy::{Proxy, ProxyBuilder};
pub use tls::{Handshake, Tls, TlsBuilder};
