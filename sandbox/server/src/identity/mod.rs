//! Access keys, roles and tokens, and the services that issue credentials: STS, OIDC issuers, metadata services. Independent of
//! how a caller uses its credentials.

mod arn;
mod call;
mod issuers;
mod jwt;
mod keys;
mod metadata;
mod operations;
mod parameters;
mod registry;
mod requested;
mod role;
mod roles;
mod session;

pub(crate) use call::{Authenticated, IdentityCall};
pub(crate) use issuers::{Claims, GITLAB};
pub(crate) use keys::Clocks;
pub use keys::Key;
pub(crate) use operations::{IdentityOperation, find_operation};
pub(crate) use registry::IdentityRegistry;
pub(crate) use requested::requested;
pub use role::{Role, Trust};
