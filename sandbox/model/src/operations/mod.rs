//! The operations of Secrets Manager. To add one, write its function in a file of this directory and add a row to the table in
//! `table.rs`.

mod authorize;
mod batch;
mod call;
mod create;
mod delete;
mod describe;
mod get;
mod input;
mod policies;
mod put;
mod replicate;
mod table;
mod tags;

pub(crate) use table::run;
pub use table::{Operation, QuotaGroup, find_operation};
