//! The operations of STS, of GitHub's token endpoint and of the metadata services. To add one, write its function in a file of
//! this directory and add a row to the table in `table.rs`.

mod id_token;
mod metadata;
mod sts;
mod table;

pub(crate) use table::{IdentityOperation, find_operation};
