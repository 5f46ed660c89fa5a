//! `upsert-secret`: make AWS Secrets Manager hold exactly this value under that name.
//!
//! Data flows one way, and each arrow is one type:
//!
//! ```text
//! environment ─┐
//!              ├─▶ inputs ─▶ request ─▶ observe ─▶ plan ─▶ apply ─▶ report ─▶ outputs · summary · exit code
//! manifest  ───┘   (raw)    (checked)   (AWS)     (pure)   (AWS)
//! ```
//!
//! The rooms, and what each may not do:
//!
//! - [`cli`]: the command line and `--help`. No value ever comes from it.
//! - [`inputs`]: the environment as it is; the one table of inputs. Checks nothing but names.
//! - [`manifest`]: many secrets in one YAML file, as text to inputs. No value is in it, and none is read here.
//! - [`request`]: inputs checked, with no network; everything after it trusts what it says.
//! - [`value`]: the secret's bytes, which cannot be printed.
//! - [`observe`]: what AWS has now. Reads only.
//! - [`plan`]: every decision, as a pure function. No AWS, no clock, no environment.
//! - [`json`]: sets keys of a JSON document and keeps every other byte.
//! - [`policy`]: whether two resource policies say the same.
//! - [`lease`]: the private label of a guarded write.
//! - [`token`]: version ids: made from the run, from a key, or at random.
//! - [`apply`]: carries a plan out. Decides nothing but how to handle a race.
//! - [`upsert`]: the loop of observe, plan, apply, until the goal is reached.
//! - [`batch`]: many secrets: looked at twenty a call, each brought to its goal by `upsert`; or all or none.
//! - [`pact`]: the private label of a run that makes all current or none.
//! - [`preview`]: the command `plan`: the decisions of a run, in words, and no write.
//! - [`iam`]: the command `iam-policy`: the rights that the steps of a run need.
//! - [`shift`]: `promote` and `rollback`: which way AWSCURRENT moves, and the move.
//! - [`trust`]: whose certificates are believed. Reads files only.
//! - [`patience`]: how long to wait before looking again.
//! - [`progress`]: a word now and then while something takes long.
//! - [`outcome`]: what a run found and did, kept up to date so that a cut run can still report.
//! - [`report`]: outcome to text, JSON and Markdown. Prints nothing itself.
//! - [`failure`]: what went wrong, why and what to do next; the exit codes.
//! - [`redact`]: the one door to standard output and standard error.
//! - [`harden`]: core dumps off, panics without payload.
//! - [`aws`]: the only place that imports `aws_*`.
//! - [`platform`]: where we run, and where outputs go.
//! - [`app`]: a run, from the environment to the exit code.

pub mod app;
pub mod apply;
pub mod aws;
pub mod batch;
pub mod cli;
pub mod failure;
pub mod harden;
pub mod iam;
pub mod inputs;
pub mod json;
pub mod lease;
pub mod manifest;
pub mod observe;
pub mod outcome;
pub mod pact;
pub mod patience;
pub mod plan;
pub mod platform;
pub mod policy;
pub mod preview;
pub mod progress;
pub mod redact;
pub mod report;
pub mod request;
pub mod shift;
pub mod token;
pub mod trust;
pub mod upsert;
pub mod value;
