//! The formats of staging labels and version IDs in `version-stages`, `stage`, `version-id` and `expected-version-id`. AWS
//! decides whether such a version exists.

use upsert_secret_core::labels::{CURRENT, PREVIOUS, rejection};
use upsert_secret_core::request::VersionSelector;

use crate::diagnostics::Diagnostics;
use crate::inputs::{RawInputs, items};

/// AWS limit for the staging labels of a secret, excluding AWSCURRENT and AWSPREVIOUS.
const MAX_LABELS: usize = 18;
/// The default staging label of the version to promote.
const DEFAULT_STAGE: &str = "candidate";

/// The staging labels of `version-stages`, AWSCURRENT first; only AWSCURRENT by default.
pub(crate) fn check_version_stages(raw: &RawInputs, diagnostics: &mut Diagnostics) -> Vec<String> {
    let given = raw.version_stages.as_deref().unwrap_or(CURRENT);
    let mut stages: Vec<String> = Vec::new();
    let mut reasons = Vec::new();
    for label in items(given) {
        match rejection(label) {
            Some(why) if !reasons.contains(&why) => reasons.push(why),
            Some(_) => {}
            // Labels above the limit are not compared with each other.
            None if stages.len() > MAX_LABELS => break,
            None if stages.iter().any(|known| known == label) => {}
            None => stages.push(label.to_owned()),
        }
    }
    for why in reasons {
        diagnostics.reject("version-stages", why);
    }
    stages.sort_by_key(|label| label != CURRENT);
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

/// The version to promote: the one in `version-id`, or the holder of the label in `stage`.
pub(crate) fn check_selector(raw: &RawInputs, diagnostics: &mut Diagnostics) -> VersionSelector {
    if let Some(id) = &raw.version_id {
        if raw.stage.is_some() {
            diagnostics.reject("version-id", "and `stage` are both given: set one of them");
        } else {
            check_version_id("version-id", id, diagnostics);
        }
        return VersionSelector::Version(id.clone());
    }
    let stage = raw.stage.as_deref().unwrap_or(DEFAULT_STAGE);
    let why = match stage {
        CURRENT => Some("is AWSCURRENT, whose version is already current"),
        PREVIOUS => {
            Some("is AWSPREVIOUS; use the command `rollback`, which never rolls back twice")
        }
        _ => rejection(stage),
    };
    if let Some(why) = why {
        diagnostics.reject("stage", why);
    }
    VersionSelector::Stage(stage.to_owned())
}

/// The version in `expected-version-id`.
pub(crate) fn check_expected(raw: &RawInputs, diagnostics: &mut Diagnostics) -> Option<String> {
    let id = raw.expected_version_id.as_ref()?;
    check_version_id("expected-version-id", id, diagnostics);
    Some(id.clone())
}

/// Rejects text that is not a version ID: 32 to 64 characters, the AWS limits. IDs created by this tool are UUIDs.
fn check_version_id(input: &'static str, id: &str, diagnostics: &mut Diagnostics) {
    if !is_version_id(id) {
        diagnostics.reject(
            input,
            "must be a version ID: 32 to 64 letters, digits and hyphens",
        );
    }
}

/// Whether a text has the format of a version ID.
pub(crate) fn is_version_id(id: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (32..=64).contains(&id.len()) && id.bytes().all(is_allowed)
}
