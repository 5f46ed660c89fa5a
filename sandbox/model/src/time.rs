//! Converts points in time to their form in responses. Must not read a clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: u64 = 86_400;

/// Seconds since the epoch with milliseconds, as the JSON protocol writes a timestamp.
pub(crate) fn epoch(at: SystemTime) -> f64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs_f64() * 1000.0).round() / 1000.0
}

/// Midnight (UTC) of the day of `at`: `LastAccessedDate` has no finer resolution.
pub(crate) fn midnight(at: SystemTime) -> SystemTime {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs() / DAY * DAY)
}
