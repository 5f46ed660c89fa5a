//! First versions, and labels of other transactions, in the first phases.

use crate::failure::Class;
use crate::labels::{CURRENT, PREVIOUS, TransactionLabel};
use crate::transaction::messages::{
    Answer, Command, Event, Labels, Look, Next, Observation, Written,
};
use crate::transaction::{Goal, Limits, Transaction};

use super::drive::{UNIQUE, commands, ending, labels, rest_of, success};
use super::process::{NOW, TIMEOUT};
use super::world::failure;

fn observed(machine: &mut Transaction, looks: Vec<(&str, Labels, Goal)>) -> Next {
    let looks = looks.into_iter().map(|(name, labels, goal)| Look {
        name: name.to_owned(),
        labels,
        goal,
    });
    machine.observed(Observation {
        looks: looks.collect(),
        now: NOW,
        unique: UNIQUE.to_owned(),
    })
}

fn machine() -> Transaction {
    Transaction::new("eu-west-1", None, TIMEOUT, Limits::default())
}

#[test]
fn first_version_is_judged_by_its_labels() {
    for (held, is_first, is_conflict) in [
        (&[CURRENT][..], true, false),
        // Another writer has replaced it since.
        (&[PREVIOUS], true, true),
        // The secret already had a value.
        (&[], false, true),
    ] {
        let put = || {
            let mut machine = machine();
            let next = observed(&mut machine, vec![("a", labels(&[]), Goal::First)]);
            assert!(matches!(commands(&next), [Command::Put { member: 0, .. }]));
            let held = held.iter().map(|label| (*label).to_owned()).collect();
            (machine, Event::Put(0, "new".to_owned(), held))
        };
        let (mut machine, event) = put();
        let ending = machine.cut_short(vec![event]);
        let written = is_first.then(|| Written::First("new".to_owned()));
        assert_eq!(ending.members[0].written, written, "{held:?}");
        assert_eq!(ending.members[0].failure.is_some(), is_conflict, "{held:?}");
        let (mut machine, event) = put();
        let next = rest_of(&mut machine, vec![event]);
        assert_eq!(matches!(next, Next::WaitForTurn), is_conflict, "{held:?}");
    }
}

#[test]
fn secret_that_exists_after_all_is_a_conflict() {
    let mut machine = machine();
    let next = observed(&mut machine, vec![("a", labels(&[]), Goal::Create)]);
    assert_eq!(commands(&next), [Command::Create(0)]);
    assert!(matches!(
        machine.next(vec![Event::Exists(0)]),
        Next::WaitForTurn
    ));
}

/// The label of a transaction that has ended stays if its removal is denied, and does not indicate a transaction in progress.
#[test]
fn label_that_cannot_be_swept_is_no_conflict() {
    let ended = TransactionLabel::until(NOW + 50, "c", "eu-west-1", None, 1, UNIQUE).member();
    let seen = || labels(&[("kept", &[CURRENT, &ended])]);
    let old = || labels(&[("old", &[CURRENT])]);
    let mut machine = machine();
    let replace = Goal::Replace {
        base: "old".to_owned(),
    };
    let looks = vec![("a", old(), replace), ("c", seen(), Goal::Keep)];
    let mut next = observed(&mut machine, looks);
    let mut swept = false;
    while let Next::Round(round) = &next {
        let events = round.commands.iter().map(|command| match command {
            Command::Describe(1) => Event::Described(1, Ok(seen())),
            Command::Read(1) => Event::Read(1, Ok((true, seen()))),
            Command::Label {
                member: 1, label, ..
            } => {
                swept |= *label == ended;
                Event::Label(1, Answer::Rejected(failure(Class::Denied, "denied")))
            }
            other => success(other),
        });
        next = machine.next(events.collect());
    }
    assert!(swept, "its removal was tried");
    assert!(ending(next).committed);
}

/// Another transaction makes progress as soon as one of its versions is current, regardless of its labels.
#[test]
fn version_that_becomes_current_is_progress() {
    let other = TransactionLabel::until(NOW + 50, "a", "eu-west-1", None, 5, UNIQUE);
    let (member, record) = (other.member(), other.record());
    let mut machine = machine();
    let mut look = |current: &str| {
        let held = |version: &str| {
            if version == current {
                vec![CURRENT]
            } else {
                Vec::new()
            }
        };
        let with = |version: &str, label: &str| {
            [held(version), vec![label]]
                .concat()
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        let versions = [
            ("new".to_owned(), with("new", &member)),
            ("other".to_owned(), with("other", &record)),
            (
                "old".to_owned(),
                held("old").iter().map(ToString::to_string).collect(),
            ),
        ];
        let labels = Labels::all(versions.into());
        match observed(&mut machine, vec![("a", labels, Goal::Keep)]) {
            Next::WaitForOther { progress } => progress,
            other => panic!("a wait, not {other:?}"),
        }
    };
    assert!(look("old"), "it was not seen before");
    assert!(!look("old"));
    assert!(look("new"));
    assert!(!look("new"));
}

/// A first version that disappeared with its secret is written again, and one that stays is reported.
#[test]
fn missing_first_version_is_written_again() {
    let old = || labels(&[("old", &[CURRENT]), ("older", &[PREVIOUS])]);
    let rival = || labels(&[("rival", &[CURRENT]), ("old", &[PREVIOUS])]);
    let first_attempt = || {
        let mut machine = machine();
        let replace = Goal::Replace {
            base: "old".to_owned(),
        };
        let looks = vec![("a", labels(&[]), Goal::First), ("b", old(), replace)];
        let mut next = observed(&mut machine, looks);
        while let Next::Round(round) = &next {
            let events = round.commands.iter().map(|command| match command {
                Command::Put { member: 0, .. } => {
                    Event::Put(0, "first".to_owned(), vec![CURRENT.to_owned()])
                }
                Command::Describe(1) => Event::Described(1, Ok(rival())),
                Command::Label { label, .. } if label == CURRENT => Event::Label(
                    1,
                    Answer::Lost {
                        retried: false,
                        failure: failure(Class::Unavailable, "lost"),
                    },
                ),
                other => success(other),
            });
            next = machine.next(events.collect());
        }
        assert!(matches!(next, Next::WaitForTurn));
        machine
    };
    let kept = || ("b", rival(), Goal::Keep);
    let mut machine = first_attempt();
    let next = observed(&mut machine, vec![("a", labels(&[]), Goal::First), kept()]);
    assert!(matches!(commands(&next), [Command::Put { member: 0, .. }]));

    let mut machine = first_attempt();
    let looks = vec![("a", labels(&[("first", &[CURRENT])]), Goal::Keep), kept()];
    let mut next = observed(&mut machine, looks);
    while let Next::Round(round) = &next {
        let events = round.commands.iter().map(|command| match command {
            Command::Read(member) => Event::Read(*member, Ok((true, rival()))),
            other => success(other),
        });
        next = machine.next(events.collect());
    }
    let written = ending(next).members[0].written.clone();
    assert_eq!(written, Some(Written::First("first".to_owned())));
}
