//! Connections to real TLS servers, proxies and silent networks on loopback, and the messages about each.

use std::fs;

use sandbox::Sandbox;

use crate::common::Tool;

mod outages;
mod proxy;
mod tls;

/// The program with this endpoint, whatever it is.
fn at(sandbox: &Sandbox, endpoint: &str) -> Tool {
    Tool::new(sandbox, "made-up-value").env("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint)
}

/// Has the program trust this, by the variable.
fn trusting(tool: Tool, variable: &str, pem: &str) -> Tool {
    let file = tool.path(&format!("{variable}.pem"));
    fs::write(&file, pem).unwrap();
    tool.env(variable, &file.display().to_string())
}

/// The program on its way to AWS itself; only a proxy can lead it to the sandbox.
fn to_aws(sandbox: &Sandbox) -> Tool {
    Tool::new(sandbox, "made-up-value")
        .unset("AWS_ENDPOINT_URL_SECRETS_MANAGER")
        .unset("AWS_ENDPOINT_URL_STS")
}
