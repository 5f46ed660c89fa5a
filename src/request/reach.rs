//! How AWS is reached, whatever is asked of it: the region, who we are, how long it may take.

use std::sync::Arc;
use std::time::Duration;

use super::{Identity, Problems, Settings};

/// For one secret.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);
/// The longest that a run may take; private labels rely on it.
pub const MAX_TIMEOUT: Duration = Duration::from_hours(6);

/// What a connection needs.
pub struct Reach {
    /// The region; `None` leaves it to the profile.
    pub region: Option<String>,
    /// Who we are to AWS.
    pub identity: Arc<Identity>,
    /// For the whole run.
    pub timeout: Duration,
    /// How the SDK shall behave.
    pub settings: Settings,
}

/// The limit for the whole run.
pub(super) fn timeout(given: Option<&str>, default: Duration, problems: &mut Problems) -> Duration {
    let Some(given) = given else {
        return default;
    };
    parse(given).unwrap_or_else(|| {
        problems.add(
            "timeout",
            "must be a time from 1s to 6h, such as `90s`, `2m` or `1h`",
        );
        default
    })
}

/// The same, before anything has been checked.
pub(super) fn limit(given: Option<&str>) -> Duration {
    given.and_then(parse).unwrap_or(DEFAULT_TIMEOUT)
}

fn parse(given: &str) -> Option<Duration> {
    let unit = given.trim_start_matches(|c: char| c.is_ascii_digit());
    let seconds = match unit {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return None,
    };
    given[..given.len() - unit.len()]
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(seconds))
        .map(Duration::from_secs)
        .filter(|limit| (Duration::from_secs(1)..=MAX_TIMEOUT).contains(limit))
}
