//! AWS Secrets Manager and STS on loopback, answering as the real ones were recorded to. For tests, and for
//! trying things out by hand; never published or shipped.
//!
//! What it answers comes from recordings of the real services (LocalStack's snapshot tests, moto's
//! `aws_verified` tests, live errors quoted in public issues) and, where there is none, from the API model and
//! AWS's documentation. `tests/fidelity` holds one row for each such fact, with its source.
//!
//! A request goes `line` (the connection) → `http` (its way), `incoming` → `faults` (what a test planned for it) →
//! `keys`, `sigv4` (the front door) → `rate` → `operations` (one function each, in a table) → `policy`, `state` →
//! `wire`, `ending` (the answer). `server` is the handle that tests hold, `client` a raw client for them.

pub mod client;
mod ending;
mod faults;
mod http;
mod incoming;
mod inspect;
mod keys;
mod line;
mod log;
mod operations;
mod policy;
mod random;
mod rate;
mod refusal;
mod server;
mod sigv4;
mod state;
mod time;
mod wire;

pub use faults::{Fault, Held, When};
pub use keys::Key;
pub use log::Entry;
pub use policy::Policy;
pub use server::{Builder, Sandbox};
pub use state::{SecretView, VersionView, World};
