//! The built program, as a CI job runs it, against the sandbox.

// The configuration for tests reaches `#[test]` functions only, not their helpers.
#![allow(clippy::unwrap_used)]

mod blind;
mod chain;
mod common;
mod corpus;
mod docs;
mod faults;
mod flow;
mod gitlab;
mod guarded;
mod help;
mod interrupted;
mod invariants;
mod leaks;
mod many;
mod pages;
mod platforms;
mod policies;
mod preview;
mod races;
mod refusals;
mod rights;
mod roles;
mod stages;
mod state;
mod together;
mod transport;
