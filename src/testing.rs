//! What unit tests of the engine share: an in-memory store, a system without real time or randomness, and jobs from inputs.

use std::cell::Cell;
use std::ffi::OsString;
use std::future::{Future, ready};
use std::pin::Pin;
use std::time::{Duration, UNIX_EPOCH};

use upsert_secret_config::environment::Environment;
use upsert_secret_config::inputs;
use upsert_secret_config::resolve::SecretSink;
use upsert_secret_config::run::{Action, Draft, Run};
use upsert_secret_core::request::Job;

use crate::engine::system::System;

mod store;

pub(crate) use store::MemoryStore;

/// The clock of the store, waits that advance it, and bytes that count up.
pub(crate) struct FakeSystem {
    store: MemoryStore,
    counter: Cell<u8>,
}

impl FakeSystem {
    pub(crate) fn new(store: &MemoryStore) -> Self {
        Self {
            store: store.clone(),
            counter: Cell::new(0),
        }
    }
}

impl System for FakeSystem {
    fn now(&self) -> u64 {
        let now = self.store.world().now();
        now.duration_since(UNIX_EPOCH).unwrap().as_secs()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            self.counter.set(self.counter.get().wrapping_add(1));
            *byte = self.counter.get();
        }
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()>>> {
        self.store.world().advance(duration);
        Box::pin(ready(()))
    }
}

/// The job of a run with these inputs, spelled as in `UPSERT_SECRET_NAME` without the prefix. The secret is `app` and the
/// value `made-up` unless the inputs say otherwise.
pub(crate) fn job(action: Action, given: &[(&str, &str)]) -> Job {
    let mut pairs = vec![("NAME", "app"), ("AWS_REGION", sandbox_model::REGION)];
    if action == Action::Upsert {
        pairs.push(("VALUE", "made-up"));
    }
    pairs.retain(|(input, _)| !given.iter().any(|(other, _)| input == other));
    pairs.extend(given);
    let environment = Environment::from_pairs(pairs.into_iter().map(|(input, text)| {
        let variable = format!("UPSERT_SECRET_{input}");
        (OsString::from(variable), OsString::from(text))
    }));
    let (raw, known) = inputs::read(&environment);
    known.unwrap();
    let sink = SecretSink {
        hide: &|_| {},
        mask: &|_| {},
    };
    let mut run = Run::check(action, raw, &environment, Some(&sink)).unwrap();
    match run.drafts.pop() {
        Some(Draft::Ready(job)) => job,
        _ => panic!("the inputs describe one complete job"),
    }
}

/// Runs a future to its end. Nothing in these tests waits for anything outside the thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(future)
}
