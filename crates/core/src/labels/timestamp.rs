//! The parts that both kinds of private labels have: an expiry and a UUID. It reads no clock.

use std::time::Duration;

/// The largest difference between the clocks of a CI system's machines.
pub(super) const SKEW: Duration = Duration::from_mins(1);
/// Characters of the UUID that makes a label unique.
pub(super) const UUID_LENGTH: usize = 36;

/// Parses seconds since 1970, digits only.
pub(super) fn parse_seconds(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Whether an expiry is past on every clock.
pub(super) fn is_past(expiry: u64, now: u64) -> bool {
    expiry.saturating_add(SKEW.as_secs()) < now
}
