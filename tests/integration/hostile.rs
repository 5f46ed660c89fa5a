//! Runs against a server whose responses are false, odd, broken, huge or endless, and quote the run's secrets in many
//! encodings. Whatever the response, no part of a secret is shown, the program does not panic, its reports do not contradict
//! each other, and it ends.
//!
//! A run is determined by its number. `HOSTILE=3000` executes that many runs, and `HOSTILE_SEED=17` only the run with that
//! number.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use crate::common::Outcome;

mod consistency;
mod leaks;
mod scenario;

use scenario::Scenario;

/// Enough for every kind of response. `.ci/steps/hostile` executes more.
const RUNS: u64 = 150;
/// Runs spend most of their time waiting, for retries and for `timeout`.
const THREADS: usize = 48;
/// The `timeout` of a run is a few seconds: only a hanging run takes this long.
const HANGS: Duration = Duration::from_secs(120);

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap())
}

#[test]
fn hostile_server_neither_leaks_nor_hangs() {
    let seeds = match number("HOSTILE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HOSTILE").unwrap_or(RUNS),
    };
    let next = AtomicU64::new(seeds.start);
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    if catch_unwind(AssertUnwindSafe(|| check(seed))).is_err() {
                        failed.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    assert!(
        failed.is_empty(),
        "these runs fail, each also by itself with HOSTILE_SEED: {failed:?}"
    );
}

/// One run.
fn check(seed: u64) {
    let scenario = Scenario::new(seed);
    let outcome = run(&scenario);
    let problem =
        consistency::problem(&scenario, &outcome).or_else(|| leaks::leaked(&scenario, &outcome));
    if let Some(problem) = problem {
        panic!(
            "HOSTILE_SEED={seed}: {problem}\n{}\nexit {:?}\n{}",
            scenario.what,
            outcome.code,
            outcome.all_output()
        );
    }
}

/// Runs the program, and kills it if it hangs.
fn run(scenario: &Scenario) -> Outcome {
    let child = scenario.cli.spawn();
    let id = child.id().to_string();
    let (send, receive) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            // The receiver is gone if the run was killed.
            let _ = send.send(scenario.cli.finish(child));
        });
        receive.recv_timeout(HANGS).unwrap_or_else(|_| {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
            panic!("the run hangs: {}", scenario.what)
        })
    })
}
