//! The libFuzzer entry point of `bodies/quote.rs`. It adds nothing, because the regular tests run the same body.

#![no_main]

#[path = "../bodies/quote.rs"]
mod body;
// `quote` uses its encodings of secrets.
#[path = "../bodies/redact.rs"]
#[allow(dead_code)]
mod redact;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::quote(data));
