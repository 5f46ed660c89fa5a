//! The pure part of `upsert-secret`: checked requests, the state of a secret, every decision, and the text that explains
//! it.
//!
//! Nothing here reads a clock, a file or the environment, draws random numbers, or depends on an SDK: callers pass in what
//! they read. The modules, each of which uses only those above it:
//!
//! - [`value`], [`json`]: the secret's bytes, and edits of a JSON object.
//! - [`hash`], [`region`], [`target`], [`version_id`], [`labels`]: secrets and regions by name; the ids of versions; staging
//!   labels, those private to this tool included.
//! - [`resource_policy`], [`claims`]: equivalence of two policies; the claims of an OIDC token.
//! - [`failure`], [`notice`]: failures and the levels of messages.
//! - [`backoff`], [`bounded`], [`url`]: delays, limited reading, URLs.
//! - [`choices`], [`connection`], [`request`]: checked inputs.
//! - [`error`], [`state`], [`store`]: the answers of a store, and the trait that it implements.
//! - [`outcome`], [`attempt`]: the report about a secret, and what a run remembers about it.
//! - [`plan`], [`transaction`]: every decision.
//! - [`iam`]: the permissions that a run needs, derived from its plans.

pub mod attempt;
pub mod backoff;
pub mod bounded;
pub mod choices;
pub mod claims;
pub mod connection;
pub mod error;
pub mod failure;
pub mod hash;
pub mod iam;
pub mod json;
pub mod labels;
pub mod notice;
pub mod outcome;
pub mod plan;
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

#[cfg(test)]
mod testing;
