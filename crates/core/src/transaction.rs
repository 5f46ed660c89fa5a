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
        let labels = secret.versions.iter().flat_map(|(id, labels)| {
            labels
                .iter()
                .filter(|label| Some(label.as_str()) != own)
                .filter_map(|label| Some((TransactionLabel::parse(label)?, id.clone())))
        });
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
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn label(coordinator: &str) -> TransactionLabel {
        let unique = "00000000-0000-8000-8000-000000000000";
        TransactionLabel::until(NOW, coordinator, "eu-west-1", None, unique)
    }

    fn snapshot(name: &str, labels: &[(&TransactionLabel, &str)]) -> Snapshot {
        Snapshot {
            name: name.to_owned(),
            current: Some("new".to_owned()),
            previous: Some("old".to_owned()),
            labels: labels
                .iter()
                .map(|(label, version)| ((*label).clone(), (*version).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn only_progress_changes_of_runs() {
        let label = label("a");
        let staged = snapshot("a", &[(&label, "staged")]);
        let runs_after = |change: &dyn Fn(&mut Snapshot)| {
            let mut snapshot = staged.clone();
            change(&mut snapshot);
            snapshot.of_runs()
        };
        // The transaction makes its version current, or removes its label.
        assert_ne!(
            runs_after(&|snapshot| snapshot.current = Some("staged".to_owned())),
            staged.of_runs()
        );
        assert_ne!(
            runs_after(&|snapshot| snapshot.labels.clear()),
            staged.of_runs()
        );
        // A write outside any transaction.
        let rival = |snapshot: &mut Snapshot| {
            snapshot.previous = snapshot.current.replace("theirs".to_owned());
        };
        assert_eq!(runs_after(&rival), staged.of_runs());
    }

    #[test]
    fn leftover_is_undecided_until_coordinator_commits() {
        let label = label("b");
        let snapshots = |of_coordinator: &[(&TransactionLabel, &str)]| {
            [
                snapshot("a", &[(&label, "new")]),
                snapshot("b", of_coordinator),
                snapshot("c", &[(&label, "staged")]),
            ]
        };
        let found = leftovers(&snapshots(&[(&label, "new")]), "eu-west-1", NOW, None);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].undecided, Some((1, "new".to_owned())));
        let moved: Vec<_> = found[0].moved.iter().map(|(index, ..)| *index).collect();
        assert_eq!(moved, [0, 1]);
        // Committed: the coordinator no longer has the label.
        assert_eq!(
            leftovers(&snapshots(&[]), "eu-west-1", NOW, None)[0].undecided,
            None
        );
        // The coordinator is not among the secrets.
        let found = leftovers(&snapshots(&[(&label, "new")])[..1], "eu-west-1", NOW, None);
        assert_eq!(found[0].undecided, None);
        assert!(!found[0].is_ours_to_judge);
    }

    #[test]
    fn goal_follows_from_plan() {
        let put = |base: Option<&str>| Step::Put {
            base: base.map(str::to_owned),
        };
        let goal_of = |steps: Vec<Step>| {
            goal(&Plan {
                steps,
                ..Plan::default()
            })
        };
        assert_eq!(goal_of(vec![]), Goal::Same);
        assert_eq!(goal_of(vec![put(None)]), Goal::First);
        let described = vec![
            Step::Update {
                description: true,
                kms_key: false,
            },
            put(Some("old")),
        ];
        assert_eq!(
            goal_of(described),
            Goal::Flip {
                base: "old".to_owned(),
                document: None,
                kms_key: false
            }
        );
    }
}
