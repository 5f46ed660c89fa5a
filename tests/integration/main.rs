//! Whole-program tests: the built binary against the sandbox, in the environment of a CI job.

// Clippy's `allow-unwrap-in-tests` covers `#[test]` functions, but not their helpers.
#![allow(clippy::unwrap_used)]

mod attribute_based_access;
mod ci_systems;
mod common;
mod compare_and_swap;
mod concurrent_writes;
mod credential_chain;
mod denied_reads;
mod documentation;
mod documented_policies;
mod error_messages;
mod exit_codes;
mod faults;
mod fuzz_corpus;
mod generated_docs;
mod gitlab;
mod help;
mod hostile;
mod iam_policy;
mod import;
mod interruptions;
mod invariants;
mod label_moves;
mod leaks;
mod lost_answers;
mod manifest;
mod metadata;
mod outputs;
mod plan;
mod releases;
mod restore;
mod roles;
mod shared_config;
mod staging_labels;
mod suffixed_names;
mod transaction;
mod transport;
mod upsert;
mod values;
mod windows;
