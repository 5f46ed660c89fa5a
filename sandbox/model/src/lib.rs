//! In-memory model of AWS Secrets Manager: secrets, versions, staging labels, replicas, KMS keys and policies.
//!
//! The model owns what the service stores and its response to each operation, as recorded from AWS. It does no
//! I/O and never reads the system clock or the system's randomness: the driver of a [`World`] sets its time, and
//! every generated ID follows from its seed. It is independent of the product, HTTP and request signatures.
//!
//! ```
//! use std::time::Duration;
//!
//! use sandbox_model::{Caller, Policy, REGION, World};
//! use serde_json::json;
//!
//! let mut world = World::new(1);
//! world.create("app", "first");
//!
//! let caller = Caller::default().with_policy(Policy::deny(&["secretsmanager:GetSecretValue"]));
//! let denied = world.call(&caller, REGION, "GetSecretValue", json!({"SecretId": "app"}));
//! assert_eq!(denied.expect_err("denied").code, "AccessDeniedException");
//!
//! // A clone shares its data with the original until either of them changes.
//! let before = world.clone();
//! world.advance(Duration::from_secs(60));
//! world.put("app", "second");
//! assert_eq!(before.secret("app").map(|secret| secret.versions.len()), Some(1));
//! assert_eq!(world.secret("app").map(|secret| secret.versions.len()), Some(2));
//! ```

mod arn;
mod arrange;
mod caller;
mod error;
mod operations;
mod policy;
mod random;
mod resource_policy;
mod state;
mod time;
mod view;
mod wildcard;

pub use caller::Caller;
pub use error::ServiceError;
pub use operations::{Operation, QuotaGroup, find_operation};
pub use policy::{Decision, Policy};
pub use random::{Random, format_uuid};
pub use state::{ACCOUNT, REGION, World};
pub use view::{ReplicaView, SecretView, VersionView};
pub use wildcard::matches as matches_wildcard;
