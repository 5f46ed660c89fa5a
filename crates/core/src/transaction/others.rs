//! Transactions of other runs, as shown by their labels. Determines their states. Must not issue commands.

use crate::labels::{CURRENT, TransactionLabel};
use crate::version_id::RunIdentity;

use super::messages::Look;

/// A transaction of another run, or of an earlier attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Other {
    pub(super) label: TransactionLabel,
    pub(super) record: Record,
    /// The index of the coordinator, if it is among the secrets.
    pub(super) coordinator: Option<usize>,
    /// Whether its run may still be in progress.
    pub(super) alive: bool,
    /// The secrets with its member label, each with the version that holds the label.
    pub(super) members: Vec<(usize, String)>,
    /// Whether one of these versions is current.
    pub(super) is_current: bool,
}

/// The commit record of another transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// The coordinator is not among this run's secrets.
    Elsewhere,
    /// The record is on the coordinator's new version.
    Undecided {
        /// The index of the coordinator.
        coordinator: usize,
        /// That version.
        version: String,
    },
    /// The record is on another version: a run has aborted the transaction, and the moved labels are being moved back.
    Aborted {
        /// The index of the coordinator.
        coordinator: usize,
    },
    /// There is no record: the transaction has ended, and only member labels remain.
    Ended,
}

/// All transactions with labels on these secrets.
pub(super) fn others(
    looks: &[&Look],
    region: &str,
    now: u64,
    run: Option<&RunIdentity>,
) -> Vec<Other> {
    let mut all: Vec<Other> = Vec::new();
    for (index, look) in looks.iter().enumerate() {
        for (label, version) in look.labels.iter() {
            let member = TransactionLabel::parse_member(label);
            let Some(parsed) = member
                .clone()
                .or_else(|| TransactionLabel::parse_record(label))
            else {
                continue;
            };
            let known = all.iter().position(|other| other.label == parsed);
            let at = known.unwrap_or_else(|| {
                all.push(Other {
                    record: record(looks, &parsed, region),
                    coordinator: coordinator(looks, &parsed, region),
                    alive: parsed.may_be_alive(now, run),
                    label: parsed,
                    members: Vec::new(),
                    is_current: false,
                });
                all.len() - 1
            });
            if member.is_some() {
                all[at].is_current |= look.labels.holder(CURRENT) == Some(version);
                all[at].members.push((index, version.to_owned()));
            }
        }
    }
    all
}

fn coordinator(looks: &[&Look], label: &TransactionLabel, region: &str) -> Option<usize> {
    let mut all = looks.iter();
    all.position(|look| label.is_coordinated_by(&look.name, region))
}

fn record(looks: &[&Look], label: &TransactionLabel, region: &str) -> Record {
    let Some(coordinator) = coordinator(looks, label, region) else {
        return Record::Elsewhere;
    };
    let look = looks[coordinator];
    match (
        look.labels.holder(&label.record()),
        look.labels.holder(&label.member()),
    ) {
        (None, _) => Record::Ended,
        (Some(record), Some(member)) if record == member => Record::Undecided {
            coordinator,
            version: record.to_owned(),
        },
        (Some(_), _) => Record::Aborted { coordinator },
    }
}
