//! Defines what is explored: initial secrets, runs, other writers, and their combinations.

use std::time::Duration;

use sandbox_model::World;
use upsert_secret_config::run::Action;

use super::actor::Actor;
use super::explorer::START;
use super::scenario::{Fault, Scenario};
use super::task::{Entry, Goal, Task, Want};

const V1: &str = "11111111-1111-4111-8111-111111111111";
pub(super) const V2: &str = "22222222-2222-4222-8222-222222222222";
const V3: &str = "33333333-3333-4333-8333-333333333333";

const OLD: &str = r#"{"old":"x"}"#;
const CURRENT: &str = r#"{"a":"0"}"#;
const STAGED: &str = r#"{"staged":"x"}"#;

/// The secrets `a`, `b` and `c`, each with a previous, a current and a staged version.
pub(super) fn three_secrets() -> World {
    let mut world = World::default();
    for name in ["a", "b", "c"] {
        world.create_empty(name);
        for (value, id, label) in [
            (OLD, V1, "AWSCURRENT"),
            (CURRENT, V2, "AWSCURRENT"),
            (STAGED, V3, "candidate"),
        ] {
            world.put_staged(name, value, id, &[label]);
            world.advance(Duration::from_secs(1));
        }
    }
    world
}

/// The secret `b` with a value, `a` without one, and no `c`.
pub(super) fn first_values() -> World {
    let mut world = World::default();
    world.create_empty("a");
    world.create_empty("b");
    world.put_staged("b", CURRENT, V2, &["AWSCURRENT"]);
    world
}

/// The secret `a`, scheduled for deletion.
pub(super) fn deleted() -> World {
    let mut world = three_secrets();
    world.schedule_deletion("a");
    world
}

fn single(name: &str, want: Want, action: Action, inputs: &[(&str, &str)]) -> Task {
    Task::single(name, (Goal { secret: "a", want }, action, inputs))
}

fn key(secret: &'static str, key: &'static str) -> Goal {
    Goal {
        secret,
        want: Want::Key(key, "n"),
    }
}

/// Promotes the staged versions of two secrets.
pub(super) fn promotions(name: &str, all_or_nothing: bool) -> Task {
    let entry = |secret| -> Entry<'static> {
        let want = Want::Promoted;
        (Goal { secret, want }, Action::Promote, &[])
    };
    Task::manifest(name, all_or_nothing, &[entry("a"), entry("b")])
}

/// Undoes a release that promoted the versions that are current in two secrets.
pub(super) fn undo(name: &str, all_or_nothing: bool) -> Task {
    let entry = |secret| -> Entry<'static> {
        let want = Want::Undone(V1, V2);
        (Goal { secret, want }, Action::Rollback, &[])
    };
    Task::manifest(name, all_or_nothing, &[entry("a"), entry("b")])
}

/// Every kind of run, as the first or second of two.
pub(super) fn commands(number: usize) -> Vec<Task> {
    let [value, other] = [
        [r#"{"v":"1"}"#, r#"{"w":"1"}"#],
        [r#"{"v":"2"}"#, r#"{"w":"2"}"#],
    ][number];
    let name = ["k1", "k2"][number];
    let upsert = |name, want, inputs: &[(&str, &str)]| single(name, want, Action::Upsert, inputs);
    let keys = [("JSON_KEY", name), ("VALUE", "n")];
    vec![
        upsert("upsert", Want::Value(value), &[("VALUE", value)]),
        upsert("json-key", Want::Key(name, "n"), &keys),
        upsert(
            "stage",
            Want::Staged("next", value),
            &[("VERSION_STAGES", "next"), ("VALUE", value)],
        ),
        single("promote", Want::Promoted, Action::Promote, &[]),
        single("rollback", Want::RolledBack, Action::Rollback, &[]),
        upsert(
            "expected",
            Want::Over(V2, value),
            &[("EXPECTED_VERSION_ID", V2), ("VALUE", value)],
        ),
        promotions("promote many", false),
        promotions("promote all or nothing", true),
        undo("undo", false),
        undo("undo all or nothing", true),
        Task::values("manifest", false, &[("a", value), ("b", other)]),
        Task::values("all-or-nothing", true, &[("a", value), ("b", other)]),
        Task::manifest(
            "all-or-nothing merge",
            true,
            &[
                (key("a", name), Action::Upsert, &keys),
                (key("b", name), Action::Upsert, &keys),
            ],
        ),
    ]
}

/// Another writer, with a description.
pub(super) type Rival = (&'static str, fn(&mut World));

/// Changes of the secret `a` by another writer.
pub(super) const RIVALS: [Rival; 6] = [
    ("puts", |world| put(world, "a")),
    ("puts what is wanted", |world| put_wanted(world, "a")),
    ("rolls back", |world| {
        let current = holder(world, "AWSCURRENT");
        if let (Some(current), Some(_)) = (current, version(world, V1)) {
            world.move_stage("a", "AWSCURRENT", V1, Some(&current));
        }
    }),
    ("moves a label", |world| {
        let (staged, current) = (holder(world, "candidate"), holder(world, "AWSCURRENT"));
        if let (Some(staged), Some(current)) = (staged, current) {
            world.move_stage("a", "candidate", &current, Some(&staged));
        }
    }),
    ("schedules deletion", |world| {
        if world.secret("a").is_some_and(|secret| !secret.deleted) {
            world.schedule_deletion("a");
        }
    }),
    ("restores", |world| {
        if world.secret("a").is_some_and(|secret| secret.deleted) {
            world.restore("a");
        }
    }),
];

/// Puts a value that no run requests; creates the secret if it does not exist.
pub(super) fn put(world: &mut World, name: &str) {
    write(world, name, r#"{"rival":"x"}"#);
}

fn put_wanted(world: &mut World, name: &str) {
    write(world, name, r#"{"v":"1"}"#);
}

fn write(world: &mut World, name: &str, value: &str) {
    match world.secret(name) {
        None => drop(world.create(name, value)),
        Some(secret) if secret.deleted => {}
        Some(_) => drop(world.put(name, value)),
    }
}

fn holder(world: &World, label: &str) -> Option<String> {
    let secret = world.secret("a").filter(|secret| !secret.deleted)?;
    Some(secret.labeled(label)?.id.clone())
}

fn version(world: &World, id: &str) -> Option<String> {
    Some(world.secret("a")?.version(id)?.id.clone())
}

/// A scenario of concurrent runs without faults.
pub(super) fn runs(world: &World, tasks: Vec<Task>) -> Scenario {
    let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    Scenario {
        name: names.join(" and "),
        world: world.clone(),
        actors: tasks
            .into_iter()
            .map(|task| Actor::Run(task, START))
            .collect(),
        faults: Vec::new(),
        failing: 0,
        any_order: false,
        eager: false,
        limit: usize::MAX,
    }
}

impl Scenario {
    /// Adds another writer.
    pub(super) fn with_rival(mut self, (name, change): Rival) -> Self {
        self.name = format!("{} and a rival that {name}", self.name);
        self.actors.push(Actor::Rival(name, change));
        self
    }

    /// Lets each of the first runs meet one of these faults.
    pub(super) fn with_faults(mut self, faults: &[Fault], failing: usize) -> Self {
        self.name = format!("{} with {faults:?}", self.name);
        (self.faults, self.failing) = (faults.to_vec(), failing);
        self
    }

    /// Lets concurrent calls of a process arrive in any order.
    pub(super) fn in_any_order(mut self) -> Self {
        self.any_order = true;
        self
    }

    /// Lets a run appear dead to others.
    pub(super) fn with_slow_runs(mut self) -> Self {
        self.name = format!("{}, slow", self.name);
        self.eager = true;
        self
    }

    /// Limits the number of states.
    pub(super) fn up_to(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}
