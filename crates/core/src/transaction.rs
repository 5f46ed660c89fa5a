//! Decisions of an all-or-nothing transaction: what each member needs, and what transactions that were killed have left to
//! be finished or rolled back. Pure, like the plan; the calls are the engine's.

use crate::labels::{CURRENT, PREVIOUS, TransactionLabel};
use crate::plan::{Document, Plan, Step};
use crate::state::SecretMetadata;
use crate::version_id::RunIdentity;

/// What is to be done to one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// It has no version yet: AWS makes the first one current, so it is written while the others are staged.
    First,
    /// It holds the value.
    Same,
    /// A version is put beside this one, the holder of AWSCURRENT, and takes its place.
    Flip {
        /// The holder.
        base: String,
        /// What is written, where it is not the request's value as it snapshots.
        document: Option<Document>,
        /// Whether the new version needs another key.
        kms_key: bool,
    },
}

/// Whether a plan has more to write than the value.
#[must_use]
pub fn has_more(plan: &Plan) -> bool {
    !plan.steps.iter().all(|step| {
        matches!(
            step,
            Step::Create { .. } | Step::Put { .. } | Step::Swap { .. }
        )
    })
}

/// The goal that a plan for one secret comes to.
#[must_use]
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

/// Where one secret's labels are, as far as runs of this kind go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// The holder of AWSCURRENT.
    pub current: Option<String>,
    /// The holder of AWSPREVIOUS.
    pub previous: Option<String>,
    /// Labels of other runs of this kind, and the versions that hold them.
    pub labels: Vec<(TransactionLabel, String)>,
}

impl Snapshot {
    /// What runs of this kind have done here: their labels, and whether a version of theirs is current.
    #[must_use]
    pub fn of_runs(&self) -> (Vec<(TransactionLabel, String)>, bool) {
        let current =
            |(_, version): &(TransactionLabel, String)| Some(version) == self.current.as_ref();
        (self.labels.clone(), self.labels.iter().any(current))
    }

    /// By what DescribeSecret says; `own` is this run's label.
    #[must_use]
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

/// What a run left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Its label.
    pub label: TransactionLabel,
    /// The secret that decides, and the version of it that has the label, where nothing is decided yet.
    pub undecided: Option<(usize, String)>,
    /// The secret that decides is among these.
    pub is_ours_to_judge: bool,
    /// It may still go on.
    pub alive: bool,
    /// Secrets that it has made current: their place, its version, and the one that was current before.
    pub moved: Vec<(usize, String, String)>,
}

/// What other runs have left on these secrets. Where the secret that decides is not among them, or has the label no
/// more, all is decided, and the labels are waste.
#[must_use]
pub fn leftovers(
    snapshots: &[Snapshot],
    region: &str,
    now: u64,
    run: Option<&RunIdentity>,
) -> Vec<Leftover> {
    let mut all: Vec<Leftover> = Vec::new();
    for (index, snapshot) in snapshots.iter().enumerate() {
        for (label, version) in &snapshot.labels {
            let at = all.iter().position(|left| left.label == *label);
            let at = at.unwrap_or_else(|| {
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

    fn label(witness: &str) -> TransactionLabel {
        let unique = "00000000-0000-8000-8000-000000000000";
        TransactionLabel::until(NOW, witness, "eu-west-1", None, unique)
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
    fn a_run_shows_that_it_lives_by_what_it_does_and_by_nothing_else() {
        let label = label("a");
        let staged = snapshot("a", &[(&label, "staged")]);
        let of = |change: &dyn Fn(&mut Snapshot)| {
            let mut snapshot = staged.clone();
            change(&mut snapshot);
            snapshot.of_runs()
        };
        // It makes its version current, or takes its label off.
        assert_ne!(
            of(&|snapshot| snapshot.current = Some("staged".to_owned())),
            staged.of_runs()
        );
        assert_ne!(of(&|snapshot| snapshot.labels.clear()), staged.of_runs());
        // Somebody else writes.
        let rival = |snapshot: &mut Snapshot| {
            snapshot.previous = snapshot.current.replace("theirs".to_owned());
        };
        assert_eq!(of(&rival), staged.of_runs());
    }

    #[test]
    fn the_witness_tells_what_is_decided_and_the_labels_what_was_moved() {
        let label = label("b");
        let snapshots = |of_witness: &[(&TransactionLabel, &str)]| {
            [
                snapshot("a", &[(&label, "new")]),
                snapshot("b", of_witness),
                snapshot("c", &[(&label, "staged")]),
            ]
        };
        let found = leftovers(&snapshots(&[(&label, "new")]), "eu-west-1", NOW, None);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].undecided, Some((1, "new".to_owned())));
        let moved: Vec<_> = found[0].moved.iter().map(|(index, ..)| *index).collect();
        assert_eq!(moved, [0, 1]);
        // A witness without the label, or one that is not among them, has decided.
        assert_eq!(
            leftovers(&snapshots(&[]), "eu-west-1", NOW, None)[0].undecided,
            None
        );
        let found = leftovers(&snapshots(&[(&label, "new")])[..1], "eu-west-1", NOW, None);
        assert_eq!(found[0].undecided, None);
        assert!(!found[0].is_ours_to_judge);
    }

    #[test]
    fn what_a_plan_comes_to() {
        let put = |base: Option<&str>| Step::Put {
            base: base.map(str::to_owned),
        };
        let of = |steps: Vec<Step>| {
            goal(&Plan {
                steps,
                ..Plan::default()
            })
        };
        assert_eq!(of(vec![]), Goal::Same);
        assert_eq!(of(vec![put(None)]), Goal::First);
        let tagged = vec![
            Step::Update {
                description: true,
                kms_key: false,
            },
            put(Some("old")),
        ];
        assert_eq!(
            of(tagged),
            Goal::Flip {
                base: "old".to_owned(),
                document: None,
                kms_key: false
            }
        );
    }
}
