//! The pure part of `upsert-secret`: checked requests, the state of a secret, every decision, and the text that explains
//! decisions.
//!
//! Must not read a clock, files or the environment, generate random numbers, or depend on an SDK: callers pass in what they
//! read. Each module uses only those above it:
//!
//! - [`value`], [`json`]: the secret's bytes, and edits of a JSON object.
//! - [`hash`], [`region`], [`target`], [`version_id`], [`labels`]: secrets and regions by name; version IDs; staging labels,
//!   including this tool's private ones.
//! - [`resource_policy`], [`claims`]: equivalence of two policies; the claims of an OIDC token.
//! - [`failure`], [`notice`]: failures and the levels of messages.
//! - [`backoff`], [`bounded`], [`rate`], [`url`], [`console`]: delays, size-limited reads, call rates, URLs, links to the
//!   AWS console.
//! - [`quote`], [`views`]: external text, shown by an allowlist; the decodings of a text.
//! - [`choices`], [`connection`], [`request`]: checked inputs.
//! - [`error`], [`state`], [`store`]: the responses of a store, and the trait that it implements.
//! - [`outcome`], [`attempt`]: the report about a secret, and the state that a run keeps about it.
//! - [`plan`], [`transaction`]: every decision.
//! - [`iam`]: the permissions that a run needs, derived from its plans.

pub mod attempt;
pub mod backoff;
pub mod bounded;
pub mod choices;
pub mod claims;
pub mod connection;
pub mod console;
pub mod error;
pub mod failure;
pub mod hash;
pub mod iam;
pub mod json;
pub mod labels;
pub mod notice;
pub mod outcome;
pub mod plan;
pub mod quote;
pub mod rate;
pub mod region;
pub mod request;
pub mod resource_policy;
pub mod state;
pub mod store;
pub mod target;
pub mod transaction;
pub mod url;
pub mod value;
pub mod version_id;
pub mod views;

#[cfg(test)]
mod testing;
