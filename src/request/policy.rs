//! `resource-policy` and `allow-public-policy`: the document, from the input itself or from a file.

use std::fs::{self, File};
use std::io::Read as _;

use super::Problems;
use crate::failure::io_reason;
use crate::inputs::RawInputs;
use crate::policy::Policy;

/// Limit of AWS for a resource policy, in characters (API model; PutResourcePolicy).
const MAX_POLICY: usize = 20_480;
/// In bytes: a character has four at most.
const MAX_BYTES: u64 = 4 * 20_480;
/// What stands before the path of a file.
const FILE: &str = "file:";

pub(super) fn check(raw: &RawInputs, problems: &mut Problems) -> (Option<Policy>, bool) {
    let public = problems.choice(
        "allow-public-policy",
        raw.allow_public_policy.as_deref(),
        &[("false", false), ("true", true)],
    );
    let Some(given) = raw.resource_policy.as_deref() else {
        if raw.allow_public_policy.is_some() {
            problems.add("allow-public-policy", "is given, but no `resource-policy`");
        }
        return (None, public);
    };
    let policy = match given.strip_prefix(FILE) {
        Some(path) => read(path),
        None => Ok(given.to_owned()),
    }
    .and_then(|text| {
        let text = text.trim();
        if text.chars().count() > MAX_POLICY {
            return Err(format!("is longer than {MAX_POLICY} characters"));
        }
        Policy::parse(text)
    });
    let policy = policy
        .map_err(|why| problems.add("resource-policy", why))
        .ok();
    (policy, public)
}

fn read(path: &str) -> Result<String, String> {
    let unreadable =
        |error: std::io::Error| format!("names a file that cannot be read: {}", io_reason(&error));
    // Before it is opened: a pipe that nobody writes to would be waited for without end.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("names something that is no regular file".to_owned());
    }
    let mut text = String::new();
    File::open(path)
        .map_err(unreadable)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    Ok(text)
}
