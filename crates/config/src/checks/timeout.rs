//! `timeout`: the time limit of the whole run, and its defaults. Measures no time.

use std::time::Duration;

use upsert_secret_core::labels::MAX_RUN;

use crate::diagnostics::Diagnostics;

/// The default for one secret.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);
/// The default for a manifest: a release can be thousands of secrets, at fifty a second.
pub(crate) const DEFAULT_MANIFEST_TIMEOUT: Duration = Duration::from_mins(60);

pub(crate) fn check(
    given: Option<&str>,
    default: Duration,
    diagnostics: &mut Diagnostics,
) -> Duration {
    let Some(given) = given else {
        return default;
    };
    parse(given).unwrap_or_else(|| {
        diagnostics.reject(
            "timeout",
            "must be a time from 1s to 6h, such as `90s`, `2m` or `1h`",
        );
        default
    })
}

/// The time limit for reading the value, before the inputs are checked.
pub(crate) fn parse_or_default(given: Option<&str>) -> Duration {
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
        .filter(|limit| (Duration::from_secs(1)..=MAX_RUN).contains(limit))
}
