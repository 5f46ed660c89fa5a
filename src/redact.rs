//! The only module that writes to standard output and standard error. All text first passes through [`Redactor::clean`], which
//! replaces every form of a secret, escapes control characters and defuses workflow commands. Must not depend on the meaning of
//! a message.

mod bar;
mod escape;
mod index;
mod output;
mod redactor;
#[cfg(test)]
mod tests;

pub(crate) use bar::rate;
pub use index::MIN_BYTES;
pub(crate) use output::{Output, panic_line};
pub use redactor::Redactor;
