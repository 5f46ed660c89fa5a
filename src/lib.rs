//! The program `upsert-secret`: stores a CI secret in AWS Secrets Manager and outputs its ARN and version ID.
//!
//! Data flows one way, and each arrow is one type:
//!
//! ```text
//! environment ─┐
//!              ├─▶ inputs ─▶ request ─▶ observe ─▶ plan ─▶ apply ─▶ report ─▶ outputs · summary · exit code
//! manifest  ───┘   (raw)    (checked)   (store)   (pure)   (store)
//! ```
//!
//! `upsert-secret-config` makes requests from the environment and the manifest, `upsert-secret-core` holds every decision, and
//! `upsert-secret-aws` is the store. This crate has the rest:
//!
//! - `args`, [`commands`]: the command line and `--help`. They never take a value.
//! - `run`: a run, from the environment to the exit code.
//! - `batch`, `engine`, `transaction`: the secrets of a run, one secret, all or nothing. Every call, and no decision but
//!   retries.
//! - `run_report`, `report`, [`outputs`]: the results of a run and their formats.
//! - `platform`: the destinations of outputs, report and summary.
//! - [`redact`], `progress`: the only way to standard output and standard error; status lines.
//! - [`harden`]: no core dumps, no payloads in panic messages.

pub mod commands;
pub mod harden;
pub mod outputs;
pub mod redact;

mod args;
mod batch;
mod engine;
#[cfg(test)]
mod exploration;
mod platform;
mod progress;
mod report;
mod run;
mod run_report;
#[cfg(test)]
mod testing;
mod transaction;

pub use run::run;
