//! The libFuzzer entry point of `bodies/redact.rs`. It adds nothing, because the regular tests run the same body.

#![no_main]

#[path = "../bodies/redact.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::redact(data));
