//! The only module that writes to standard output and standard error. All text passes [`Redactor::clean`] first, which
//! replaces every form of a secret, escapes control characters and defuses workflow commands. It knows nothing about the
//! meaning of a message.

mod escape;
mod forms;
mod output;
mod redactor;
mod search;

pub(crate) use output::{Output, panic_line};
pub use redactor::Redactor;
pub use search::MIN_BYTES;
