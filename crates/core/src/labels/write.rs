//! The private label of a guarded write: the new version is staged with it before AWSCURRENT moves. The label is unique to the
//! process and contains its expiry, so that later runs can tell whether its run was killed. Must not read a clock or make
//! calls.

use std::time::Duration;

const PREFIX: &str = "upsert-secret-until-";
/// The maximum duration of a run. A label with a later expiry was not created by this tool.
pub const MAX_RUN: Duration = Duration::from_hours(6);

/// The maximum clock difference between the machines of a CI system.
const SKEW: Duration = Duration::from_mins(1);
/// The length of the UUID that makes a label unique.
pub(super) const UUID_LENGTH: usize = 36;

/// A private label and its location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteLabel {
    /// The label.
    pub label: String,
    /// The version that holds it, or may hold it after a lost response.
    pub on: Option<String>,
}

impl WriteLabel {
    /// A label that expires at `end`, in seconds since 1970. `unique` is a new random UUID.
    pub fn until(end: u64, unique: &str) -> Self {
        Self {
            label: format!("{PREFIX}{end}-{unique}"),
            on: None,
        }
    }
}

/// The state of a run, derived from its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelState {
    /// Not the label of a guarded write.
    Foreign,
    /// The run may still be in progress.
    Living,
    /// The run ended without removing the label.
    Expired,
}

pub(super) fn has_prefix(label: &str) -> bool {
    label.starts_with(PREFIX)
}

/// The state of a label at a time, in seconds since 1970.
pub fn label_state(label: &str, now: u64) -> LabelState {
    let expiry = label
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('-'))
        .filter(|(_, unique)| unique.len() == UUID_LENGTH)
        .and_then(|(seconds, _)| parse_seconds(seconds));
    match expiry {
        Some(end) if is_past(end, now) => LabelState::Expired,
        Some(end) if end <= now.saturating_add((MAX_RUN + SKEW).as_secs()) => LabelState::Living,
        _ => LabelState::Foreign,
    }
}

/// Parses seconds since 1970, digits only.
pub(super) fn parse_seconds(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Whether an expiry has passed on every clock.
pub(super) fn is_past(expiry: u64, now: u64) -> bool {
    expiry.saturating_add(SKEW.as_secs()) < now
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
        let latest = NOW + (MAX_RUN + SKEW).as_secs();
        assert_eq!(state(latest), LabelState::Living);
        assert_eq!(state(latest + 1), LabelState::Foreign, "too long a run");
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
