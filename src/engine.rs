//! The engine: observes, plans and applies, and repeats until a secret matches its request, over any [`SecretStore`]. It owns
//! every call about one secret, but decides only about retries; the plan makes all other decisions.
//!
//! [`SecretStore`]: upsert_secret_core::store::SecretStore

pub(crate) mod apply;
pub(crate) mod context;
mod evidence;
pub(crate) mod job;
pub(crate) mod label_move;
pub(crate) mod observe;
mod policy;
pub(crate) mod system;
pub(crate) mod upsert;

#[cfg(test)]
mod tests;
