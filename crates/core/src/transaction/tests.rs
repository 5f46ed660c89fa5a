//! Exhaustive exploration of transactions on a few labels in memory: two runs, command by command in every order, another
//! writer, lost responses, rejections, crashes and cancellations at every command. The program's own exploration runs the same
//! protocol over the whole engine; this one is small enough to run for every mutation.

mod drive;
mod explore;
mod firsts;
mod process;
mod rivals;
mod state;
mod steps;
mod swaps;
mod world;

use explore::explore;
use process::{Effect, NOW, Process, TIMEOUT};
use state::{Fault, State, has_record_of, name};
use world::Secret;

fn run(number: usize, wants: &[(usize, &'static str)]) -> Process {
    Process::new(name(number), wants, NOW)
}

/// Two secrets with values, an existing one without a value, and one that does not exist.
fn secrets() -> Vec<Secret> {
    let empty = Secret {
        exists: true,
        ..Secret::default()
    };
    vec![
        Secret::of(&["older", "old"]),
        Secret::of(&["older", "old"]),
        empty,
        Secret::default(),
    ]
}

const EVERY_FAULT: [Fault; 6] = [
    Fault::At(Effect::Retried),
    Fault::At(Effect::LostAnswer),
    Fault::At(Effect::LostCall),
    Fault::At(Effect::Rejected),
    Fault::Crash,
    Fault::Cancel,
];

#[test]
fn fault_at_any_command_leaves_all_or_nothing() {
    let wants = [(0, "new"), (1, "new"), (2, "new"), (3, "new")];
    for wants in [
        &wants[..],
        &wants[..2],
        &wants[1..3],
        &[(0, "old"), (1, "new")],
    ] {
        let start = State::new(&secrets(), vec![run(0, wants)]);
        explore(&start, &EVERY_FAULT);
    }
}

#[test]
fn rival_at_any_command_is_kept_or_replaced() {
    let wants = [(0, "new"), (1, "new"), (2, "new")];
    for rival in 0..3 {
        let mut start = State::new(&secrets(), vec![run(0, &wants)]);
        (start.rival, start.has_rival) = (Some(rival), true);
        explore(&start, &EVERY_FAULT[..3]);
    }
}

#[test]
fn two_runs_in_any_order_do_not_mix() {
    let pairs = [
        [[(0, "x"), (1, "x")], [(0, "y"), (1, "y")]],
        // Each leaves unchanged the secret that the other one writes.
        [[(0, "old"), (1, "x")], [(0, "y"), (1, "old")]],
        [[(0, "x"), (1, "x")], [(1, "y"), (2, "y")]],
        [[(2, "x"), (1, "x")], [(1, "y"), (2, "y")]],
    ];
    for [one, other] in &pairs {
        let start = State::new(&secrets(), vec![run(0, one), run(1, other)]);
        explore(&start, &[]);
    }
}

/// A run with fewer secrets than the dead one recovers nothing until the dead run's time limit has passed.
#[test]
fn smaller_run_leaves_recovery_to_complete_one() {
    let wants = [(0, "x"), (1, "x")];
    let mut world = secrets();
    let mut dead = run(0, &wants);
    let moved = |world: &[Secret]| {
        (0..2)
            .filter(|index| world[*index].current() == Some("x"))
            .count()
    };
    while moved(&world) < 1 {
        dead.step(&mut world, Effect::Applied);
    }
    for (now, recovers) in [(NOW, false), (NOW + TIMEOUT + 1_000, true)] {
        let mut world = world.clone();
        let before = world.clone();
        let mut smaller = Process::new("x", &[(0, "new")], now);
        while smaller.ending().is_none() {
            smaller.step(&mut world, Effect::Applied);
        }
        let ending = smaller.ending().unwrap();
        assert_eq!((ending.committed, ending.left_others), (recovers, recovers));
        if !recovers {
            let failure = ending.failure.as_ref().unwrap();
            assert!(failure.what.contains("2 secrets"), "{failure}");
            assert_eq!(world, before);
        }
    }
}

#[test]
fn dead_run_is_recovered_by_another() {
    let pairs = [
        [[(0, "x"), (1, "x")], [(0, "y"), (1, "y")]],
        [[(0, "x"), (1, "x")], [(0, "old"), (1, "old")]],
    ];
    for [one, other] in &pairs {
        let start = State::new(&secrets(), vec![run(0, one), run(1, other)]);
        explore(&start, &[Fault::Crash]);
    }
}

fn eager(runs: Vec<Process>) -> State {
    let mut start = State::new(&secrets(), runs);
    start.is_eager = true;
    start
}

/// The secrets, and two more with values, at 4 and 5.
fn six_secrets() -> Vec<Secret> {
    let more = || Secret::of(&["older", "old"]);
    secrets().into_iter().chain([more(), more()]).collect()
}

#[test]
fn two_dead_runs_are_recovered() {
    let one = run(0, &[(0, "x"), (1, "x")]);
    let start = State::new(&secrets(), vec![one, run(1, &[(0, "y"), (1, "y")])]);
    explore(
        &State {
            failing: 2,
            ..start
        },
        &[Fault::Crash],
    );
}

/// The second run does not see the first one's coordinator, but must still wait for it.
#[test]
fn overlapping_run_waits_for_rollback() {
    let one = run(0, &[(0, "x"), (1, "x"), (5, "x")]).patient();
    let other = run(1, &[(1, "x"), (4, "y")]).patient();
    let start = State::new(&six_secrets(), vec![one, other]);
    explore(&start, &[Fault::At(Effect::Rejected)]);
}

/// A move that another transaction blocked until it rolled back.
#[test]
fn moves_that_were_not_sent_do_not_commit() {
    let one = run(0, &[(4, "x"), (0, "x"), (5, "x")]).patient();
    let other = run(1, &[(0, "y"), (1, "y")]).patient();
    let start = State::new(&six_secrets(), vec![one, other]);
    explore(&start, &[Fault::At(Effect::Rejected)]);
}

#[test]
#[ignore = "a move that arrives after another run has aborted the transaction makes a version current that has no label"]
fn late_move_of_aborted_run_is_rolled_back() {
    let runs = vec![
        run(0, &[(0, "x"), (1, "x")]),
        run(1, &[(0, "y"), (1, "old")]),
    ];
    explore(&eager(runs), &[Fault::At(Effect::LostCall)]);
}

#[test]
fn late_rollback_keeps_committed_version() {
    let runs = vec![
        run(0, &[(0, "x")]).repeating_ids(),
        run(1, &[(0, "old")]).repeating_ids(),
    ];
    explore(&eager(runs), &[]);
}

/// A later run with the coordinator, but not with all secrets of a dead run.
#[test]
fn partial_recovery_leaves_the_rest_recoverable() {
    let one = run(0, &[(0, "x"), (1, "x")]);
    let start = State::new(&secrets(), vec![one, run(1, &[(0, "old")])]);
    explore(&start, &[Fault::Crash]);
}

#[test]
fn cancellation_during_commit_is_undecided() {
    let mut world = secrets();
    let mut run = run(0, &[(0, "x"), (1, "x")]);
    while !run.doing_next().starts_with("0 upsert-secret-commit") {
        run.step(&mut world, Effect::Applied);
    }
    run.cancel_while_pending(&mut world);
    let ending = run.ending().unwrap();
    // The record is gone, so no run rolls the versions back.
    assert!(!has_record_of("x")(&world[0]));
    let said = format!("{ending:?}");
    assert!(ending.failure.is_some(), "{said}");
    assert!(!said.contains("before the commit:"), "{said}");
}

/// Two secrets, each with a staged version.
fn staged_secrets() -> Vec<Secret> {
    let mut secret = Secret::of(&["older", "old"]);
    secret.put("staged", "new", &["candidate".to_owned()]);
    vec![secret.clone(), secret]
}

fn promotion(number: usize) -> Process {
    run(number, &[(0, "new"), (1, "new")]).promoting()
}

#[test]
fn promotion_with_a_fault_is_all_or_nothing() {
    explore(
        &State::new(&staged_secrets(), vec![promotion(0)]),
        &EVERY_FAULT,
    );
    // The secrets that need no move are part of the transaction.
    let partial = run(0, &[(0, "old"), (1, "new")]).promoting();
    explore(&State::new(&staged_secrets(), vec![partial]), &EVERY_FAULT);
    for rival in 0..2 {
        let mut start = State::new(&staged_secrets(), vec![promotion(0)]);
        (start.rival, start.has_rival) = (Some(rival), true);
        explore(&start, &EVERY_FAULT[..3]);
    }
}

#[test]
fn promotions_of_the_same_versions_do_not_mix() {
    let upsert = || run(1, &[(0, "y"), (1, "y")]);
    let undo = || run(1, &[(0, "older"), (1, "older")]).promoting();
    let back = || run(1, &[(1, "older"), (0, "new")]).promoting();
    for other in [promotion(1), upsert(), undo(), back()] {
        let start = State::new(&staged_secrets(), vec![promotion(0), other.clone()]);
        explore(&start, &[]);
        explore(&start, &[Fault::Crash]);
    }
}

#[test]
fn undisturbed_promotion_commits() {
    let mut world = staged_secrets();
    let mut run = promotion(0);
    while run.ending().is_none() {
        run.step(&mut world, Effect::Applied);
    }
    assert!(run.ending().is_some_and(|ending| ending.committed));
    assert!(world.iter().all(|secret| secret.current() == Some("new")));
    assert!(!state::has_labels(&world));
}
