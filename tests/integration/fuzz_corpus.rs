//! Replays the fuzzing corpora as ordinary tests, with the bodies in `fuzz/bodies`. A new fuzz
//! target needs a body, a target, a `[[bin]]` and a corpus in `fuzz/`, and a module and a test
//! here.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[path = "../../fuzz/bodies/dotenv.rs"]
mod dotenv;
#[path = "../../fuzz/bodies/json.rs"]
mod json;
#[path = "../../fuzz/bodies/manifest.rs"]
mod manifest;
#[path = "../../fuzz/bodies/policy.rs"]
mod policy;
#[path = "../../fuzz/bodies/quote.rs"]
mod quote;
#[path = "../../fuzz/bodies/redact.rs"]
mod redact;

#[test]
fn dotenv_corpus_passes() {
    replay("dotenv", dotenv::dotenv);
}

#[test]
fn json_corpus_passes() {
    replay("json", json::json);
}

#[test]
fn policy_corpus_passes() {
    replay("policy", policy::policy);
}

#[test]
fn quote_corpus_passes() {
    replay("quote", quote::quote);
}

#[test]
fn manifest_corpus_passes() {
    replay("manifest", manifest::manifest);
}

#[test]
fn redact_corpus_passes() {
    replay("redact", redact::redact);
}

/// Runs a target's body on each file of its corpus. The panic messages precede the list of failed
/// files.
#[track_caller]
fn replay(target: &str, body: impl Fn(&[u8])) {
    let folder = Path::new("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    let failed: Vec<_> = files
        .iter()
        .filter(|file| {
            let data = fs::read(file).unwrap();
            catch_unwind(AssertUnwindSafe(|| body(&data))).is_err()
        })
        .map(|file| folder.join(file.file_name().unwrap()))
        .collect();
    assert!(failed.is_empty(), "these inputs fail: {failed:?}");
}
