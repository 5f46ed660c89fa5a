//! The shapes of staging labels and version ids in `version-stages`, `stage`, `version-id` and `expected-version-id`.
//! Whether a version has them is for AWS to say.

use upsert_secret_core::labels::{CURRENT, PREVIOUS, rejection};

use super::list::items;
use crate::diagnostics::Diagnostics;

/// Limit of AWS for the staging labels of a secret, without AWSCURRENT and AWSPREVIOUS.
const MAX_LABELS: usize = 18;

/// The staging labels of `version-stages`, AWSCURRENT first; AWSCURRENT alone by default.
pub(crate) fn check_version_stages(
    given: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let Some(given) = given else {
        return vec![CURRENT.to_owned()];
    };
    let mut stages: Vec<String> = Vec::new();
    for label in items(given) {
        if stages.iter().any(|known| known == label) {
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

/// The staging label in `stage`, of the version to promote.
pub(crate) fn check_stage(given: &str, diagnostics: &mut Diagnostics) -> String {
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

/// A version id: 32 to 64 characters, AWS's limits. Those that this tool makes are UUIDs.
pub(crate) fn check_version_id(
    input: &'static str,
    given: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let given = given?;
    let is_valid = (32..=64).contains(&given.len())
        && given
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !is_valid {
        diagnostics.reject(
            input,
            "must be a version id: 32 to 64 letters, digits and hyphens",
        );
    }
    Some(given.to_owned())
}
