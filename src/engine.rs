//! One secret brought to its goal: observe, plan, apply, and again until the goal is reached; over any [`SecretStore`].
//! Every call is in here, and no decision but retries: those are the plan's.
//!
//! [`SecretStore`]: upsert_secret_core::store::SecretStore

pub(crate) mod apply;
pub(crate) mod context;
pub(crate) mod label_move;
pub(crate) mod observe;
pub(crate) mod system;
pub(crate) mod upsert;

#[cfg(test)]
mod tests;
