//! The libFuzzer entry point of `bodies/dotenv.rs`. It adds nothing, because the regular tests run the same body.

#![no_main]

#[path = "../bodies/dotenv.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::dotenv(data));
