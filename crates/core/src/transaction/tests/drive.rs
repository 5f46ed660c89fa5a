//! Drives the machine manually: its start, the events of successful commands, and the subject of a command.

use crate::failure::Class;
use crate::labels::{CURRENT, PREVIOUS, TransactionLabel};
use crate::transaction::messages::{
    Answer, Command, Ending, Event, Labels, Look, Next, Observation, Round,
};
use crate::transaction::{Goal, Limits, Transaction};

use super::process::{NOW, TIMEOUT};
use super::world::failure;

/// Versions with their labels.
pub(super) type Versions<'a> = &'a [(&'a str, &'a [&'a str])];

pub(super) const UNIQUE: &str = "00000000-0000-8000-8000-000000000000";

pub(super) fn labels(versions: Versions<'_>) -> Labels {
    let versions = versions.iter().map(|(id, labels)| {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        ((*id).to_owned(), labels)
    });
    Labels::all(versions.collect())
}

/// Two secrets to replace, `a` and `b`, and one to keep, `c`.
pub(super) fn started() -> (Transaction, Next) {
    started_with(Limits::default())
}

pub(super) fn started_with(limits: Limits) -> (Transaction, Next) {
    let mut machine = Transaction::new("eu-west-1", None, TIMEOUT, limits);
    let look = |name: &str, goal: Goal| Look {
        name: name.to_owned(),
        labels: labels(&[("old", &[CURRENT]), ("older", &[PREVIOUS])]),
        goal,
    };
    let replace = || Goal::Replace {
        base: "old".to_owned(),
    };
    let next = machine.observed(Observation {
        looks: vec![
            look("a", replace()),
            look("b", replace()),
            look("c", Goal::Keep),
        ],
        now: NOW,
        unique: UNIQUE.to_owned(),
    });
    (machine, next)
}

pub(super) fn commands(next: &Next) -> &[Command] {
    match next {
        Next::Round(Round { commands, .. }) => commands,
        other => panic!("a round, not {other:?}"),
    }
}

pub(super) fn ending(next: Next) -> Ending {
    match next {
        Next::End(ending) => ending,
        other => panic!("the end, not {other:?}"),
    }
}

/// The event of a successful command.
pub(super) fn success(command: &Command) -> Event {
    match command {
        Command::Put { member, labels } => Event::Put(*member, "new".to_owned(), labels.clone()),
        Command::Attach {
            member,
            version,
            labels,
        } => Event::Put(*member, version.clone(), labels.clone()),
        Command::Label { member, .. } => Event::Label(*member, Answer::Applied),
        Command::Read(member) => Event::Read(*member, Ok((true, labels(&[("old", &[CURRENT])])))),
        Command::Describe(member) => Event::Described(
            *member,
            Ok(labels(&[("new", &[CURRENT]), ("old", &[PREVIOUS])])),
        ),
        Command::Create(member) => Event::Created(*member, "new".to_owned()),
    }
}

/// Continues with successes until the next command satisfies `is_wanted`.
pub(super) fn until(is_wanted: impl Fn(&Command) -> bool) -> (Transaction, Next) {
    let (mut machine, mut next) = started();
    while !commands(&next).iter().any(&is_wanted) {
        let events = commands(&next).iter().map(success).collect();
        next = machine.next(events);
    }
    (machine, next)
}

pub(super) fn moves(command: &Command) -> bool {
    matches!(command, Command::Label { label, .. } if label == CURRENT)
}

pub(super) fn reads(command: &Command) -> bool {
    matches!(command, Command::Read(_))
}

pub(super) fn commits(command: &Command) -> bool {
    matches!(command, Command::Label { label, to: None, .. } if TransactionLabel::parse_record(label).is_some())
}

pub(super) fn no_answer() -> Answer {
    Answer::NoAnswer(failure(Class::Unavailable, "no answer"))
}

pub(super) fn moves_back(next: &Next) -> bool {
    let back = |command: &Command| {
        moves(command) && matches!(command, Command::Label { to: Some(to), .. } if to == "old")
    };
    !commands(next).is_empty() && commands(next).iter().all(back)
}

/// Continues with successes until the machine requests something other than a round.
pub(super) fn rest(machine: &mut Transaction, mut next: Next) -> Next {
    while let Next::Round(round) = &next {
        let events = round.commands.iter().map(success).collect();
        next = machine.next(events);
    }
    next
}

/// Handles these events, then continues with successes.
pub(super) fn rest_of(machine: &mut Transaction, events: Vec<Event>) -> Next {
    let next = machine.next(events);
    rest(machine, next)
}
