//! The fronts, as a raw client sees them: what they forward, what they reject, and what they record.

mod blackhole;
mod proxy;
mod tls;

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use sandbox::client::Client;
use serde_json::json;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

pub(crate) const AWS: &str = "secretsmanager.eu-west-1.amazonaws.com";
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(LONG)).expect("set");
    stream
}

/// A TLS stream to this host that trusts only this authority.
pub(crate) fn secure<S: Read + Write>(
    stream: S,
    host: &str,
    ca: &str,
) -> StreamOwned<ClientConnection, S> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca.as_bytes()).expect("PEM");
    roots.add(ca).expect("an authority");
    let config = ClientConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).expect("a host");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    StreamOwned::new(connection, stream)
}

/// Sends a signed DescribeSecret request for this host and returns the response.
pub(crate) fn describe(stream: &mut (impl Read + Write), host: &str) -> io::Result<String> {
    let client = Client::new(&format!("http://{host}"));
    ask(
        stream,
        &client.request("DescribeSecret", &json!({"SecretId": "none"})),
    )
}

pub(crate) fn ask(stream: &mut (impl Read + Write), request: &[u8]) -> io::Result<String> {
    stream.write_all(request)?;
    stream.flush()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Whether this is Secrets Manager's response to [`describe`], that is, the request arrived as it was signed.
pub(crate) fn arrived(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 400") && answer.contains("ResourceNotFoundException")
}
