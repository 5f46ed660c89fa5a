//! The private label of an all-or-nothing transaction. It marks the versions that the transaction has staged, and those that it
//! has made current and might still roll back. The coordinator is one of its secrets: the label on the coordinator's version
//! is the commit record, and removing it commits. The label names the coordinator, the CI run, and the time until which
//! a living run may hold it. Knows no AWS and no clock.

use crate::hash;
use crate::version_id::RunIdentity;

const PREFIX: &str = "upsert-secret-all-";
/// The clocks of a CI system's machines differ by at most this much.
const SKEW_SECONDS: u64 = 60;
/// Hexadecimal digits of a hash: enough to tell the secrets of an account apart.
const HASH_DIGITS: usize = 16;

/// A transaction's label, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionLabel {
    /// The label.
    pub label: String,
    until: u64,
    coordinator: String,
    run: String,
}

impl TransactionLabel {
    /// A label that a living run may hold until `end`, in seconds since 1970. `unique` is a fresh random UUID.
    #[must_use]
    pub fn until(
        end: u64,
        coordinator: &str,
        region: &str,
        run: Option<&RunIdentity>,
        unique: &str,
    ) -> Self {
        let (coordinator, run) = (hash_of(&[region, coordinator]), hash_of_run(run));
        Self {
            label: format!("{PREFIX}{end}-{coordinator}-{run}-{unique}"),
            until: end,
            coordinator,
            run,
        }
    }

    /// Parses a label; `None` where it is not of this kind.
    #[must_use]
    pub fn parse(label: &str) -> Option<Self> {
        let mut parts = label.strip_prefix(PREFIX)?.splitn(4, '-');
        let [end, coordinator, run, unique] =
            [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let is_hash =
            |text: &str| text.len() == HASH_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit());
        let valid = end.bytes().all(|b| b.is_ascii_digit())
            && is_hash(coordinator)
            && is_hash(run)
            && unique.len() == 36;
        Some(Self {
            label: label.to_owned(),
            until: end.parse().ok().filter(|_| valid)?,
            coordinator: coordinator.to_owned(),
            run: run.to_owned(),
        })
    }

    /// Whether this secret is the coordinator.
    #[must_use]
    pub fn is_coordinated_by(&self, name: &str, region: &str) -> bool {
        self.coordinator == hash_of(&[region, name])
    }

    /// Whether the run that made the label may still be going on. An earlier attempt of the same CI run is over, and so is
    /// a run whose time is.
    #[must_use]
    pub fn may_be_alive(&self, now: u64, run: Option<&RunIdentity>) -> bool {
        let ours = run.is_some() && self.run == hash_of_run(run);
        !ours && self.until.saturating_add(SKEW_SECONDS) >= now
    }
}

/// Whether a label is of this kind, or claims to be.
#[must_use]
pub fn is_transaction_label(label: &str) -> bool {
    label.starts_with(PREFIX)
}

fn hash_of_run(run: Option<&RunIdentity>) -> String {
    let parts = run.map(|run| run.parts.as_slice()).unwrap_or_default();
    hash_of(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn hash_of(parts: &[&str]) -> String {
    let mut hex = hash::hex(&hash::sha256(parts.iter().map(|part| part.as_bytes())));
    hex.truncate(HASH_DIGITS);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn run(id: &str) -> RunIdentity {
        RunIdentity {
            parts: vec!["acme/models".to_owned(), id.to_owned()],
        }
    }

    fn made(end: u64, of: Option<&RunIdentity>) -> TransactionLabel {
        let unique = format!("00000000-0000-8000-8000-{end:012}");
        TransactionLabel::until(end, "prod/a", "eu-west-1", of, &unique)
    }

    #[test]
    fn label_round_trips_and_names_coordinator() {
        let label = made(NOW, Some(&run("1")));
        assert_eq!(TransactionLabel::parse(&label.label).as_ref(), Some(&label));
        assert!(label.label.len() <= 256);
        assert!(label.is_coordinated_by("prod/a", "eu-west-1"));
        assert!(!label.is_coordinated_by("prod/b", "eu-west-1"));
        assert!(!label.is_coordinated_by("prod/a", "eu-west-2"));
        for label in [
            "AWSCURRENT",
            PREFIX,
            "upsert-secret-all-1-a-b-c",
            &label.label[..60],
        ] {
            assert_eq!(TransactionLabel::parse(label), None, "{label}");
        }
    }

    #[test]
    fn earlier_attempt_is_over_others_until_expiry() {
        let (one, other) = (run("1"), run("2"));
        let label = made(NOW, Some(&one));
        assert!(!label.may_be_alive(NOW - 100, Some(&one)));
        assert!(label.may_be_alive(NOW - 100, Some(&other)));
        assert!(label.may_be_alive(NOW + 60, Some(&other)));
        assert!(!label.may_be_alive(NOW + 61, Some(&other)));
        // Outside CI nobody can tell one run from another.
        assert!(made(NOW, None).may_be_alive(NOW, None));
    }
}
