//! Staging labels and version ids as users give them.

use super::Problems;
use crate::lease;

/// The label of the version that readers get.
pub const CURRENT: &str = "AWSCURRENT";
/// The label of the version that was current before; AWS moves it.
pub const PREVIOUS: &str = "AWSPREVIOUS";
/// The label of a rotation in progress.
pub const PENDING: &str = "AWSPENDING";

/// Limit of AWS for a label, in characters.
const MAX_LABEL: usize = 256;
/// Limit of AWS for the labels of one secret is 20; AWSCURRENT and AWSPREVIOUS take two of them.
const MAX_LABELS: usize = 18;

/// `version-stages`: labels with commas or white space between them; AWSCURRENT alone where none are
/// given. AWSCURRENT comes first where it is among them.
pub(super) fn list(given: Option<&str>, problems: &mut Problems) -> Vec<String> {
    let Some(given) = given else {
        return vec![CURRENT.to_owned()];
    };
    let mut stages: Vec<String> = Vec::new();
    for label in given.split(|c: char| c == ',' || c.is_whitespace()) {
        if label.is_empty() || stages.iter().any(|known| known == label) {
            continue;
        }
        if let Some(why) = refusal(label) {
            problems.add("version-stages", why);
        } else if label == CURRENT {
            stages.insert(0, label.to_owned());
        } else {
            stages.push(label.to_owned());
        }
    }
    if stages.len() > MAX_LABELS {
        problems.add(
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
pub(super) fn one(given: &str, problems: &mut Problems) -> String {
    let why = match given {
        CURRENT => Some("is AWSCURRENT, and what holds that is current already"),
        PREVIOUS => Some("is AWSPREVIOUS; the command `rollback` goes back to it, and never twice"),
        _ => refusal(given),
    };
    if let Some(why) = why {
        problems.add("stage", why);
    }
    given.to_owned()
}

fn refusal(label: &str) -> Option<&'static str> {
    match label {
        PREVIOUS => Some("must not name AWSPREVIOUS: it follows AWSCURRENT by itself"),
        PENDING => Some("must not name AWSPENDING: it belongs to rotation"),
        _ if lease::is_ours(label) => Some("must not name a private label of this tool"),
        _ if label.len() > MAX_LABEL
            || !label.bytes().all(|b| b.is_ascii_graphic() && b != b',') =>
        {
            Some(
                "must be printable ASCII without spaces and commas, at most 256 characters a label",
            )
        }
        _ => None,
    }
}

/// A version id: 32 to 64 characters (AWS's limits; those that this tool makes are UUIDs).
pub(super) fn version_id(
    input: &'static str,
    given: Option<&str>,
    problems: &mut Problems,
) -> Option<String> {
    let given = given?;
    let fits = (32..=64).contains(&given.len())
        && given
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !fits {
        problems.add(
            input,
            "must be a version id: 32 to 64 letters, digits and hyphens",
        );
    }
    Some(given.to_owned())
}
