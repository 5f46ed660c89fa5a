//! libFuzzer's way into `bodies/manifest.rs`. Adds nothing: the ordinary tests run the same body.

#![no_main]

#[path = "../bodies/manifest.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::manifest(data));
