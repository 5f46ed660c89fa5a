//! Decisions of an all-or-nothing transaction: what each secret needs, and what killed transactions left to be finished or
//! rolled back. It makes no calls and reads no clock.

use crate::labels::{CURRENT, PREVIOUS, TransactionLabel};
use crate::plan::{Document, Plan, Step};
use crate::state::SecretMetadata;
use crate::version_id::RunIdentity;

/// What a transaction does to one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Writes the first version. AWS makes it current at once, so it cannot be staged or rolled back.
    First,
    /// Writes nothing: the secret holds the value.
    Same,
    /// Stages a version, and moves AWSCURRENT from the base to it.
    Flip {
        /// The holder of AWSCURRENT.
        base: String,
        /// The document to write instead of the request's value.
        document: Option<Document>,
        /// Whether the KMS key changes before the version is written.
        kms_key: bool,
    },
}

/// Whether a plan has steps other than the write of the value.
pub fn has_more(plan: &Plan) -> bool {
    !plan.steps.iter().all(|step| {
        matches!(
            step,
            Step::Create { .. } | Step::Put { .. } | Step::Swap { .. }
        )
    })
}

/// The goal of one secret, from the plan for it alone.
pub fn goal(plan: &Plan) -> Goal {
    let kms_key = plan
        .steps
        .iter()
        .any(|step| matches!(step, Step::Update { kms_key: true, .. }));
    let write = plan.steps.iter().find_map(|step| match step {
        Step::Create { .. } => Some(None),
        Step::Put { base } | Step::Swap { base } => Some(base.clone()),
        _ => None,
    });
    match write {
        None => Goal::Same,
        Some(None) => Goal::First,
        Some(Some(base)) => Goal::Flip {
            base,
            document: plan.document.clone(),
            kms_key,
        },
    }
}

/// The labels of one secret that concern transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The name of the secret.
    pub name: String,
    /// The holder of AWSCURRENT.
    pub current: Option<String>,
    /// The holder of AWSPREVIOUS.
    pub previous: Option<String>,
    /// Labels of other transactions, each with the version that holds it.
    pub labels: Vec<(TransactionLabel, String)>,
}

impl Snapshot {
    /// What other transactions have done to the secret: their labels, and whether one of their versions is current. Two
    /// results differ only if a transaction has made progress.
    pub fn of_runs(&self) -> (Vec<(TransactionLabel, String)>, bool) {
        let mut versions = self.labels.iter().map(|(_, version)| version);
        let is_current = versions.any(|version| Some(version) == self.current.as_ref());
        (self.labels.clone(), is_current)
    }

    /// Takes the labels from DescribeSecret's answer. `own` is the label of this run's transaction.
    pub fn of(secret: &SecretMetadata, own: Option<&str>) -> Self {
        let labels = secret
            .all_labels()
            .filter(|(label, _)| Some(*label) != own)
            .filter_map(|(label, id)| Some((TransactionLabel::parse(label)?, id.to_owned())));
        Self {
            name: secret.name.clone(),
            current: secret.holder(CURRENT).map(str::to_owned),
            previous: secret.holder(PREVIOUS).map(str::to_owned),
            labels: labels.collect(),
        }
    }
}

/// A transaction of another run, as its labels show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Its label.
    pub label: TransactionLabel,
    /// The index of the coordinator and its version with the label; `None` if the transaction is committed, or if its
    /// coordinator is not among the secrets.
    pub undecided: Option<(usize, String)>,
    /// Whether the coordinator is among the secrets.
    pub is_ours_to_judge: bool,
    /// Whether its run may still be in progress.
    pub alive: bool,
    /// Moves of AWSCURRENT: the index of the secret, the transaction's version, and the previous one.
    pub moved: Vec<(usize, String, String)>,
}

/// The transactions of other runs that have labels on these secrets. One whose coordinator is among the secrets without
/// the label is committed, and only its labels are left to remove. One with another coordinator cannot be judged here.
pub fn leftovers(
    snapshots: &[Snapshot],
    region: &str,
    now: u64,
    run: Option<&RunIdentity>,
) -> Vec<Leftover> {
    let mut all: Vec<Leftover> = Vec::new();
    for (index, snapshot) in snapshots.iter().enumerate() {
        for (label, version) in &snapshot.labels {
            let known = all.iter().position(|leftover| leftover.label == *label);
            let at = known.unwrap_or_else(|| {
                all.push(Leftover {
                    label: label.clone(),
                    undecided: None,
                    is_ours_to_judge: snapshots
                        .iter()
                        .any(|snapshot| label.is_coordinated_by(&snapshot.name, region)),
                    alive: label.may_be_alive(now, run),
                    moved: Vec::new(),
                });
                all.len() - 1
            });
            if label.is_coordinated_by(&snapshot.name, region) {
                all[at].undecided = Some((index, version.clone()));
            }
            if snapshot.current.as_ref() == Some(version)
                && let Some(previous) = &snapshot.previous
            {
                all[at]
                    .moved
                    .push((index, version.clone(), previous.clone()));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests;
