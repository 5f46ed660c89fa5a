//! From the environment and the manifest to checked requests. Rejects everything that can be rejected without a
//! network, names inputs as the user wrote them, and quotes no value. Reads files, never the network.
//!
//! - [`environment`], [`inputs`]: the variables, and the table of inputs.
//! - [`ci`]: the CI system and the run, from their variables.
//! - [`manifest`]: a YAML file of many secrets, as inputs in text form.
//! - `diagnostics`, `checks`: collected problems and warnings; one module for each input or group of inputs.
//! - `files`, [`resolve`], `value_source`: where values come from.
//! - `request`, `manifest_run`, [`run`], [`policy_request`]: what a run is asked to do.

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
mod files;
mod manifest_run;
mod request;
mod value_source;

pub use checks::proxy_passwords;
