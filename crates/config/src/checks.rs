//! Checks of inputs, one module for each input or group of inputs that belong together. They parse inputs and collect
//! problems. They never call AWS, and no message quotes a value.

pub(crate) mod connection;
pub(crate) mod identity;
pub(crate) mod json_key;
pub(crate) mod labels;
pub(crate) mod leak_check;
pub(crate) mod policy;
mod proxies;
pub(crate) mod replicas;
mod settings;
pub(crate) mod shapes;
pub(crate) mod tags;

pub use proxies::passwords as proxy_passwords;
