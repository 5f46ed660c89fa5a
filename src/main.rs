//! `upsert-secret`: stores a CI secret in AWS Secrets Manager and outputs its ARN and version ID.

use std::process::ExitCode;

use upsert_secret::{harden, run};

fn main() -> ExitCode {
    harden::process();
    harden::panics();
    ExitCode::from(run(std::env::args_os().skip(1)))
}
