//! Edits of JSON secrets: some keys of an object are set and every other byte stays, so order, numbers and white
//! space are kept. Knows nothing of AWS. No error quotes a document, a value or a message of the parser.

mod edit;
mod key_path;
mod syntax;
mod text;

pub use edit::{JsonKey, apply_edits};
pub use key_path::{KeyPath, KeyPathError};
pub use syntax::EditError;
pub(crate) use syntax::is_equal_json;
pub use text::{JsonText, NotJson};

#[cfg(test)]
mod tests;
