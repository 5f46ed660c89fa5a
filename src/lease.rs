//! The private label of a guarded write: under it a version is put before AWSCURRENT is moved to it. It
//! is unique to the process and carries its own expiry, so that a later run can tell what a killed
//! one left behind from what a living one needs. Knows no AWS and no clock.

use std::time::Duration;

use crate::request::MAX_TIMEOUT;
use crate::token::{self, NoRandom};

const PREFIX: &str = "upsert-secret-until-";
/// The machines of a CI system do not agree on the time.
const SKEW: Duration = Duration::from_mins(1);

/// A label of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The label.
    pub label: String,
    /// The version that holds it, or may hold it.
    pub on: Option<String>,
}

impl Lease {
    /// A label that nobody else has, good until then (seconds since 1970).
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn until(end: u64) -> Result<Self, NoRandom> {
        Ok(Self {
            label: format!("{PREFIX}{end}-{}", token::random()?),
            on: None,
        })
    }
}

/// What a label on a secret is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Somebody else's.
    Foreign,
    /// Of a run that may still go on.
    Living,
    /// Of a run that has ended without dropping it.
    Expired,
}

/// Whether a label is made as ours are, those of runs with many secrets included.
#[must_use]
pub fn is_ours(label: &str) -> bool {
    label.starts_with(PREFIX) || crate::pact::is_ours(label)
}

/// Judges a label at a time (seconds since 1970).
#[must_use]
pub fn standing(label: &str, now: u64) -> Standing {
    let expiry = label
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('-'))
        .filter(|(digits, id)| id.len() == 36 && digits.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|(digits, _)| digits.parse::<u64>().ok());
    match expiry {
        Some(end) if end.saturating_add(SKEW.as_secs()) < now => Standing::Expired,
        // No run takes longer: a label that claims to is none of ours.
        Some(end) if end <= now.saturating_add((MAX_TIMEOUT + SKEW).as_secs()) => Standing::Living,
        _ => Standing::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn a_label_is_living_until_it_has_expired_on_every_clock() {
        let of = |end: u64| Lease::until(end).map(|lease| standing(&lease.label, NOW));
        assert_eq!(of(NOW + 120), Ok(Standing::Living));
        assert_eq!(of(NOW - 60), Ok(Standing::Living), "clocks differ");
        assert_eq!(of(NOW - 61), Ok(Standing::Expired));
        assert_eq!(of(0), Ok(Standing::Expired));
        assert_eq!(
            of(NOW + 7 * 3_600),
            Ok(Standing::Foreign),
            "no run is that long"
        );
        assert_eq!(of(u64::MAX), Ok(Standing::Foreign));
    }

    #[test]
    fn what_is_not_made_by_us_is_not_judged() {
        for label in [
            "AWSCURRENT",
            "candidate",
            "upsert-secret-until-",
            "upsert-secret-until-1",
            "upsert-secret-until-1-blue",
            "upsert-secret-until-+1-00000000-0000-8000-8000-000000000000",
            "upsert-secret-until-99999999999999999999999-00000000-0000-8000-8000-000000000000",
        ] {
            assert_eq!(standing(label, NOW), Standing::Foreign, "{label}");
        }
    }

    #[test]
    fn no_two_processes_share_one() {
        assert_ne!(Lease::until(NOW), Lease::until(NOW));
    }
}
