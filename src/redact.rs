//! The only way to standard output and standard error. Everything that a person or a log sees passes
//! [`Redactor::clean`] first: forms of the secret are replaced, control characters escaped, workflow commands defused. It must
//! not know what a message means.

mod escape;
mod forms;
mod output;
mod redactor;
mod search;

pub(crate) use output::{Output, panic_line};
pub use redactor::Redactor;
pub use search::MIN_BYTES;
