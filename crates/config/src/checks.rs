//! Checks of inputs, one module per input or group of related inputs. They parse inputs and collect problems. Must not call AWS
//! or quote a value in a message.

pub(crate) mod connection;
pub(crate) mod identity;
pub(crate) mod json_key;
pub(crate) mod labels;
pub(crate) mod leak_check;
pub(crate) mod only;
pub(crate) mod policy;
mod proxies;
pub(crate) mod replicas;
pub(crate) mod settings;
pub(crate) mod shapes;
pub(crate) mod tags;

pub use connection::timeout_or_default;
pub(crate) use proxies::passwords as proxy_passwords;
