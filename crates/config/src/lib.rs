//! Turns the environment and the manifest into checked requests. Rejects everything that can be rejected without the network,
//! and names inputs as the user wrote them. Reads files. Must not use the network or quote a value.
//!
//! - [`environment`], [`inputs`], [`variables`]: the environment, the table of inputs, and its variables.
//! - [`ci`]: the CI system and the run, from their variables.
//! - [`manifest`]: a YAML file of many secrets, as inputs in text form.
//! - [`import`]: existing secrets, as such a file.
//! - [`spelling`]: how messages name inputs.
//! - `diagnostics`, `checks`: collected problems and warnings; one module per input or group of inputs.
//! - `other_secrets`: variables that hold secrets other than the value.
//! - `files`, [`dotenv`], `generate`, [`resolve`], `document`, `value_source`: the sources of values.
//! - [`time_limit`]: time limits for work that can block.
//! - `request`, `manifest_run`, `label_moves`, `release`, [`run`], [`policy_request`]: the requests of a run.

pub mod ci;
pub mod dotenv;
pub mod environment;
pub mod import;
pub mod inputs;
pub mod manifest;
pub mod policy_request;
pub mod random;
pub mod resolve;
pub mod run;
pub mod spelling;
pub mod time_limit;
pub mod variables;

mod checks;
mod diagnostics;
mod document;
mod files;
mod generate;
mod label_moves;
mod manifest_run;
mod other_secrets;
mod release;
mod request;
mod value_source;

pub use checks::timeout_or_default;
pub use other_secrets::other_secrets;
