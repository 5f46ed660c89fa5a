//! Edits of JSON secrets: sets some keys of an object and preserves every other byte, including order, number formats and white
//! space. Also finds one element of a document, and compares two documents. Independent of AWS. Errors must not quote a
//! document, a value or a parser message.

mod difference;
mod edit;
mod key_path;
mod leaves;
mod lookup;
mod syntax;
mod text;

pub(crate) use difference::difference;
pub use edit::{JsonKey, apply_edits};
pub use key_path::{KeyPath, KeyPathError};
pub use leaves::for_each_leaf;
pub use lookup::{Element, LookupError, lookup};
pub use syntax::EditError;
pub(crate) use syntax::is_equal_json;
pub use text::{JsonText, NotJson};

#[cfg(test)]
mod tests;
