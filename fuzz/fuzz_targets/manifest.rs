//! The libFuzzer entry point of `bodies/manifest.rs`. It adds nothing, because the regular tests run the same body.

#![no_main]

#[path = "../bodies/manifest.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::manifest(data));
