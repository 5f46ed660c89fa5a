//! Local emulator of AWS Secrets Manager and STS for tests and manual experiments. Never published or shipped.
//!
//! Its responses come from recordings of the real services (LocalStack's snapshot tests, moto's
//! `aws_verified` tests, live errors quoted in public issues) and, where there are none, from the API model and
//! AWS's documentation. `tests/fidelity` has one row per recorded fact, with its source.
//!
//! The state machine of Secrets Manager is the crate `sandbox_model`; this crate puts it on the network.
//! A request passes through these modules:
//!
//! 1. `connection` and `http` receive it, `request` parses it, and `log` records it.
//! 2. `lifecycle` applies the `faults` that a test planned.
//! 3. `state` authenticates the signer (`sigv4`, `identity`), limits rates, and calls `sandbox_model` or `identity`.
//! 4. `response` and `wire` turn the outcome into bytes.
//!
//! [`Sandbox`] is the handle for tests, [`client`] a client that shows raw responses.
//!
//! # Roles and tokens
//!
//! A role trusts CI jobs or principals, STS issues its sessions, and the log records the caller of each request:
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
//! // The environment of the process under test: endpoints and region without a key, and either a job's
//! // permission to request a token or a token,
//! let env = sandbox.keyless_env();
//! let job = sandbox.github_oidc("repo:acme/app:ref:refs/heads/main");
//! let token = sandbox.gitlab_token("project_path:acme/app:ref_type:branch:ref:main", "https://gitlab.com");
//! // or a machine with a role.
//! let instance = sandbox.metadata_env("arn:aws:iam::111122223333:role/release");
//! let container = sandbox.container_env("arn:aws:iam::111122223333:role/release");
//! // After the process has run:
//! for entry in sandbox.log() {
//!     // "GetIdToken", "AssumeRoleWithWebIdentity", "PutSecretValue", ...
//!     let _ = (entry.operation, entry.caller, entry.identity.role, entry.identity.session);
//! }
//! ```
//!
//! Tokens and sessions expire by the service's clock ([`Sandbox::advance_clock`]). Faults, holds and hooks work on
//! `GetIdToken`, `AssumeRole` and `AssumeRoleWithWebIdentity` as on all operations; a few faults are specific to them
//! ([`Fault::Pending`], [`Fault::IdpUnreachable`], [`Fault::NoVerificationKey`]).
//!
//! # Eventual consistency
//!
//! Replication, and the propagation of new IAM principals, take as many requests as the test sets, not time:
//!
//! ```
//! let sandbox = sandbox::Sandbox::start();
//! sandbox.with(|world| {
//!     // DescribeSecret of the primary reports InProgress three times before InSync or Failed; the default is once.
//!     world.replicas_settle_after(3);
//!     world.disable_region("ap-east-1");
//!     // The next two requests that name the role in a resource policy fail.
//!     world.add_principal_after("arn:aws:iam::111122223333:role/reader", 2);
//! });
//! ```
//!
//! # The network
//!
//! [`front`] has TLS servers with good and bad certificates, proxies, and black holes. The sandbox and the fronts
//! listen on 127.0.0.1 or, with `ipv6(true)`, on `[::1]`; never beyond loopback.

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
pub use sandbox_model::{Policy, Random, ReplicaView, SecretView, VersionView, World};
pub use server::Sandbox;
