//! Exhaustive exploration of runs on the in-memory model: every order of the calls of two runs, of a run and another writer,
//! and of a run with one failing call, at every call. Defines what is explored and how far; `promises` has the invariants.
//! `EXPLORE=full` explores more, and `--nocapture` shows the number of states of each scenario.

mod actor;
mod description;
mod explorer;
mod process;
mod promises;
mod scenario;
mod scenarios;
mod task;

use std::time::Instant;

use explorer::explore;
use promises::{Promises, Rerun};
use scenario::{Fault, Scenario};
use scenarios::{RIVALS, Rival, commands, deleted, first_values, put, runs, three_secrets};
use task::Task;

/// The number of states per scenario in a normal test run.
const STATES: usize = 2_000;
/// The number of states per scenario with `EXPLORE=full`.
const MORE_STATES: usize = 40_000;

fn is_full() -> bool {
    std::env::var_os("EXPLORE").is_some_and(|depth| depth == "full")
}

/// Explores scenarios, and fails with all violations.
fn check(scenarios: impl IntoIterator<Item = Scenario>, rerun: Rerun) {
    let limit = if is_full() { MORE_STATES } else { STATES };
    let mut violations = Vec::new();
    for scenario in scenarios {
        let scenario = scenario.up_to(limit);
        let promises = Promises::of(&scenario, rerun);
        let started = Instant::now();
        match explore(&scenario, &promises) {
            Ok(count) => println!(
                "{}: {count}, {:.1} s",
                scenario.name,
                started.elapsed().as_secs_f64()
            ),
            Err(violation) => violations.push(violation),
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n\n"));
}

fn transactions(names: &[&str]) -> Vec<Task> {
    let all = commands(0).into_iter();
    all.filter(|task| names.contains(&task.name.as_str()))
        .collect()
}

#[test]
fn two_runs_keep_promises() {
    let pairs = commands(0)
        .into_iter()
        .enumerate()
        .flat_map(|(first, task)| {
            let others = commands(1).into_iter().skip(first);
            others.map(move |other| runs(&three_secrets(), vec![task.clone(), other]))
        });
    let pairs = pairs.map(|pair| if is_full() { pair.in_any_order() } else { pair });
    check(pairs, Rerun::Later);
}

#[test]
fn run_and_rival_keep_promises() {
    let worlds = [three_secrets(), first_values(), deleted()];
    let pairs = worlds.iter().flat_map(|world| {
        commands(0).into_iter().flat_map(move |task| {
            RIVALS.map(|rival| {
                runs(world, vec![task.clone()])
                    .with_rival(rival)
                    .in_any_order()
            })
        })
    });
    check(pairs, Rerun::Later);
}

#[test]
fn run_with_a_fault_keeps_promises() {
    for rerun in [Rerun::SameRun, Rerun::Later] {
        let faulty = [three_secrets(), first_values()]
            .into_iter()
            .flat_map(|world| {
                commands(0).into_iter().flat_map(move |task| {
                    let faults: [&[Fault]; 4] = [
                        &[Fault::LostAnswer, Fault::LostCall, Fault::Retried],
                        &[Fault::Denied],
                        &[Fault::Crash],
                        &[Fault::Cancel],
                    ];
                    let world = world.clone();
                    faults.map(move |faults| {
                        runs(&world, vec![task.clone().in_run("1")])
                            .with_faults(faults, 1)
                            .in_any_order()
                    })
                })
            });
        check(faulty, rerun);
    }
}

#[test]
fn rival_and_fault_keep_promises() {
    let faulty = [three_secrets(), first_values()]
        .into_iter()
        .flat_map(|world| {
            commands(0).into_iter().flat_map(move |task| {
                let world = world.clone();
                RIVALS.map(move |rival| {
                    let run = runs(&world, vec![task.clone().in_run("1")]).with_rival(rival);
                    run.with_faults(&[Fault::LostAnswer, Fault::LostCall, Fault::Retried], 1)
                })
            })
        });
    check(faulty, Rerun::SameRun);
}

/// Two transactions over the same secrets. Each leaves unchanged the secret that the other one writes.
#[test]
fn write_skew_is_impossible() {
    let mut world = sandbox_model::World::default();
    for name in ["a", "b"] {
        world.create(name, "1");
    }
    let one = Task::values("one", true, &[("a", "1"), ("b", "2")]);
    let other = Task::values("other", true, &[("a", "2"), ("b", "1")]);
    let pair = runs(&world, vec![one, other]);
    check([pair.clone(), pair.with_slow_runs()], Rerun::Later);
}

#[test]
fn overlapping_transactions_keep_promises() {
    let one = Task::values("a, b", true, &[("a", "1"), ("b", "1")]);
    let other = Task::values("b, c", true, &[("b", "2"), ("c", "2")]);
    let reversed = Task::values("c, b", true, &[("c", "2"), ("b", "2")]);
    let three = Task::values("a, b, c", true, &[("a", "3"), ("b", "3"), ("c", "3")]);
    let pairs = [
        vec![one.clone(), other.clone()],
        vec![one.clone(), reversed],
        vec![one, three.clone()],
        vec![other, three],
    ];
    let worlds = [three_secrets(), first_values()];
    let pairs = worlds
        .iter()
        .flat_map(|world| pairs.iter().map(|pair| runs(world, pair.clone())));
    check(pairs, Rerun::Later);
}

/// A run that another run considers dead because it makes no progress for a while.
#[test]
fn transaction_taken_for_dead_keeps_promises() {
    let pairs = commands(1)
        .into_iter()
        .filter(Task::all_or_nothing)
        .map(|other| {
            let one = transactions(&["all-or-nothing"]).remove(0);
            runs(&three_secrets(), vec![one, other]).with_slow_runs()
        });
    check(pairs, Rerun::Later);
}

/// One or both runs die, and the first is attempted again later.
#[test]
fn dead_transactions_are_recovered() {
    let pairs = || {
        commands(1)
            .into_iter()
            .filter(Task::all_or_nothing)
            .map(|other| {
                let one = transactions(&["all-or-nothing"]).remove(0);
                let tasks = vec![one.in_run("1"), other.in_run("2")];
                runs(&three_secrets(), tasks)
                    .with_faults(&[Fault::Crash], 2)
                    .with_slow_runs()
                    .in_any_order()
            })
    };
    check(pairs(), Rerun::SameRun);
    check(pairs(), Rerun::Later);
}

#[test]
fn transaction_with_rivals_keeps_promises() {
    let rivals: [Rival; 3] = [
        ("puts a", |world| put(world, "a")),
        ("puts b", |world| put(world, "b")),
        ("puts c", |world| put(world, "c")),
    ];
    let three = Task::values("a, b, c", true, &[("a", "3"), ("b", "3"), ("c", "3")]);
    let worlds = [three_secrets(), first_values()];
    let all = worlds.iter().flat_map(|world| {
        rivals.map(|rival| {
            runs(world, vec![three.clone()])
                .with_rival(rival)
                .in_any_order()
        })
    });
    check(all, Rerun::Later);
}
