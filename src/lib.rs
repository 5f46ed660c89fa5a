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
//! `upsert-secret-config` builds requests from the environment and the manifest, `upsert-secret-core` makes every decision, and
//! `upsert-secret-aws` is the store. This crate contains the rest:
//!
//! - `args`, `help`, [`commands`]: the command line and `--help`. They never accept a secret value.
//! - `run`: a run, from the environment to the exit code.
//! - `batch`, `engine`, `transaction`: the secrets of a run, a single secret, an all-or-nothing run. They make every
//!   call, but decide only about retries.
//! - `run_report`, `report`, [`outputs`], `written`: the results of a run and their formats; the meaning of exit code 2.
//! - `platform`: the destinations of outputs, report and summary.
//! - [`redact`], `progress`: the only writer to standard output and standard error; status lines.
//! - [`harden`]: no core dumps, no payloads in panic messages.
//! - `signals`: requests to end the run.
//! - `relaunch`: empty variables, which the SDK would not take for "not given".

pub mod commands;
pub mod harden;
pub mod outputs;
pub mod redact;

mod args;
mod batch;
mod engine;
#[cfg(test)]
mod exit_codes;
#[cfg(test)]
mod exploration;
mod help;
mod import;
mod platform;
mod progress;
mod relaunch;
mod report;
mod run;
mod run_report;
mod signals;
#[cfg(test)]
mod testing;
mod transaction;
mod written;

pub use run::run;
