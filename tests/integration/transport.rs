//! Connections to real TLS servers, proxies and silent networks on loopback, and the message for each.

use std::fs;

use sandbox::Sandbox;

use crate::common::Cli;

mod early;
mod foreign_answers;
mod outages;
mod proxy;
mod tls;

/// The program with this endpoint URL.
fn cli_with_endpoint(sandbox: &Sandbox, endpoint: &str) -> Cli {
    Cli::new(sandbox, "made-up-value").env("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint)
}

/// Writes `pem` to a file and names the file in `variable`.
fn with_ca(cli: Cli, variable: &str, pem: &str) -> Cli {
    let file = cli.path(&format!("{variable}.pem"));
    fs::write(&file, pem).unwrap();
    cli.env(variable, &file.display().to_string())
}

/// The program with AWS's real endpoints, so that only a proxy leads to the sandbox.
fn cli_to_aws(sandbox: &Sandbox) -> Cli {
    Cli::new(sandbox, "made-up-value")
        .unset("AWS_ENDPOINT_URL_SECRETS_MANAGER")
        .unset("AWS_ENDPOINT_URL_STS")
}
