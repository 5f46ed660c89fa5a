//! The libFuzzer entry point of `bodies/json.rs`. It adds nothing, because the regular tests run the same body.

#![no_main]

#[path = "../bodies/json.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::json(data));
