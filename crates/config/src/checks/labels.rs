//! The shapes of staging labels and version ids in `version-stages`, `stage`, `version-id` and `expected-version-id`.
//! Whether a version has them is for AWS to say.

use upsert_secret_core::labels::{CURRENT, PREVIOUS, rejection};
use upsert_secret_core::request::VersionSelector;

use crate::diagnostics::Diagnostics;
use crate::inputs::{RawInputs, items};

/// Limit of AWS for the staging labels of a secret, without AWSCURRENT and AWSPREVIOUS.
const MAX_LABELS: usize = 18;
/// The staging label of the version to promote, unless an input names one.
const DEFAULT_STAGE: &str = "candidate";

/// The staging labels of `version-stages`, AWSCURRENT first; AWSCURRENT alone by default.
pub(crate) fn check_version_stages(raw: &RawInputs, diagnostics: &mut Diagnostics) -> Vec<String> {
    let given = raw.version_stages.as_deref().unwrap_or(CURRENT);
    let mut stages: Vec<String> = Vec::new();
    for label in items(given) {
        if let Some(why) = rejection(label) {
            diagnostics.reject("version-stages", why);
        } else if !stages.iter().any(|known| known == label) {
            stages.push(label.to_owned());
        }
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
            diagnostics.reject(
                "version-id",
                "and `stage` are both given: one of them says which version",
            );
        } else {
            check_version_id("version-id", id, diagnostics);
        }
        return VersionSelector::Version(id.clone());
    }
    let stage = raw.stage.as_deref().unwrap_or(DEFAULT_STAGE);
    let why = match stage {
        CURRENT => Some("is AWSCURRENT, and what holds that is current already"),
        PREVIOUS => Some("is AWSPREVIOUS; the command `rollback` goes back to it, and never twice"),
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

/// Rejects what is no version id: 32 to 64 characters, AWS's limits. Those that this tool makes are UUIDs.
fn check_version_id(input: &'static str, id: &str, diagnostics: &mut Diagnostics) {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if !(32..=64).contains(&id.len()) || !id.bytes().all(is_allowed) {
        diagnostics.reject(
            input,
            "must be a version id: 32 to 64 letters, digits and hyphens",
        );
    }
}
