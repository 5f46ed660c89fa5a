//! The engine: observe, plan and apply, repeated until a secret matches its request, over any [`SecretStore`]. It owns
//! every call about one secret, and no decision except retries: the plan decides.
//!
//! [`SecretStore`]: upsert_secret_core::store::SecretStore

pub(crate) mod apply;
pub(crate) mod context;
mod evidence;
pub(crate) mod job;
mod label_move;
pub(crate) mod observe;
pub(crate) mod system;
pub(crate) mod upsert;

#[cfg(test)]
mod tests;
