//! Everything the service stores: one store per account and region, and the settings of a [`World`]. Independent of operations
//! and identity policies.

mod kms;
mod principals;
mod replication;
mod secret;
mod staging;
mod store;
mod world;

pub(crate) use kms::{KmsError, Unusable, is_default as is_default_key};
pub(crate) use secret::{Content, Deletion, Origin, Progress, Replica, Secret};
pub(crate) use staging::{CURRENT, Put};
pub(crate) use store::Store;
pub use world::{ACCOUNT, REGION, World};
