//! Runs every job with a lost response, a concurrent writer, or both, at every call, and checks that the report matches what
//! the run wrote.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use upsert_secret_core::failure::Class;
use upsert_secret_core::version_id::RunIdentity;

use super::faulty::{Effects, FAULTS, Fault, FaultyStore};
use super::*;

const OLD: &str = "11111111-1111-4111-8111-111111111111";
const CURRENT_ID: &str = "22222222-2222-4222-8222-222222222222";

/// A named function that prepares the secret `app`.
type State = (&'static str, fn(&mut World));

fn put(world: &mut World, id: &str, value: &str, stages: &[&str]) {
    world.put_staged("app", value, id, stages);
    world.advance(Duration::from_secs(60));
}

const STATES: &[State] = &[
    ("absent", |_| {}),
    ("empty", |world| world.create_empty("app")),
    ("two versions", |world| {
        world.create_empty("app");
        put(world, OLD, r#"{"a":1}"#, &["AWSCURRENT"]);
        put(world, CURRENT_ID, r#"{"a":2}"#, &["AWSCURRENT"]);
    }),
    ("equal value", |world| {
        world.create_empty("app");
        put(world, CURRENT_ID, "made-up", &["AWSCURRENT"]);
    }),
    ("candidate", |world| {
        world.create_empty("app");
        put(world, CURRENT_ID, r#"{"a":2}"#, &["AWSCURRENT"]);
        put(world, OLD, "made-up", &["candidate"]);
    }),
    ("deleted", |world| {
        world.create("app", r#"{"a":1}"#);
        world.schedule_deletion("app");
    }),
];

const RUNS: &[(Action, &[(&str, &str)])] = &[
    (Action::Upsert, &[]),
    (Action::Upsert, &[("COMPARE", "never")]),
    (Action::Upsert, &[("IF_EXISTS", "skip")]),
    (Action::Upsert, &[("JSON_KEY", "k")]),
    (Action::Upsert, &[("JSON_KEY", "k"), ("IF_EXISTS", "skip")]),
    (Action::Upsert, &[("EXPECTED_VERSION_ID", CURRENT_ID)]),
    (
        Action::Upsert,
        &[("EXPECTED_VERSION_ID", CURRENT_ID), ("COMPARE", "never")],
    ),
    (Action::Upsert, &[("VERSION_STAGES", "candidate")]),
    (
        Action::Upsert,
        &[("VERSION_STAGES", "AWSCURRENT,candidate")],
    ),
    (Action::Upsert, &[("DESCRIPTION", "d"), ("TAGS", "k=v")]),
    (Action::Upsert, &[("ON_SCHEDULED_DELETION", "restore")]),
    (
        Action::Upsert,
        &[("ON_SCHEDULED_DELETION", "restore"), ("JSON_KEY", "k")],
    ),
    (
        Action::Upsert,
        &[("VERSION_ID_KEY", "an invented key, long enough to be one")],
    ),
    (Action::Promote, &[]),
    (Action::Promote, &[("VERSION_ID", OLD)]),
    (Action::Rollback, &[]),
];

struct Ended {
    calls: usize,
    problem: Option<String>,
}

/// Whether the run must never replace a version that it has not seen.
fn is_guarded(action: Action, inputs: &[(&str, &str)]) -> bool {
    let guards = ["JSON_KEY", "EXPECTED_VERSION_ID", "IF_EXISTS"];
    action != Action::Upsert || inputs.iter().any(|(input, _)| guards.contains(input))
}

fn run_with_faults(
    world: &World,
    (action, inputs): (Action, &[(&str, &str)]),
    faults: &[(usize, Fault)],
    rival: &'static str,
    in_ci: bool,
) -> Ended {
    // A version that another writer puts after the last observation is replaced without being seen.
    let secret = world.secret("app");
    let holder = secret.and_then(|secret| secret.current().map(|it| it.id.clone()));
    let store = FaultyStore {
        store: MemoryStore::new(world.clone()),
        faults: Rc::new(faults.iter().copied().collect::<BTreeMap<_, _>>()),
        count: Rc::new(Cell::new(0)),
        effects: Rc::new(Effects::default()),
        rival,
    };
    let identity = RunIdentity {
        parts: vec!["a job".to_owned()],
    };
    let context = Context {
        store: &store,
        system: &FakeSystem::new(&store.store),
        run: in_ci.then_some(&identity),
        timeout: Duration::from_secs(300),
        progress: &Progress::silent(),
    };
    let mut attempt = Attempt::default();
    let job = job(action, inputs);
    let ended = block_on(run_job(&job, context, false, None, &mut attempt));
    let outcome = &attempt.outcome;
    let replaced = store.effects.replaced.borrow();
    let changed = store.effects.changed.get();
    let moved_from = outcome.moved_from.as_ref();
    let is_deleted = store
        .store
        .world()
        .secret("app")
        .is_some_and(|secret| secret.deleted);
    let class = ended.as_ref().err().map(|failure| failure.class);
    let problem = if is_deleted && !matches!(class, None | Some(Class::Refused)) {
        Some(format!("class {class:?}"))
    } else if outcome.changed() != changed {
        Some(format!("changed: {changed}"))
    } else if is_guarded(action, inputs) && store.effects.replaced_unseen.get() {
        Some("a later write was replaced".to_owned())
    } else if moved_from.is_some() && replaced.is_empty() {
        Some("AWSCURRENT was not moved".to_owned())
    } else if let (None, Some(holder)) = (moved_from, &holder)
        && replaced.contains(holder)
    {
        Some(format!("AWSCURRENT was moved from {holder}"))
    } else {
        None
    };
    let problem = problem.map(|problem| {
        format!(
            "{problem}\n    {:?}\n    moved from {moved_from:?}, {:?}\n    {:?}",
            outcome.changes,
            ended.map_err(|failure| failure.what),
            store.store.calls()
        )
    });
    Ended {
        calls: store.count.get(),
        problem,
    }
}

/// Runs every job on every state, with every fault at every call. `second` lists the faults at a later call.
fn problems(rivals: &[&'static str], in_ci: bool, second: &[Fault]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut runs = 0;
    for (state, arrange) in STATES {
        let mut world = World::default();
        arrange(&mut world);
        for job in RUNS {
            for rival in rivals {
                let mut run = |faults: &[(usize, Fault)]| {
                    let ended = run_with_faults(&world, *job, faults, rival, in_ci);
                    runs += 1;
                    problems.extend(ended.problem.map(|problem| {
                        format!("{state}, {job:?}, CI {in_ci}, {rival}, {faults:?}\n  {problem}")
                    }));
                    ended.calls
                };
                for number in 0..run(&[]) {
                    for fault in FAULTS {
                        let calls = run(&[(number, fault)]);
                        for later in number + 1..calls {
                            for other in second {
                                run(&[(number, fault), (later, *other)]);
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(runs > 1000, "only {runs} runs");
    problems
}

#[test]
fn report_agrees_with_writes() {
    let rivals = ["rival", "made-up", r#"{"k":"rival"}"#];
    let mut all = Vec::new();
    for in_ci in [false, true] {
        all.extend(problems(&rivals, in_ci, &[]));
    }
    // After two later writes, only the last one shows which version it replaced.
    let second = [Fault::NeverArrives, Fault::LostAnswer];
    all.extend(problems(&["rival"], false, &second));
    let shown = all[..all.len().min(60)].join("\n");
    assert!(all.is_empty(), "{}:\n{shown}", all.len());
}
