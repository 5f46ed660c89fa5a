//! From the environment and the manifest to checked requests. Everything that can be rejected without a network is
//! rejected here; every message names the input as the user wrote it, and none quotes a value. Reads files, never the
//! network.
//!
//! - [`environment`], [`inputs`]: the variables as they are, and the one table of inputs.
//! - [`ci`]: which CI system this is, by its variables.
//! - [`manifest`]: many secrets in one YAML file, as text to inputs.
//! - `diagnostics`, `checks`: everything that is wrong, collected; one module for each input or group of inputs.
//! - [`resolve`], [`value_source`]: where values come from.
//! - [`request`], [`label_move`], `manifest_run`, [`run`], [`policy_request`]: what a run is asked to do.

pub mod ci;
pub mod environment;
pub mod inputs;
pub mod manifest;
pub mod policy_request;
pub mod random;
pub mod resolve;
pub mod run;

mod checks;
mod diagnostics;
mod document;
mod files;
mod label_move;
mod manifest_run;
mod request;
mod value_source;

pub use checks::proxy_passwords;
