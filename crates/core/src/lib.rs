//! The pure part of `upsert-secret`: checked requests, the state of a secret, every decision, and the words for it.
//!
//! Nothing here reads a clock, a file or the environment, draws random numbers, or knows an SDK: what is needed of those
//! is passed in. The modules, each using only those above it:
//!
//! - [`value`], [`json`]: the secret's bytes, and edits of a JSON object.
//! - [`region`], [`target`], [`labels`], [`version_id`]: names of things in AWS, and this tool's private labels and ids.
//! - [`resource_policy`], [`claims`]: whether two policies are equivalent; what an OIDC token says.
//! - [`failure`], [`notice`]: what is told to people.
//! - [`backoff`], [`bounded`], [`url`]: delays, limited reading, addresses.
//! - [`choices`], [`connection`], [`request`]: what is asked, checked.
//! - [`error`], [`state`], [`store`]: what a store answers, and the trait that it implements.
//! - [`outcome`], [`attempt`]: what is reported about a secret, and what a run remembers about it.
//! - [`plan`], [`transaction`]: every decision.
//! - [`iam`]: the permissions that a run needs, read off its plans.

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
