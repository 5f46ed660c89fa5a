//! Owns everything the services remember: a store per account and region, and the movable clock.
//! It must not know HTTP, keys or policies.

mod kms;
mod principals;
mod replication;
mod secret;
mod stages;
mod store;
mod view;
mod world;

pub(crate) use kms::{Kms, is_default as is_default_key};
pub(crate) use principals::Principals;
pub(crate) use secret::{Content, Deletion, Origin, Progress, Replica, Secret, Version};
pub(crate) use stages::{CURRENT, Put};
pub(crate) use store::{Store, arn, partial_name};
pub use view::{ReplicaView, SecretView, VersionView};
pub use world::World;

/// The account of the default key.
pub(crate) const ACCOUNT: &str = "111122223333";
/// The region of the default key.
pub(crate) const REGION: &str = "eu-west-1";
