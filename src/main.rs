//! `upsert-secret`: put a CI secret into AWS Secrets Manager and hand its ids to the next step.

use std::process::ExitCode;

use upsert_secret::{app, harden};

fn main() -> ExitCode {
    harden::process();
    harden::panics();
    ExitCode::from(app::run(std::env::args_os().skip(1)))
}
