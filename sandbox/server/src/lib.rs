//! AWS Secrets Manager and STS on loopback, answering as the real ones were recorded to. For tests, and for
//! trying things out by hand; never published or shipped.
//!
//! What it answers comes from recordings of the real services (LocalStack's snapshot tests, moto's
//! `aws_verified` tests, live errors quoted in public issues) and, where there is none, from the API model and
//! AWS's documentation. `tests/fidelity` holds one row for each such fact, with its source.
//!
//! A request goes `line` (the connection) → `http` (its way), `incoming` → `faults` (what a test planned for it) →
//! `service` (the state, the front door) → `operations` or `identity` (one function each, in a table) → `policy`,
//! `state` → `wire`, `delivery` (the answer). `server` is the handle that tests hold, `people` its part about
//! identities, `client` a raw client.
//!
//! # Roles and tokens
//!
//! A role trusts a CI job or a principal; STS gives out sessions of it, and the log tells who called with what:
//!
//! ```
//! use sandbox::{Policy, Role, Sandbox, Trust};
//!
//! let sandbox = Sandbox::start();
//! sandbox.add_role(
//!     Role::new("arn:aws:iam::111122223333:role/release")
//!         .policy(Policy::deny(&["secretsmanager:DeleteSecret"]))
//!         .trust(Trust::github("repo:acme/app:*"))
//!         .trust(Trust::gitlab("https://gitlab.com", "project_path:acme/app:*"))
//!         .trust(Trust::principal("arn:aws:iam::111122223333:user/sandbox").external_id("x")),
//! );
//! // For the process under test: endpoints and region without a key; then a job's right to a token,
//! let env = sandbox.keyless_env();
//! let job = sandbox.github_oidc("repo:acme/app:ref:refs/heads/main");
//! let token = sandbox.gitlab_token("project_path:acme/app:ref_type:branch:ref:main", "https://gitlab.com");
//! // or a machine's role.
//! let instance = sandbox.metadata_env("arn:aws:iam::111122223333:role/release");
//! let container = sandbox.container_env("arn:aws:iam::111122223333:role/release");
//! // Afterwards:
//! for entry in sandbox.log() {
//!     // "GetIdToken", "AssumeRoleWithWebIdentity", "PutSecretValue", ...
//!     let _ = (entry.operation, entry.caller, entry.identity.role, entry.identity.session);
//! }
//! ```
//!
//! Tokens and sessions end by the clock of the service ([`Sandbox::advance_clock`]). Faults, holds and hooks work on
//! `GetIdToken`, `AssumeRole` and `AssumeRoleWithWebIdentity` as on every operation; some faults are theirs alone
//! ([`Fault::Pending`], [`Fault::IdpUnreachable`], [`Fault::NoVerificationKey`]).
//!
//! # What takes time on AWS
//!
//! Replicas, and principals that IAM has just made, take as many requests as the test says, and no clock:
//!
//! ```
//! let sandbox = sandbox::Sandbox::start();
//! sandbox.with(|world| {
//!     // DescribeSecret of the primary says InProgress three times, not once, then InSync or Failed.
//!     world.replicas_settle_after(3);
//!     world.disable_region("ap-east-1");
//!     // Two requests find it unsupported in a resource policy.
//!     world.add_principal_after("arn:aws:iam::111122223333:role/reader", 2);
//! });
//! ```
//!
//! # The network
//!
//! [`front`] has TLS with good and bad certificates, proxies, and black holes to stand before the sandbox. Sandbox
//! and fronts listen on 127.0.0.1 or, asked by `ipv6(true)`, on `[::1]`; never beyond loopback.

mod builder;
pub mod client;
mod connection;
mod defaults;
mod errors;
mod faults;
mod form;
pub mod front;
mod http;
mod identities;
mod identity;
mod inspect;
mod lifecycle;
mod log;
mod operations;
mod protocol;
mod random;
mod rate_limit;
mod request;
mod response;
mod server;
mod server_thread;
mod shared;
mod sigv4;
mod state;
mod time;
mod wire;

pub use builder::Builder;
pub use faults::{Fault, Held, When};
pub use identity::{Key, Role, Trust};
pub use log::{IdentityParameters, LogEntry};
pub use sandbox_model::{Policy, ReplicaView, SecretView, VersionView, World};
pub use server::Sandbox;
