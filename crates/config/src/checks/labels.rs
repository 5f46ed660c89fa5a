//! `version-stages`, `stage` and version ids, as users give them.

use upsert_secret_core::labels::{CURRENT, PREVIOUS, rejection};

use crate::diagnostics::Diagnostics;

/// Limit of AWS for the labels of one secret is 20; AWSCURRENT and AWSPREVIOUS take two of them.
const MAX_LABELS: usize = 18;

/// `version-stages`: labels with commas or white space between them; AWSCURRENT alone where none are
/// given. AWSCURRENT comes first where it is among them.
pub(crate) fn list(given: Option<&str>, diagnostics: &mut Diagnostics) -> Vec<String> {
    let Some(given) = given else {
        return vec![CURRENT.to_owned()];
    };
    let mut stages: Vec<String> = Vec::new();
    for label in given.split(|c: char| c == ',' || c.is_whitespace()) {
        if label.is_empty() || stages.iter().any(|known| known == label) {
            continue;
        }
        if let Some(why) = rejection(label) {
            diagnostics.reject("version-stages", why);
        } else if label == CURRENT {
            stages.insert(0, label.to_owned());
        } else {
            stages.push(label.to_owned());
        }
    }
    if stages.len() > MAX_LABELS {
        diagnostics.reject(
            "version-stages",
            format!("names more than {MAX_LABELS} labels; a secret has at most 20"),
        );
    }
    if stages.is_empty() {
        stages.push(CURRENT.to_owned());
    }
    stages
}

/// `stage`: one label of a version that is to become current.
pub(crate) fn one(given: &str, diagnostics: &mut Diagnostics) -> String {
    let why = match given {
        CURRENT => Some("is AWSCURRENT, and what holds that is current already"),
        PREVIOUS => Some("is AWSPREVIOUS; the command `rollback` goes back to it, and never twice"),
        _ => rejection(given),
    };
    if let Some(why) = why {
        diagnostics.reject("stage", why);
    }
    given.to_owned()
}

/// A version id: 32 to 64 characters (AWS's limits; those that this tool makes are UUIDs).
pub(crate) fn version_id(
    input: &'static str,
    given: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let given = given?;
    let fits = (32..=64).contains(&given.len())
        && given
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !fits {
        diagnostics.reject(
            input,
            "must be a version id: 32 to 64 letters, digits and hyphens",
        );
    }
    Some(given.to_owned())
}
