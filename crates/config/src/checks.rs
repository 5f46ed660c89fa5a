//! One module for each input or group of inputs: parses it and collects what is wrong. Reads no value and no network.

pub(crate) mod connection;
pub(crate) mod identity;
pub(crate) mod json_key;
pub(crate) mod labels;
pub(crate) mod leak_check;
pub(crate) mod policy;
mod proxies;
pub(crate) mod region;
pub(crate) mod replicas;
mod settings;
pub(crate) mod tags;
pub(crate) mod target;
pub(crate) mod timeout;

pub use proxies::passwords as proxy_passwords;
