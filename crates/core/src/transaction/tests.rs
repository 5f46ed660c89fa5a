//! Goals of plans, and other transactions as their labels show them.

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
    let labels = vec![(label, "staged".to_owned())];
    assert_eq!(staged.of_runs(), (labels, false));
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
fn snapshot_omits_own_and_other_labels() {
    let (own, other) = (label("a"), label("b"));
    let secret = SecretMetadata {
        name: "a".to_owned(),
        versions: [
            ("v1", PREVIOUS),
            ("v2", CURRENT),
            ("v3", &own.label),
            ("v4", &other.label),
            ("v5", "blue"),
        ]
        .map(|(id, label)| (id.to_owned(), vec![label.to_owned()]))
        .into(),
        ..SecretMetadata::default()
    };
    let wanted = Snapshot {
        name: "a".to_owned(),
        current: Some("v2".to_owned()),
        previous: Some("v1".to_owned()),
        labels: vec![(other, "v4".to_owned())],
    };
    assert_eq!(Snapshot::of(&secret, Some(&own.label)), wanted);
}

#[test]
fn leftovers_are_told_apart_by_label() {
    let (first, second) = (label("a"), label("b"));
    let snapshots = [
        snapshot("a", &[(&first, "new"), (&second, "staged")]),
        snapshot("b", &[(&second, "new")]),
    ];
    let moved = |index| vec![(index, "new".to_owned(), "old".to_owned())];
    let leftover = |label: &TransactionLabel, index| Leftover {
        label: label.clone(),
        undecided: Some((index, "new".to_owned())),
        is_ours_to_judge: true,
        alive: true,
        moved: moved(index),
    };
    let wanted = [leftover(&first, 0), leftover(&second, 1)];
    assert_eq!(leftovers(&snapshots, "eu-west-1", NOW, None), wanted);
    let later = leftovers(&snapshots, "eu-west-1", NOW + 3_600, None);
    assert!(later.iter().all(|leftover| !leftover.alive));
}

fn plan_of(steps: impl Into<Vec<Step>>) -> Plan {
    Plan {
        steps: steps.into(),
        ..Plan::default()
    }
}

fn put(base: Option<&str>) -> Step {
    Step::Put {
        base: base.map(str::to_owned),
    }
}

fn create() -> Step {
    Step::Create {
        otherwise: None,
        vacant: true,
    }
}

fn swap(base: &str) -> Step {
    Step::Swap {
        base: Some(base.to_owned()),
    }
}

fn update(kms_key: bool) -> Step {
    Step::Update {
        description: true,
        kms_key,
    }
}

#[test]
fn only_metadata_is_more_than_the_value() {
    for steps in [vec![], vec![create()], vec![put(None)], vec![swap("old")]] {
        assert!(!has_more(&plan_of(steps)));
    }
    assert!(has_more(&plan_of([update(false), put(None)])));
    assert!(has_more(&plan_of([Step::SetPolicy])));
}

#[test]
fn goal_follows_from_plan() {
    let goal_of = |steps: &[Step]| goal(&plan_of(steps));
    assert_eq!(goal_of(&[]), Goal::Same);
    assert_eq!(goal_of(&[update(true)]), Goal::Same);
    assert_eq!(goal_of(&[put(None)]), Goal::First);
    assert_eq!(goal_of(&[create()]), Goal::First);
    let flip = |kms_key| Goal::Flip {
        base: "old".to_owned(),
        document: None,
        kms_key,
    };
    assert_eq!(goal_of(&[put(Some("old"))]), flip(false));
    assert_eq!(goal_of(&[update(false), put(Some("old"))]), flip(false));
    assert_eq!(goal_of(&[update(true), swap("old")]), flip(true));
}
