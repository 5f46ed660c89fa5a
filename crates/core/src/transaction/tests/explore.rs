//! Explores everything that can follow a state, and checks the promises at each end.

use std::collections::HashSet;

use crate::transaction::messages::Written;

use super::process::{Effect, NOW, Process, TIMEOUT};
use super::state::{Fault, MAX_STEPS, SPREAD, STATES, State, has_labels, holds, is_of, name};
use super::world::Secret;

/// Explores the following states, all of them with `EXPLORE=full`, and checks every end.
pub(super) fn explore(start: &State, faults: &[Fault]) {
    let is_full = std::env::var_os("EXPLORE").is_some_and(|depth| depth == "full");
    let limit = if is_full { usize::MAX } else { STATES };
    let mut visited = HashSet::from([start.digest()]);
    let mut open = vec![State {
        fault_left: (0..start.runs.len())
            .map(|run| run < start.failing && !faults.is_empty())
            .collect(),
        ..start.clone()
    }];
    let mut states = 0;
    while !open.is_empty() && states < limit {
        states += 1;
        // Take any of the open states, so that a limit does not exclude one part of them.
        let state = open.swap_remove(states * SPREAD % open.len());
        assert!(
            state.steps < MAX_STEPS,
            "the runs do not end: {:#?}",
            state.world
        );
        let next = state.next(faults);
        if next.is_empty() {
            check_end(start, &state);
        }
        let new = next.into_iter();
        open.extend(new.filter(|state| visited.insert(state.digest())));
    }
    println!("{states} states, {} unexplored", open.len());
}

pub(super) fn check_end(start: &State, end: &State) {
    let text = || end.text();
    for (number, run) in end.runs.iter().enumerate() {
        let Some(ending) = run.ending() else {
            continue;
        };
        for (member, (index, _)) in run.wants().iter().enumerate() {
            let ended = &ending.members[member];
            let current = end.world[*index]
                .holder("AWSCURRENT")
                .map(|it| it.id.as_str());
            if ending.committed {
                assert_eq!(ended.failure, None, "{}", text());
                continue;
            }
            match &ended.written {
                Some(Written::Current { id, .. }) => {
                    assert!(end.has_failed && ended.failure.is_some(), "{}", text());
                    // Unless another run has recovered it.
                    let is_current = current == Some(id);
                    assert!(
                        is_current || end.runs.len() > 1 || end.rival.is_none(),
                        "{}",
                        text()
                    );
                }
                Some(Written::First(_)) => {}
                Some(Written::Replaced { id, .. }) => {
                    assert!(current != Some(id) && ended.failure.is_some(), "{}", text());
                }
                Some(Written::RolledBack(_)) | None => {
                    let had_value = start.world[*index].current().is_some();
                    let own = current.is_some_and(|id| is_of(id, name(number)));
                    let maybe = ended.failure.is_some() && end.has_failed;
                    assert!(!had_value || !own || maybe, "{}", text());
                }
            }
        }
        if !ending.committed {
            let explained = ending.failure.is_some()
                || ending.members.iter().any(|member| member.failure.is_some());
            assert!(explained || end.has_failed, "{}", text());
        }
    }
    if !end.has_failed {
        assert!(!has_labels(&end.world), "{}", text());
    }
    check_recovery(start, end);
    let is_dead = end.dead.contains(&true);
    if !is_dead && !end.has_rival && !has_stuck(end) {
        check_serial(start, end);
    }
    check_rerun(end);
}

/// Whether a run was cut short, or could not roll back.
pub(super) fn has_stuck(end: &State) -> bool {
    end.runs.iter().filter_map(Process::ending).any(|ending| {
        !ending.committed
            && ending
                .members
                .iter()
                .any(|member| matches!(member.written, Some(Written::Current { .. })))
    })
}

/// Checks that no version of a run that died undecided is current after a later run has recovered it.
pub(super) fn check_recovery(start: &State, end: &State) {
    for run in &end.undecided {
        let mut world = end.world.clone();
        let wants: Vec<_> = end.runs[*run]
            .wants()
            .iter()
            .map(|(index, _)| (*index, "z"))
            .collect();
        let mut later = Process::new("z", &wants, NOW + TIMEOUT + 1_000);
        while !later.puts() {
            later.step(&mut world, Effect::Applied);
            assert!(later.ending().is_none(), "{:#?}", end.world);
        }
        for (index, _) in end.runs[*run].wants() {
            let had_value = start.world[*index].current().is_some();
            let current = world[*index].holder("AWSCURRENT");
            let is_left = had_value && current.is_some_and(|it| is_of(&it.id, name(*run)));
            assert!(
                !is_left,
                "a dead run's version of {index} stays current: {}\n{:#?}",
                end.text(),
                world
            );
        }
    }
}

/// Checks that the final values are those of the committed transactions in some serial order.
pub(super) fn check_serial(start: &State, end: &State) {
    let committed: Vec<&Process> = end
        .runs
        .iter()
        .filter(|run| run.ending().is_some_and(|ending| ending.committed))
        .collect();
    let values = |world: &[Secret]| world.iter().map(Secret::current).collect::<Vec<_>>();
    let reached = values(&end.world);
    let orders: &[&[usize]] = match committed.len() {
        0 => &[&[]],
        1 => &[&[0]],
        2 => &[&[0, 1], &[1, 0]],
        _ => return,
    };
    let is_serial = orders.iter().any(|order| {
        let mut serial = values(&start.world);
        for number in *order {
            for (index, wanted) in committed[*number].wants() {
                serial[*index] = Some(wanted);
            }
        }
        // First versions stay.
        let mut pairs = serial.iter().zip(&reached).zip(&start.world);
        pairs.all(|((serial, reached), start)| serial == reached || start.current().is_none())
    });
    assert!(is_serial, "not serial: {}", end.text());
}

/// Checks that a later run commits and leaves no label, and that another one finds nothing to do.
pub(super) fn check_rerun(end: &State) {
    let later = NOW + TIMEOUT + 1_000;
    for run in &end.runs {
        let mut world = end.world.clone();
        for _ in 0..2 {
            let before = world.clone();
            let has_reached = holds(run, &world);
            let mut again = Process::new("z", run.wants(), later);
            let mut steps = 0;
            while again.ending().is_none() {
                again.step(&mut world, Effect::Applied);
                steps += 1;
                assert!(steps < MAX_STEPS, "a re-run does not end: {:#?}", end.world);
            }
            let ending = again.ending().unwrap();
            assert!(
                ending.committed && holds(run, &world),
                "{:#?}\n{ending:#?}",
                before
            );
            // Labels of a transaction with its coordinator elsewhere stay.
            let covers = |other: &Process| {
                let mut wants = other.wants().iter();
                wants.all(|(index, _)| run.wants().iter().any(|(known, _)| known == index))
            };
            if !has_reached && end.runs.iter().all(covers) {
                assert!(!has_labels_of(run, &world), "{:#?}", world);
            }
        }
        assert!(holds(run, &world));
    }
}

pub(super) fn has_labels_of(run: &Process, world: &[Secret]) -> bool {
    let secrets = run.wants().iter().map(|(index, _)| world[*index].clone());
    has_labels(&secrets.collect::<Vec<_>>())
}
