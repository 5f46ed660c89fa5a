//! How a run handles a transaction of another run: waits for it, recovers it, removes its labels, gives up, or starts its own.

use crate::failure::Class;
use crate::labels::{CURRENT, PREVIOUS, TransactionLabel};
use crate::transaction::messages::{Answer, Command, Event, Labels, Look, Next, Observation};
use crate::transaction::{Goal, Limits, Transaction};

use super::drive::{UNIQUE, Versions, commands, commits, ending, labels, no_answer, until};
use super::process::{NOW, TIMEOUT};
use super::world::failure;

const LIMITS: Limits = Limits {
    idle: 2,
    attempts: 5,
};

/// The expiry of a transaction that is dead on any clock.
const LONG_AGO: u64 = 1;

/// The label of another run's transaction.
fn rival(coordinator: &str, secrets: usize, end: u64) -> TransactionLabel {
    const OTHER: &str = "11111111-1111-8111-8111-111111111111";
    TransactionLabel::until(end, coordinator, "eu-west-1", None, secrets, OTHER)
}

fn look(name: &str, versions: Versions<'_>) -> Look {
    Look {
        name: name.to_owned(),
        labels: labels(versions),
        goal: Goal::Replace {
            base: "old".to_owned(),
        },
    }
}

fn machine() -> Transaction {
    Transaction::new("eu-west-1", None, TIMEOUT, LIMITS)
}

fn observe(machine: &mut Transaction, looks: Vec<Look>) -> Next {
    machine.observed(Observation {
        looks,
        now: NOW,
        unique: UNIQUE.to_owned(),
    })
}

/// Two secrets: `a` with a version staged by another transaction, and `b` without one.
fn staged(label: &TransactionLabel, record_on: Option<&str>) -> Vec<Look> {
    let (member, record) = (label.member(), label.record());
    let mut a: Vec<(&str, Vec<&str>)> = vec![("old", vec![CURRENT]), ("foreign", vec![&member])];
    for (version, labels) in &mut a {
        if record_on == Some(version) {
            labels.push(&record);
        }
    }
    let a: Vec<(&str, &[&str])> = a
        .iter()
        .map(|(id, labels)| (*id, labels.as_slice()))
        .collect();
    vec![look("a", &a), look("b", &[("old", &[CURRENT])])]
}

fn begins(next: &Next) -> bool {
    matches!(next, Next::Round(round) if round.commands.iter().all(|command| matches!(command, Command::Put { .. })))
}

fn waits(next: &Next, with_progress: bool) -> bool {
    matches!(next, Next::WaitForOther { progress } if *progress == with_progress)
}

/// Whether the commands move or remove the other transaction's record.
fn recovers(next: &Next, label: &TransactionLabel) -> bool {
    let is_record = |command: &Command| matches!(command, Command::Label { label: moved, .. } if *moved == label.record());
    matches!(next, Next::Round(round) if round.commands.iter().any(is_record))
}

#[test]
fn idle_transaction_is_recovered() {
    let label = rival("a", 2, NOW + 50);
    let mut machine = machine();
    assert!(waits(
        &observe(&mut machine, staged(&label, Some("foreign"))),
        true
    ));
    assert!(waits(
        &observe(&mut machine, staged(&label, Some("foreign"))),
        false
    ));
    let next = observe(&mut machine, staged(&label, Some("foreign")));
    assert!(recovers(&next, &label), "{next:?}");
}

#[test]
fn progress_of_transaction_restarts_wait() {
    let label = rival("a", 2, NOW + 50);
    let member = label.member();
    let mut moved = staged(&label, Some("foreign"));
    moved[1] = look(
        "b",
        &[("old", &[PREVIOUS]), ("foreign", &[CURRENT, &member])],
    );
    let mut machine = machine();
    assert!(waits(
        &observe(&mut machine, staged(&label, Some("foreign"))),
        true
    ));
    assert!(waits(
        &observe(&mut machine, staged(&label, Some("foreign"))),
        false
    ));
    assert!(waits(&observe(&mut machine, moved.clone()), true));
    assert!(waits(&observe(&mut machine, moved), false));
}

#[test]
fn dead_transaction_is_recovered_at_once() {
    let dead = rival("a", 2, LONG_AGO);
    let next = observe(&mut machine(), staged(&dead, Some("foreign")));
    assert!(recovers(&next, &dead), "{next:?}");
    // This run has all of its secrets, so it can complete the rollback.
    for secrets in [1, 2] {
        let aborted = rival("a", secrets, NOW + 50);
        let next = observe(&mut machine(), staged(&aborted, Some("old")));
        assert!(!waits(&next, true) && !begins(&next), "{next:?}");
        assert!(!commands(&next).is_empty());
    }
}

/// A transaction with more secrets than this run is left to a run with all of them, until its time limit.
#[test]
fn larger_transaction_ends_run_until_expiry() {
    let aborted = rival("a", 3, NOW + 50);
    assert!(waits(
        &observe(&mut machine(), staged(&aborted, Some("old"))),
        true
    ));
    let larger = rival("a", 3, NOW + 50);
    let mut patient = machine();
    for progress in [true, false] {
        assert!(waits(
            &observe(&mut patient, staged(&larger, Some("foreign"))),
            progress
        ));
    }
    let ended = ending(observe(&mut patient, staged(&larger, Some("foreign"))));
    let failure = ended.failure.expect("the other run has more secrets");
    assert_eq!(failure.class, Class::Conflict);
    let expired = rival("a", 3, LONG_AGO);
    let next = observe(&mut machine(), staged(&expired, Some("foreign")));
    assert!(recovers(&next, &expired), "{next:?}");
}

#[test]
fn foreign_transaction_is_awaited_where_current() {
    let label = rival("z", 2, NOW + 50);
    let next = observe(&mut machine(), staged(&label, None));
    assert!(begins(&next), "{next:?}");
    let member = label.member();
    let current = || {
        vec![
            look("a", &[("old", &[CURRENT]), ("staged", &[&member])]),
            look(
                "b",
                &[("old", &[PREVIOUS]), ("foreign", &[CURRENT, &member])],
            ),
        ]
    };
    let mut machine = machine();
    for progress in [true, false] {
        assert!(waits(&observe(&mut machine, current()), progress));
    }
    let ended = ending(observe(&mut machine, current()));
    let failures: Vec<bool> = ended
        .members
        .iter()
        .map(|member| member.failure.is_some())
        .collect();
    assert_eq!(failures, [false, true]);
}

#[test]
fn ended_transaction_is_swept_unless_begun() {
    let label = rival("a", 2, NOW + 50);
    let (member, record) = (label.member(), label.record());
    let leftover = || {
        let mut looks = staged(&label, None);
        looks[1] = look("b", &[("old", &[CURRENT]), ("foreign", &[&member])]);
        looks
    };
    let mut sweeper = machine();
    let next = observe(&mut sweeper, leftover());
    assert_eq!(commands(&next), [Command::Describe(0)]);
    let same: Labels = labels(&[("old", &[CURRENT]), ("foreign", &[&member])]);
    let next = sweeper.next(vec![Event::Described(0, Ok(same))]);
    let removes = |command: &Command| matches!(command, Command::Label { label, to: None, .. } if *label == member);
    assert!(
        commands(&next).iter().all(removes) && commands(&next).len() == 2,
        "{next:?}"
    );
    let next = sweeper.next(vec![
        Event::Label(0, Answer::Applied),
        Event::Label(1, Answer::Applied),
    ]);
    assert!(begins(&next), "{next:?}");
    // Its record was added after the secrets were read.
    let mut waiting = machine();
    observe(&mut waiting, leftover());
    let begun = labels(&[("old", &[CURRENT]), ("foreign", &[&member, &record])]);
    let next = waiting.next(vec![Event::Described(0, Ok(begun))]);
    assert!(matches!(next, Next::WaitForTurn), "{next:?}");
}

/// A secret has at most one command per round.
#[test]
fn labels_of_ended_transactions_go_in_turn() {
    let (one, two) = (rival("b", 2, LONG_AGO), rival("b", 3, LONG_AGO));
    let (first, second) = (one.member(), two.member());
    let mut machine = machine();
    let looks = vec![
        look(
            "a",
            &[("old", &[CURRENT]), ("x", &[&first]), ("y", &[&second])],
        ),
        look("b", &[("old", &[CURRENT])]),
    ];
    let mut next = observe(&mut machine, looks);
    assert_eq!(commands(&next), [Command::Describe(1)]);
    next = machine.next(vec![Event::Described(
        1,
        Ok(labels(&[("old", &[CURRENT])])),
    )]);
    for _ in 0..2 {
        assert_eq!(commands(&next).len(), 1, "{next:?}");
        next = machine.next(vec![Event::Label(0, Answer::Applied)]);
    }
    assert!(begins(&next), "{next:?}");
}

/// GetSecretValue returns only the labels of the current version.
#[test]
fn labels_are_completed_beside_transaction_only() {
    let seen = |label: Option<&str>| {
        let stages: Vec<String> = [CURRENT]
            .into_iter()
            .chain(label)
            .map(str::to_owned)
            .collect();
        let partial = Look {
            labels: Labels::of_current("old", &stages),
            ..look("a", &[])
        };
        observe(
            &mut machine(),
            vec![partial, look("b", &[("old", &[CURRENT])])],
        )
    };
    assert!(begins(&seen(None)));
    let label = rival("a", 2, NOW + 50).member();
    assert_eq!(commands(&seen(Some(&label))), [Command::Describe(0)]);
}

/// The label of a run that only writes first values is named after the first of these secrets.
#[test]
fn first_value_names_the_transaction() {
    let own = TransactionLabel::until(NOW + TIMEOUT, "b", "eu-west-1", None, 2, UNIQUE);
    let kept = Look {
        goal: Goal::Keep,
        ..look("a", &[("old", &[CURRENT])])
    };
    let first = Look {
        goal: Goal::First,
        ..look("b", &[])
    };
    let next = observe(&mut machine(), vec![kept, first]);
    let labels = vec![own.member()];
    assert_eq!(commands(&next), [Command::Put { member: 1, labels }]);
}

#[test]
fn cut_commit_is_undecided_only_if_sent() {
    let is_undecided =
        |machine: &mut Transaction, events| machine.cut_short(events).failure.is_some();
    let (mut machine, _) = until(commits);
    assert!(!is_undecided(&mut machine, vec![]));
    let (mut machine, _) = until(commits);
    assert!(is_undecided(
        &mut machine,
        vec![Event::Label(0, no_answer())]
    ));
    // While the record is read back, and then, because it is gone, while the secrets are read back.
    let (mut machine, _) = until(commits);
    machine.next(vec![Event::Label(0, no_answer())]);
    assert!(is_undecided(&mut machine, vec![]));
    let (mut machine, _) = until(commits);
    machine.next(vec![Event::Label(0, no_answer())]);
    let gone = labels(&[("new", &[CURRENT]), ("old", &[PREVIOUS])]);
    machine.next(vec![Event::Described(0, Ok(gone))]);
    assert!(is_undecided(&mut machine, vec![]));
}

#[test]
fn failures_stop_a_round_and_answers_do_not() {
    let failed = || failure(Class::Denied, "denied");
    for (event, stops) in [
        (Event::Exists(0), true),
        (Event::WriteFailed(0, failed(), None), true),
        (Event::Label(0, Answer::Rejected(failed())), true),
        (Event::Label(0, Answer::Applied), false),
        (Event::Label(0, no_answer()), false),
        (Event::Created(0, "new".to_owned()), false),
    ] {
        assert_eq!(event.is_failure(), stops, "{event:?}");
    }
}
