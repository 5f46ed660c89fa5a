//! Exhaustive exploration of transactions on a few labels in memory: two runs command by command in every order, a rival, lost
//! answers, rejections, crashes and cancellations at every command. The program's own exploration runs the same protocol over
//! the whole engine; this one is small enough to run for every mutation.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::labels::is_transaction_label;

mod process;
mod steps;
mod world;

use super::messages::Written;
use process::{Effect, NOW, Process, TIMEOUT};
use world::Secret;

/// States of one exploration in a run of all tests.
const STATES: usize = 20_000;
/// A large prime, to choose open states in no particular order, but the same in each run.
const SPREAD: usize = 1_000_003;
/// Steps after which a run counts as one that does not end.
const MAX_STEPS: u32 = 400;

/// What may happen once to the first run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    At(Effect),
    Crash,
    Cancel,
}

#[derive(Clone)]
struct State {
    world: Vec<Secret>,
    runs: Vec<Process>,
    /// By run: whether all its values were current at once.
    reached: Vec<bool>,
    dead: Vec<bool>,
    fault_left: Vec<bool>,
    has_failed: bool,
    /// The secret that another writer is still to write.
    rival: Option<usize>,
    /// Whether there is such a writer, against which transactions are not isolated.
    has_rival: bool,
    writes: u32,
    seen: Vec<u32>,
    steps: u32,
    /// Whether a wait can end at any time, so that a run can seem dead.
    is_eager: bool,
    /// How many runs may meet a fault, from the first.
    failing: usize,
    /// The runs that died undecided, with the commit record in place.
    undecided: Vec<usize>,
    /// The commands so far, for the report of a violation.
    path: Vec<String>,
}

impl State {
    fn new(world: &[Secret], runs: Vec<Process>) -> Self {
        Self {
            reached: runs.iter().map(|run| holds(run, world)).collect(),
            dead: vec![false; runs.len()],
            fault_left: vec![false; runs.len()],
            seen: vec![0; runs.len()],
            world: world.to_vec(),
            runs,
            has_failed: false,
            rival: None,
            has_rival: false,
            writes: 0,
            steps: 0,
            is_eager: false,
            failing: 1,
            undecided: Vec::new(),
            path: Vec::new(),
        }
    }

    fn text(&self) -> String {
        let mut text = self.path.join("\n  ");
        for (index, secret) in self.world.iter().enumerate() {
            for version in &secret.versions {
                text += &format!(
                    "\n{index} {} {:?} {:?}",
                    version.id, version.value, version.labels
                );
            }
        }
        for run in &self.runs {
            text += &format!("\n{:?}", run.ending());
        }
        text
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let stale: Vec<bool> = self.seen.iter().map(|seen| self.writes > *seen).collect();
        (
            &self.world,
            &self.reached,
            &self.dead,
            &self.fault_left,
            self.rival,
            stale,
            &self.undecided,
        )
            .hash(&mut hasher);
        self.runs.hash(&mut hasher);
        hasher.finish()
    }

    /// Whether all runs have the same secrets, so that none may write over another one that is undecided.
    fn have_same_secrets(&self) -> bool {
        let secrets = |run: &Process| {
            let mut secrets: Vec<usize> = run.wants().iter().map(|(index, _)| *index).collect();
            secrets.sort_unstable();
            secrets
        };
        let mut all = self.runs.iter().map(secrets);
        let first = all.next();
        all.all(|it| Some(it) == first)
    }

    fn is_over(&self, run: usize) -> bool {
        self.dead[run] || self.runs[run].ending().is_some()
    }

    fn step(mut self, run: usize, effect: Effect) -> Self {
        let before = self.world.clone();
        self.path
            .push(format!("{run} {} {effect:?}", self.runs[run].doing_next()));
        let was_committed = self.runs[run].is_committed();
        self.runs[run].step(&mut self.world, effect);
        // A run that ends at once has written nothing.
        let is_ongoing = self.runs[run].ending().is_none();
        let commits = !was_committed && is_ongoing && self.runs[run].is_committed();
        if commits && !self.has_rival && !self.has_failed && self.have_same_secrets() {
            assert!(
                self.runs[run].has_its_versions(&self.world),
                "committed without its versions: {}",
                self.text()
            );
        }
        self.steps += 1;
        self.after(&before);
        self.seen[run] = self.writes;
        self
    }

    fn after(&mut self, before: &[Secret]) {
        self.writes += u32::from(before != self.world);
        for run in 0..self.runs.len() {
            self.reached[run] |= !self.is_over(run) && holds(&self.runs[run], &self.world);
            let ending = self.runs[run].ending();
            let committed = ending.is_some_and(|ending| ending.committed) && !self.dead[run];
            if committed && !self.has_rival {
                assert!(
                    self.reached[run],
                    "committed without reaching its goal: {}",
                    self.text()
                );
            }
        }
    }

    fn next(&self, faults: &[Fault]) -> Vec<Self> {
        let mut next = Vec::new();
        let busy = |run: usize| !self.is_over(run) && !self.runs[run].is_waiting();
        let anyone_busy = (0..self.runs.len()).any(busy) || self.rival.is_some();
        for run in 0..self.runs.len() {
            let awake = self.is_eager || busy(run) || self.writes > self.seen[run] || !anyone_busy;
            if self.is_over(run) || !awake {
                continue;
            }
            next.push(self.clone().step(run, Effect::Applied));
            if !self.fault_left[run] {
                continue;
            }
            for fault in faults {
                let mut faulty = self.clone();
                faulty.fault_left[run] = false;
                faulty.has_failed = true;
                match fault {
                    Fault::At(effect) if self.runs[run].writes() => {
                        faulty = faulty.step(run, *effect);
                    }
                    Fault::At(_) => continue,
                    Fault::Crash => {
                        faulty.path.push(format!("{run} crashes"));
                        faulty.dead[run] = true;
                        let is_undecided = faulty.world.iter().any(has_record_of(name(run)));
                        if is_undecided {
                            faulty.undecided.push(run);
                        }
                    }
                    Fault::Cancel => faulty.runs[run].cancel(),
                }
                next.push(faulty);
            }
        }
        if let Some(index) = self.rival {
            let mut other = self.clone();
            other.rival = None;
            other.world[index].put("rival", "rival", &["AWSCURRENT".to_owned()]);
            other.after(&self.world);
            next.push(other);
        }
        next
    }
}

fn holds(run: &Process, world: &[Secret]) -> bool {
    let mut wants = run.wants().iter();
    wants.all(|(index, wanted)| world[*index].current() == Some(wanted))
}

fn has_labels(world: &[Secret]) -> bool {
    let versions = world.iter().flat_map(|secret| &secret.versions);
    versions
        .flat_map(|version| &version.labels)
        .any(|label| is_transaction_label(label))
}

/// Explores what can follow, all of it with `EXPLORE=full`, and checks every end.
fn explore(start: &State, faults: &[Fault]) {
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
        // Anywhere in the open states, so that a limit leaves no part of them out.
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

fn check_end(start: &State, end: &State) {
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
fn has_stuck(end: &State) -> bool {
    end.runs.iter().filter_map(Process::ending).any(|ending| {
        !ending.committed
            && ending
                .members
                .iter()
                .any(|member| matches!(member.written, Some(Written::Current { .. })))
    })
}

/// Whether a run wrote a version.
fn is_of(id: &str, name: &str) -> bool {
    id.trim_start_matches('0').starts_with(name)
}

const fn name(number: usize) -> &'static str {
    ["x", "y", "x"][number]
}

/// Whether a run's commit record is on the run's own version of a secret.
fn has_record_of(name: &'static str) -> impl Fn(&Secret) -> bool {
    move |secret| {
        secret.versions.iter().any(|version| {
            is_of(&version.id, name)
                && version
                    .labels
                    .iter()
                    .any(|label| label.starts_with("upsert-secret-commit-"))
        })
    }
}

/// No version of a run that died undecided is current after a later run has recovered it.
fn check_recovery(start: &State, end: &State) {
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

/// The values at the end are those of the committed transactions, one after the other in some order.
fn check_serial(start: &State, end: &State) {
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

/// A later run commits, leaves no label, and another one finds nothing to do.
fn check_rerun(end: &State) {
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
            // Labels of a transaction whose coordinator is elsewhere stay.
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

fn has_labels_of(run: &Process, world: &[Secret]) -> bool {
    let secrets = run.wants().iter().map(|(index, _)| world[*index].clone());
    has_labels(&secrets.collect::<Vec<_>>())
}

fn run(number: usize, wants: &[(usize, &'static str)]) -> Process {
    Process::new(name(number), wants, NOW)
}

/// Two secrets with values, one that exists without, and one that does not exist.
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
        // Each leaves the secret alone that the other one writes.
        [[(0, "old"), (1, "x")], [(0, "y"), (1, "old")]],
        [[(0, "x"), (1, "x")], [(1, "y"), (2, "y")]],
        [[(2, "x"), (1, "x")], [(1, "y"), (2, "y")]],
    ];
    for [one, other] in &pairs {
        let start = State::new(&secrets(), vec![run(0, one), run(1, other)]);
        explore(&start, &[]);
    }
}

/// A run of fewer secrets than the dead one recovers nothing, until the dead one's time limit has passed.
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

/// The second run does not see the first one's coordinator, and must wait for it all the same.
#[test]
fn overlapping_run_waits_for_rollback() {
    let one = run(0, &[(0, "x"), (1, "x"), (5, "x")]).patient();
    let other = run(1, &[(1, "x"), (4, "y")]).patient();
    let start = State::new(&six_secrets(), vec![one, other]);
    explore(&start, &[Fault::At(Effect::Rejected)]);
}

/// A move that another transaction was in the way of, until that one rolled back.
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

/// A later run with the coordinator and not all of a dead run's secrets.
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
