//! The private label of a guarded write: a version is put under it before AWSCURRENT is moved to that version. The label
//! is unique to the process and carries its own expiry, so that a later run can tell a killed run's label from a
//! living run's. Knows no AWS and no clock.

use std::time::Duration;

const PREFIX: &str = "upsert-secret-until-";
/// The clocks of a CI system's machines differ by at most this much.
const SKEW: Duration = Duration::from_mins(1);
/// The longest that a run may take. A label that claims to live longer belongs to something else.
pub const MAX_RUN: Duration = Duration::from_hours(6);

/// A private label and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteLabel {
    /// The label.
    pub label: String,
    /// The version that holds it, or may hold it.
    pub on: Option<String>,
}

impl WriteLabel {
    /// A label that expires at `end`, in seconds since 1970. `unique` is a fresh random UUID.
    #[must_use]
    pub fn until(end: u64, unique: &str) -> Self {
        Self {
            label: format!("{PREFIX}{end}-{unique}"),
            on: None,
        }
    }
}

/// What a label on a secret means to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelState {
    /// Not a private label of this kind.
    Foreign,
    /// Of a run that may still be going on.
    Living,
    /// Of a run that ended without removing it.
    Expired,
}

/// Whether a label has the prefix of this kind.
pub(super) fn has_prefix(label: &str) -> bool {
    label.starts_with(PREFIX)
}

/// The state of a label at a time, in seconds since 1970.
#[must_use]
pub fn label_state(label: &str, now: u64) -> LabelState {
    let expiry = label
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('-'))
        .filter(|(digits, id)| id.len() == 36 && digits.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|(digits, _)| digits.parse::<u64>().ok());
    match expiry {
        Some(end) if end.saturating_add(SKEW.as_secs()) < now => LabelState::Expired,
        Some(end) if end <= now.saturating_add((MAX_RUN + SKEW).as_secs()) => LabelState::Living,
        _ => LabelState::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const UNIQUE: &str = "00000000-0000-8000-8000-000000000000";

    #[test]
    fn label_lives_until_expired_on_every_clock() {
        let state = |end: u64| label_state(&WriteLabel::until(end, UNIQUE).label, NOW);
        assert_eq!(state(NOW + 120), LabelState::Living);
        assert_eq!(state(NOW - 60), LabelState::Living, "clocks differ");
        assert_eq!(state(NOW - 61), LabelState::Expired);
        assert_eq!(state(0), LabelState::Expired);
        assert_eq!(
            state(NOW + 7 * 3_600),
            LabelState::Foreign,
            "no run takes that long"
        );
        assert_eq!(state(u64::MAX), LabelState::Foreign);
    }

    #[test]
    fn other_labels_are_foreign() {
        for label in [
            "AWSCURRENT",
            "candidate",
            "upsert-secret-until-",
            "upsert-secret-until-1",
            "upsert-secret-until-1-blue",
            "upsert-secret-until-+1-00000000-0000-8000-8000-000000000000",
            "upsert-secret-until-99999999999999999999999-00000000-0000-8000-8000-000000000000",
        ] {
            assert_eq!(label_state(label, NOW), LabelState::Foreign, "{label}");
        }
    }
}
