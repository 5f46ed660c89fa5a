//! Runs the engine on an in-memory store and checks what one run changes, and with which calls.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sandbox_model::World;
use upsert_secret_config::run::Action;
use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::outcome::ChangeKind;

use super::context::Context;
use super::job::run_job;
use super::system::System;
use crate::progress::Progress;
use crate::testing::{FakeSystem, MemoryStore, block_on, job};

mod faulty;
mod lost_answers;
mod restore;

fn run(
    store: &MemoryStore,
    action: Action,
    inputs: &[(&str, &str)],
) -> Result<ChangeKind, Failure> {
    run_with(&FakeSystem::new(store), store, action, inputs)
}

fn run_with(
    system: &dyn System,
    store: &MemoryStore,
    action: Action,
    inputs: &[(&str, &str)],
) -> Result<ChangeKind, Failure> {
    let context = Context {
        store,
        system,
        run: None,
        timeout: Duration::from_secs(300),
        progress: &Progress::silent(),
    };
    let mut attempt = Attempt::default();
    let job = job(action, inputs);
    block_on(run_job(&job, context, false, None, &mut attempt))?;
    Ok(attempt.outcome.kind())
}

/// A [`FakeSystem`] with another writer that acts during every wait.
struct Rival<'a> {
    system: FakeSystem,
    store: &'a MemoryStore,
    act: fn(&mut World),
}

impl<'a> Rival<'a> {
    fn new(store: &'a MemoryStore, act: fn(&mut World)) -> Self {
        Self {
            system: FakeSystem::new(store),
            store,
            act,
        }
    }
}

impl System for Rival<'_> {
    fn now(&self) -> u64 {
        self.system.now()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.system.fill_random(bytes);
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()>>> {
        (self.act)(&mut self.store.world());
        self.system.sleep(duration)
    }
}

fn current(store: &MemoryStore) -> Option<String> {
    let secret = store.world().secret("app")?;
    secret.current()?.string.clone()
}

#[test]
fn upsert_creates_then_updates_then_leaves_alone() {
    let store = MemoryStore::new(World::default());
    let upsert = |value| run(&store, Action::Upsert, &[("VALUE", value)]);
    assert_eq!(upsert("first"), Ok(ChangeKind::Created));
    assert_eq!(upsert("second"), Ok(ChangeKind::Updated));
    assert_eq!(current(&store).as_deref(), Some("second"));
    let writes = store.calls().len();
    assert_eq!(upsert("second"), Ok(ChangeKind::Unchanged));
    assert_eq!(
        store.calls()[writes..],
        ["DescribeSecret", "GetSecretValue"]
    );
}

#[test]
fn json_key_keeps_the_other_keys() {
    let mut world = World::default();
    world.create("app", r#"{"user":"made-up-user","password":"old"}"#);
    let store = MemoryStore::new(world);
    let set = || {
        run(
            &store,
            Action::Upsert,
            &[("JSON_KEY", "password"), ("VALUE", "new")],
        )
    };
    assert_eq!(set(), Ok(ChangeKind::Updated));
    assert_eq!(
        current(&store).as_deref(),
        Some(r#"{"user":"made-up-user","password":"new"}"#)
    );
    assert_eq!(set(), Ok(ChangeKind::Unchanged));
}

#[test]
fn rollback_moves_the_label_back_once() {
    let mut world = World::default();
    world.create("app", "first");
    world.advance(Duration::from_secs(60));
    world.put("app", "second");
    let store = MemoryStore::new(world);
    let rollback = || run(&store, Action::Rollback, &[]);
    assert_eq!(rollback(), Ok(ChangeKind::Updated));
    assert_eq!(current(&store).as_deref(), Some("first"));
    assert_eq!(rollback(), Ok(ChangeKind::Unchanged));
    assert_eq!(current(&store).as_deref(), Some("first"));
}
