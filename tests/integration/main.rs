//! The built program, as a CI job runs it, against the sandbox.

mod blind;
mod common;
mod docs;
mod faults;
mod flow;
mod interrupted;
mod leaks;
mod platforms;
mod races;
mod refusals;
