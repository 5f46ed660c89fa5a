//! libFuzzer's way into `bodies/redact.rs`. Adds nothing: the ordinary tests run the same body.

#![no_main]

#[path = "../bodies/redact.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::redact(data));
