//! The private labels of an all-or-nothing transaction. The member label is on each version that the transaction has staged or
//! made current, until the transaction ends. The commit record is a second label, on a version of one secret, the coordinator:
//! removing it from that version commits, and moving it to another version of the coordinator aborts. Both labels contain
//! hashes of the coordinator and the CI run, the number of secrets, and their expiry time. Must not read a clock or make calls.

use super::write::{UUID_LENGTH, is_past, parse_seconds};
use crate::hash;
use crate::version_id::RunIdentity;

const PREFIX: &str = "upsert-secret-all-";
const RECORD_PREFIX: &str = "upsert-secret-commit-";
/// The number of hexadecimal digits of a hash: enough to avoid collisions between the secrets of an account.
const HASH_DIGITS: usize = 16;

/// A transaction's labels and their parsed parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TransactionLabel {
    /// The part after the prefix. Both labels share it, and no other transaction has it.
    id: String,
    expiry: u64,
    coordinator: String,
    run: String,
    secrets: usize,
}

impl TransactionLabel {
    /// The labels of a transaction over this number of secrets that expire at `end`, in seconds since 1970. `unique` is a new
    /// random UUID.
    pub fn until(
        end: u64,
        coordinator: &str,
        region: &str,
        run: Option<&RunIdentity>,
        secrets: usize,
        unique: &str,
    ) -> Self {
        let (coordinator, run) = (hash_of([region, coordinator]), hash_of_run(run));
        Self {
            id: format!("{end}-{coordinator}-{run}-{secrets}-{unique}"),
            expiry: end,
            coordinator,
            run,
            secrets,
        }
    }

    /// The transaction of a member label; `None` for any other label.
    pub fn parse_member(label: &str) -> Option<Self> {
        Self::parse(label.strip_prefix(PREFIX)?)
    }

    /// The transaction of a commit record; `None` for any other label.
    pub fn parse_record(label: &str) -> Option<Self> {
        Self::parse(label.strip_prefix(RECORD_PREFIX)?)
    }

    fn parse(id: &str) -> Option<Self> {
        let mut parts = id.splitn(5, '-');
        let [end, coordinator, run, secrets, unique] =
            std::array::from_fn(|_| parts.next().unwrap_or_default());
        let is_hash =
            |text: &str| text.len() == HASH_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit());
        let is_valid = is_hash(coordinator) && is_hash(run) && unique.len() == UUID_LENGTH;
        Some(Self {
            id: id.to_owned(),
            expiry: parse_seconds(end).filter(|_| is_valid)?,
            coordinator: coordinator.to_owned(),
            run: run.to_owned(),
            secrets: parse_seconds(secrets)?.try_into().ok()?,
        })
    }

    /// The label on versions that the transaction has staged or made current.
    pub fn member(&self) -> String {
        format!("{PREFIX}{}", self.id)
    }

    /// The label that serves as the commit record.
    pub fn record(&self) -> String {
        format!("{RECORD_PREFIX}{}", self.id)
    }

    /// Whether this secret is the coordinator.
    pub fn is_coordinated_by(&self, name: &str, region: &str) -> bool {
        self.coordinator == hash_of([region, name])
    }

    /// The number of secrets in the run.
    pub(crate) const fn secrets(&self) -> usize {
        self.secrets
    }

    /// Whether the time limit of the run that created the label has passed.
    pub(crate) fn has_expired(&self, now: u64) -> bool {
        is_past(self.expiry, now)
    }

    /// Whether the run that created the label may still be in progress. An earlier attempt of the same CI run is not, and
    /// neither is a run whose label has expired.
    pub(crate) fn may_be_alive(&self, now: u64, run: Option<&RunIdentity>) -> bool {
        let is_earlier_attempt = run.is_some() && self.run == hash_of_run(run);
        !is_earlier_attempt && !self.has_expired(now)
    }
}

/// Whether a label starts with a prefix of transaction labels.
pub fn is_transaction_label(label: &str) -> bool {
    label.starts_with(PREFIX) || label.starts_with(RECORD_PREFIX)
}

fn hash_of_run(run: Option<&RunIdentity>) -> String {
    hash_of(run.iter().flat_map(|run| &run.parts).map(String::as_str))
}

fn hash_of<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hex = hash::hex(&hash::sha256(parts.into_iter().map(str::as_bytes)));
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

    fn label_of(end: u64, run: Option<&RunIdentity>) -> TransactionLabel {
        let unique = format!("00000000-0000-8000-8000-{end:012}");
        TransactionLabel::until(end, "prod/a", "eu-west-1", run, 3, &unique)
    }

    #[test]
    fn label_round_trips_and_names_coordinator() {
        let label = label_of(NOW, Some(&run("1")));
        let (member, record) = (label.member(), label.record());
        assert_eq!(
            TransactionLabel::parse_member(&member).as_ref(),
            Some(&label)
        );
        assert_eq!(
            TransactionLabel::parse_record(&record).as_ref(),
            Some(&label)
        );
        assert_eq!(TransactionLabel::parse_record(&member), None);
        assert_eq!(TransactionLabel::parse_member(&record), None);
        assert!(member.len().max(record.len()) <= 256);
        assert_eq!(label.secrets(), 3);
        assert!(label.is_coordinated_by("prod/a", "eu-west-1"));
        assert!(!label.is_coordinated_by("prod/b", "eu-west-1"));
        assert!(!label.is_coordinated_by("prod/a", "eu-west-2"));
    }

    #[test]
    fn malformed_label_is_not_parsed() {
        let hash = "0123456789abcdef";
        let unique = "00000000-0000-8000-8000-000000000000";
        let valid = format!("{PREFIX}1-{hash}-{hash}-2-{unique}");
        assert!(TransactionLabel::parse_member(&valid).is_some());
        let malformed = [
            "AWSCURRENT".to_owned(),
            PREFIX.to_owned(),
            format!("{PREFIX}1-{hash}-{hash}"),
            format!("{PREFIX}1-{hash}-{hash}-{unique}"),
            format!("{PREFIX}+1-{hash}-{hash}-2-{unique}"),
            format!("{PREFIX}1-{}-{hash}-2-{unique}", &hash[1..]),
            format!("{PREFIX}1-{hash}-{}-2-{unique}", &hash[1..]),
            format!("{PREFIX}1-{hash}-{}-2-{unique}", "g".repeat(HASH_DIGITS)),
            format!("{PREFIX}1-{hash}-{hash}--{unique}"),
            format!("{PREFIX}1-{hash}-{hash}-two-{unique}"),
            format!("{PREFIX}1-{hash}-{hash}-2-{}", &unique[1..]),
            format!("{hash}-1-{hash}-{hash}-2-{unique}"),
        ];
        for label in malformed {
            assert_eq!(TransactionLabel::parse_member(&label), None, "{label}");
        }
    }

    #[test]
    fn label_with_prefix_counts_as_transaction() {
        assert!(is_transaction_label(&format!("{PREFIX}of a later version")));
        assert!(is_transaction_label(&format!("{RECORD_PREFIX}1")));
        assert!(!is_transaction_label("AWSCURRENT"));
    }

    #[test]
    fn only_other_runs_are_alive_until_expiry() {
        let (one, other) = (run("1"), run("2"));
        let label = label_of(NOW, Some(&one));
        assert!(!label.may_be_alive(NOW - 100, Some(&one)));
        assert!(label.may_be_alive(NOW - 100, Some(&other)));
        assert!(label.may_be_alive(NOW + 60, Some(&other)));
        assert!(!label.may_be_alive(NOW + 61, Some(&other)));
        // Outside CI, runs cannot be distinguished.
        assert!(label_of(NOW, None).may_be_alive(NOW, None));
    }
}
