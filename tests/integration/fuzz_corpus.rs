//! Every input that fuzzing was given or has found, as an ordinary test: the same bodies as in `fuzz/`,
//! without a fuzzer. A new target is a body, a target, a `[[bin]]` and a corpus there, and a module and
//! a test here.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[path = "../../fuzz/bodies/manifest.rs"]
mod manifest;
#[path = "../../fuzz/bodies/redact.rs"]
mod redact;

#[test]
fn manifest_corpus_passes() {
    replay("manifest", manifest::manifest);
}

#[test]
fn redact_corpus_passes() {
    replay("redact", redact::redact);
}

/// Runs a target's body over each file of its corpus. What a body panics with is above the names.
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
