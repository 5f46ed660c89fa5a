//! Single steps of the machine: the result of one event, and what is reported.

use crate::failure::{Class, Failure};
use crate::labels::{CURRENT, PREVIOUS, TransactionLabel};
use crate::transaction::messages::{
    Answer, Command, Ending, Event, Labels, Look, Next, Observation, Written,
};
use crate::transaction::others::{Record, others};
use crate::transaction::{Goal, Limits, Transaction};

use super::drive::{
    UNIQUE, Versions, commands, commits, ending, labels, moves, moves_back, no_answer, reads, rest,
    started, started_with, success, until,
};
use super::process::{NOW, TIMEOUT};
use super::world::failure;

#[test]
fn coordinator_is_staged_first_with_the_record() {
    let (mut machine, next) = started();
    let own = TransactionLabel::until(NOW + TIMEOUT, "a", "eu-west-1", None, 3, UNIQUE);
    let put = |member, labels: Vec<String>| Command::Put { member, labels };
    assert_eq!(commands(&next), [put(0, vec![own.record(), own.member()])]);
    let next = machine.next(vec![success(&commands(&next)[0])]);
    assert_eq!(commands(&next), [put(1, vec![own.member()])]);
}

#[test]
fn validation_decides_commit_or_rollback() {
    let other = TransactionLabel::until(NOW + 50, "z", "eu-west-1", None, 3, UNIQUE);
    let (met, provisional) = (
        labels(&[("old", &[CURRENT])]),
        labels(&[("rival", &[CURRENT, &other.member()])]),
    );
    let staged = labels(&[("old", &[CURRENT]), ("rival", &[&other.member()])]);
    let denied = failure(Class::Denied, "denied");
    for (read, commits_then) in [
        (Ok((true, met.clone())), true),
        // A label on another version has no effect on the current one.
        (Ok((true, staged)), true),
        (Ok((false, met)), false),
        (Ok((true, provisional)), false),
        (Err(denied), false),
    ] {
        let (mut machine, next) = until(reads);
        assert_eq!(commands(&next), [Command::Read(2)]);
        let next = machine.next(vec![Event::Read(2, read.clone())]);
        assert_eq!(
            commands(&next).iter().any(commits),
            commits_then,
            "{read:?}"
        );
        assert_eq!(moves_back(&next), !commits_then, "{read:?}");
        assert!(!machine.is_committed());
    }
}

#[test]
fn commit_is_known_once_the_record_is_gone() {
    let (mut machine, next) = until(commits);
    assert_eq!(commands(&next).len(), 1);
    assert!(!machine.is_committed());
    machine.next(vec![Event::Label(0, Answer::Applied)]);
    assert!(machine.is_committed());
    let written = machine.written();
    let current = Written::Current {
        id: "new".to_owned(),
        from: "old".to_owned(),
    };
    assert_eq!(written, [Some(current.clone()), Some(current), None]);
}

/// The removal of the record gets no response, and the record is gone.
#[test]
fn lost_commit_is_decided_by_what_is_current() {
    let gone = labels(&[("new", &[CURRENT]), ("old", &[PREVIOUS])]);
    let back = labels(&[("old", &[CURRENT]), ("new", &[PREVIOUS])]);
    let replaced = labels(&[("rival", &[CURRENT]), ("new", &[PREVIOUS])]);
    // The version before this one may have been current in between.
    let lost = labels(&[("rival", &[CURRENT]), ("other", &[PREVIOUS])]);
    for (first, second, wanted) in [
        (&gone, &gone, Some(true)),
        (&gone, &replaced, Some(true)),
        (&back, &gone, Some(false)),
        (&back, &replaced, Some(false)),
        (&replaced, &replaced, Some(true)),
        (&gone, &lost, None),
        (&lost, &back, Some(false)),
    ] {
        let (mut machine, _) = until(commits);
        machine.next(vec![Event::Label(0, no_answer())]);
        let next = machine.next(vec![Event::Described(0, Ok(gone.clone()))]);
        assert_eq!(
            commands(&next),
            [Command::Describe(0), Command::Describe(1)]
        );
        let next = machine.next(vec![
            Event::Described(0, Ok(first.clone())),
            Event::Described(1, Ok(second.clone())),
        ]);
        assert_eq!(machine.is_committed(), wanted == Some(true));
        match wanted {
            Some(true) => assert!(!moves_back(&next)),
            Some(false) => assert!(moves_back(&next)),
            None => {
                let ending = ending(next);
                let failure = ending
                    .failure
                    .expect("whether it was committed is not known");
                assert_eq!(failure.class, Class::Unavailable);
                assert!(failure.why.is_some_and(|why| why.contains("replaced")));
            }
        }
    }
}

#[test]
fn conflict_starts_over_and_failure_ends() {
    let conflict = Event::Read(2, Ok((false, labels(&[("old", &[CURRENT])]))));
    let (mut machine, _) = until(reads);
    let next = machine.next(vec![conflict]);
    assert!(matches!(rest(&mut machine, next), Next::WaitForTurn));
    let (mut machine, _) = until(reads);
    let denied = Event::Read(2, Err(failure(Class::Denied, "denied")));
    let next = machine.next(vec![denied]);
    assert!(!ending(rest(&mut machine, next)).committed);
    // The last attempt.
    let limits = Limits {
        attempts: 1,
        ..Limits::default()
    };
    let (mut machine, mut next) = started_with(limits);
    while !commands(&next).iter().any(reads) {
        let events = commands(&next).iter().map(success).collect();
        next = machine.next(events);
    }
    let next = machine.next(vec![Event::Read(2, Ok((false, labels(&[]))))]);
    let ending = ending(rest(&mut machine, next));
    let class = ending.members[2]
        .failure
        .as_ref()
        .map(|failure| failure.class);
    assert_eq!(class, Some(Class::Conflict));
}

#[test]
fn label_that_cannot_be_removed_is_reported() {
    let (mut machine, _) = until(commits);
    let next = machine.next(vec![Event::Label(0, Answer::Applied)]);
    assert_eq!(commands(&next).len(), 2);
    let denied = failure(Class::Denied, "denied");
    let next = machine.next(vec![
        Event::Label(0, Answer::Rejected(denied.clone())),
        // Another run has removed it.
        Event::Label(
            1,
            Answer::Lost {
                retried: false,
                failure: denied,
            },
        ),
    ]);
    let ending = ending(next);
    assert!(ending.committed);
    assert_eq!(ending.labeled, [0]);
}

/// Only a run that writes validates; creating a secret is a write.
#[test]
fn only_writes_are_validated() {
    let observed = |goals: &[Goal]| {
        let mut machine = Transaction::new("eu-west-1", None, TIMEOUT, Limits::default());
        let looks = goals.iter().enumerate().map(|(index, goal)| Look {
            name: index.to_string(),
            labels: labels(&[("old", &[CURRENT])]),
            goal: goal.clone(),
        });
        let next = machine.observed(Observation {
            looks: looks.collect(),
            now: NOW,
            unique: UNIQUE.to_owned(),
        });
        (machine, next)
    };
    assert!(ending(observed(&[Goal::Keep, Goal::Keep]).1).committed);
    let (mut machine, next) = observed(&[Goal::Create, Goal::Keep]);
    assert_eq!(commands(&next), [Command::Create(0)]);
    let next = machine.next(vec![success(&Command::Create(0))]);
    assert_eq!(commands(&next), [Command::Read(1)]);
}

/// The label of a run whose time limit has passed, and that is coordinated elsewhere, is not a conflict.
#[test]
fn settled_label_is_no_conflict() {
    let dead = TransactionLabel::until(NOW - 1_000, "z", "eu-west-1", None, 3, UNIQUE);
    let mut machine = Transaction::new("eu-west-1", None, TIMEOUT, Limits::default());
    let kept = labels(&[("old", &[CURRENT, &dead.member()])]);
    let look = |name: &str, labels: Labels, goal: Goal| Look {
        name: name.to_owned(),
        labels,
        goal,
    };
    let base = "old".to_owned();
    let replaced = labels(&[("old", &[CURRENT])]);
    let mut next = machine.observed(Observation {
        looks: vec![
            look("a", replaced, Goal::Replace { base }),
            look("c", kept.clone(), Goal::Keep),
        ],
        now: NOW,
        unique: UNIQUE.to_owned(),
    });
    while !commands(&next).iter().any(reads) {
        let events = commands(&next).iter().map(success).collect();
        next = machine.next(events);
    }
    let next = machine.next(vec![Event::Read(1, Ok((true, kept)))]);
    assert!(commands(&next).iter().any(commits));
}

/// A move without a response is read back and, if that fails too, rolled back.
#[test]
fn move_without_answer_is_read_back() {
    let unanswered = || {
        let (mut machine, _) = until(moves);
        let next = machine.next(vec![
            Event::Label(0, no_answer()),
            Event::Label(1, Answer::Applied),
        ]);
        assert_eq!(commands(&next), [Command::Describe(0)]);
        machine
    };
    let mut machine = unanswered();
    let unavailable = failure(Class::Unavailable, "no answer");
    let next = machine.next(vec![Event::Described(0, Err(unavailable))]);
    let [Command::Describe(0), back] = commands(&next) else {
        panic!("{next:?}");
    };
    assert!(moves(back) && back.member() == 1);
    // Another writer has replaced the version.
    let mut machine = unanswered();
    let replaced = labels(&[("rival", &[CURRENT]), ("new", &[PREVIOUS])]);
    let next = machine.next(vec![Event::Described(0, Ok(replaced))]);
    assert!(moves_back(&next) && commands(&next).len() == 1);
    let is_replaced = |written: &Option<Written>| matches!(written, Some(Written::Replaced { id, from }) if id == "new" && from == "old");
    assert!(is_replaced(&machine.written()[0]));
    // It was never applied, so it is resent.
    let mut machine = unanswered();
    let before = labels(&[("old", &[CURRENT]), ("older", &[PREVIOUS])]);
    let next = machine.next(vec![Event::Described(0, Ok(before))]);
    assert!(commands(&next).iter().all(moves) && !moves_back(&next));
}

#[test]
fn rejected_rollback_is_reported_with_its_cause() {
    let (mut machine, next) = until(reads);
    assert!(commands(&next).iter().any(reads));
    machine.next(vec![Event::Read(2, Err(failure(Class::Denied, "denied")))]);
    let next = machine.next(vec![
        Event::Label(
            0,
            Answer::Rejected(failure(Class::Denied, "not allowed to move it")),
        ),
        Event::Label(1, Answer::Applied),
    ]);
    let ending = ending(next);
    assert!(!ending.committed);
    let stuck = &ending.members[0];
    let text = stuck
        .failure
        .as_ref()
        .map(Failure::to_string)
        .unwrap_or_default();
    for part in [
        "a could not be rolled back: version new is current",
        "not allowed to move it",
        "run again",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(
        matches!(&stuck.written, Some(Written::Current { id, from }) if id == "new" && from == "old")
    );
    assert_eq!(
        ending.members[1].written,
        Some(Written::RolledBack("new".to_owned()))
    );
}

/// A canceled run reports the state at that moment.
#[test]
fn cancelled_run_reports_what_is_current() {
    let what = |ending: &Ending, member: usize| {
        let failure = ending.members[member].failure.as_ref();
        failure
            .map(|failure| failure.what.clone())
            .unwrap_or_default()
    };
    // Nothing has changed while versions are only staged.
    let (mut machine, _) = started();
    let ending = machine.cut_short(vec![]);
    assert!(
        ending
            .members
            .iter()
            .all(|member| member.written.is_none() && member.failure.is_none())
    );
    // A put that is rejected concurrently is that secret's own failure.
    let (mut machine, _) = started();
    let rejected = Event::WriteFailed(0, failure(Class::Denied, "denied"), None);
    assert_eq!(what(&machine.cut_short(vec![rejected]), 0), "denied");
    // One move got a response, the other did not.
    let (mut machine, next) = until(moves);
    assert_eq!(commands(&next).len(), 2);
    let ending = machine.cut_short(vec![
        Event::Label(0, Answer::Applied),
        Event::Label(1, no_answer()),
    ]);
    assert!(!ending.committed);
    assert!(
        what(&ending, 0).ends_with("version new of a is current"),
        "{ending:?}"
    );
    assert!(
        what(&ending, 1).ends_with("version new of b may be current"),
        "{ending:?}"
    );
    // A move back without a response.
    let (mut machine, _) = until(reads);
    machine.next(vec![Event::Read(2, Err(failure(Class::Denied, "denied")))]);
    let ending = machine.cut_short(vec![
        Event::Label(0, Answer::Applied),
        Event::Label(1, no_answer()),
    ]);
    assert_eq!(
        ending.members[0].written,
        Some(Written::RolledBack("new".to_owned()))
    );
    assert!(
        what(&ending, 1).ends_with("version new of b may be current"),
        "{ending:?}"
    );
    // The record is gone: nothing can be rolled back anymore.
    let (mut machine, _) = until(commits);
    assert!(
        machine
            .cut_short(vec![Event::Label(0, Answer::Applied)])
            .committed
    );
    let (mut machine, _) = until(commits);
    assert!(
        !machine
            .cut_short(vec![Event::Label(0, no_answer())])
            .committed
    );
    let (mut machine, _) = until(commits);
    machine.next(vec![Event::Label(0, Answer::Applied)]);
    assert!(machine.cut_short(vec![]).committed);
}

#[test]
fn first_version_of_cancelled_run_is_reported() {
    let mut machine = Transaction::new("eu-west-1", None, TIMEOUT, Limits::default());
    machine.observed(Observation {
        looks: vec![Look {
            name: "a".to_owned(),
            labels: labels(&[]),
            goal: Goal::Create,
        }],
        now: NOW,
        unique: UNIQUE.to_owned(),
    });
    let ending = machine.cut_short(vec![Event::Created(0, "new".to_owned())]);
    assert_eq!(
        ending.members[0].written,
        Some(Written::First("new".to_owned()))
    );
}

#[test]
fn record_shows_end_of_other_transaction() {
    let label = TransactionLabel::until(NOW, "a", "eu-west-1", None, 2, UNIQUE);
    let (member, record) = (label.member(), label.record());
    let look = |name: &str, versions: Versions<'_>| Look {
        name: name.to_owned(),
        labels: labels(versions),
        goal: Goal::Keep,
    };
    let found = |looks: &[Look]| {
        let looks: Vec<&Look> = looks.iter().collect();
        let mut all = others(&looks, "eu-west-1", NOW, None);
        assert_eq!(all.len(), 1);
        all.remove(0)
    };
    let undecided = Record::Undecided {
        coordinator: 1,
        version: "new".to_owned(),
    };
    let cases: [(Versions<'_>, Record); 4] = [
        (&[("new", &[&member, &record])], undecided),
        (
            &[("new", &[&member]), ("old", &[&record])],
            Record::Aborted { coordinator: 1 },
        ),
        (&[("old", &[&record])], Record::Aborted { coordinator: 1 }),
        (&[("new", &[CURRENT])], Record::Ended),
    ];
    for (coordinator, wanted) in cases {
        let looks = [look("b", &[("staged", &[&member])]), look("a", coordinator)];
        let other = found(&looks);
        assert_eq!(other.record, wanted);
        assert_eq!(other.members[0], (0, "staged".to_owned()));
        assert!(!other.is_current);
    }
    for (labels, is_current) in [
        (
            &[("new", &[CURRENT, &*member] as &[&str])] as Versions<'_>,
            true,
        ),
        (&[("new", &[&*member]), ("old", &[CURRENT])], false),
    ] {
        let other = found(&[look("b", labels)]);
        assert_eq!(
            (other.record, other.is_current),
            (Record::Elsewhere, is_current)
        );
    }
}

/// A move without a response that was never applied does not count as a rolled-back version.
#[test]
fn move_that_never_arrived_is_not_reported() {
    let before = || labels(&[("old", &[CURRENT]), ("older", &[PREVIOUS])]);
    let (mut machine, _) = until(moves);
    let denied = failure(Class::Denied, "denied");
    // The first move gets no response, and then cannot be read back.
    let mut next = machine.next(vec![
        Event::Label(0, no_answer()),
        Event::Label(1, Answer::Rejected(denied.clone())),
    ]);
    next = match commands(&next) {
        [Command::Describe(0)] => machine.next(vec![Event::Described(0, Err(denied))]),
        other => panic!("a read of the first, not {other:?}"),
    };
    assert_eq!(commands(&next), [Command::Describe(0)]);
    next = machine.next(vec![Event::Described(0, Ok(before()))]);
    let ending = ending(rest(&mut machine, next));
    assert!(!ending.committed);
    assert_eq!(ending.members[0].written, None);
}

/// A dead transaction's record that cannot be removed ends the run, instead of causing another recovery.
#[test]
fn recovery_without_removal_of_the_record_ends() {
    let dead = TransactionLabel::until(NOW - 10, "a", "eu-west-1", None, 1, UNIQUE);
    let (member, record) = (dead.member(), dead.record());
    let seen = || labels(&[("x", &[&member]), ("old", &[CURRENT, &record])]);
    let mut machine = Transaction::new("eu-west-1", None, TIMEOUT, Limits::default());
    let mut next = machine.observed(Observation {
        looks: vec![Look {
            name: "a".to_owned(),
            labels: seen(),
            goal: Goal::Keep,
        }],
        now: NOW,
        unique: UNIQUE.to_owned(),
    });
    while let Next::Round(round) = &next {
        let events = round.commands.iter().map(|command| match command {
            Command::Describe(index) => Event::Described(*index, Ok(seen())),
            Command::Label { label, .. } if *label == record => {
                Event::Label(0, Answer::Rejected(failure(Class::Denied, "denied")))
            }
            other => success(other),
        });
        next = machine.next(events.collect());
    }
    let ending = ending(next);
    assert_eq!(
        ending.members[0].failure.as_ref().map(|it| it.class),
        Some(Class::Denied)
    );
}
