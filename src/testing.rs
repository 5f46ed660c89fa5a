//! Shared by unit tests of the engine: an in-memory store, a system without real time or randomness, and jobs built from
//! inputs.

use std::cell::Cell;
use std::ffi::OsString;
use std::future::{Future, ready};
use std::io::Write as _;
use std::pin::Pin;
use std::time::{Duration, UNIX_EPOCH};

use upsert_secret_config::environment::Environment;
use upsert_secret_config::resolve::SecretSink;
use upsert_secret_config::run::{Action, Draft, Run};
use upsert_secret_config::variables;
use upsert_secret_core::request::Job;

use crate::engine::system::System;

mod json;
mod memory;
mod rejecting;
mod store;

pub(crate) use memory::{MemoryStore, answered_error};
pub(crate) use rejecting::RejectingStore;
pub(crate) use store::{Connection, ModelStore};

/// A system that uses the store's clock, advances it by waiting, and generates sequential bytes.
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

/// The job of a run with these inputs, named as in `UPSERT_SECRET_NAME` without the prefix. The defaults are the secret `app`
/// and the value `made-up`.
pub(crate) fn job(action: Action, given: &[(&str, &str)]) -> Job {
    let mut inputs = vec![("NAME", "app")];
    if action == Action::Upsert {
        inputs.push(("VALUE", "made-up"));
    }
    let is_given = |input: &str| given.iter().any(|(other, _)| *other == input);
    let names_secrets = is_given("RELEASE");
    inputs.retain(|(input, _)| !is_given(input) && !names_secrets);
    inputs.extend(given);
    only_job(action, &inputs)
}

/// The job of a manifest entry for the secret `app` with the value `made-up` and these inputs as keys.
pub(crate) fn entry_job(given: &[(&str, &str)]) -> Job {
    let mut keys = String::from("value: { env: A_VARIABLE }");
    let mut inputs = Vec::new();
    for (input, text) in given {
        match *input {
            "VERSION_ID_KEY" => inputs.push((*input, *text)),
            "TAGS" => keys += &format!(", tags: {{ {} }}", text.replace('=', ": ")),
            _ => keys += &format!(", {}: '{text}'", input.to_lowercase().replace('_', "-")),
        }
    }
    let mut manifest = tempfile::NamedTempFile::new().unwrap();
    writeln!(manifest, "secrets: {{ app: {{ {keys} }} }}").unwrap();
    inputs.push(("MANIFEST", manifest.path().to_str().unwrap()));
    only_job(Action::Upsert, &inputs)
}

fn only_job(action: Action, inputs: &[(&str, &str)]) -> Job {
    let region = ("AWS_REGION", sandbox_model::REGION);
    let variables = inputs.iter().chain([&region]);
    let variables = variables.map(|(input, text)| (format!("UPSERT_SECRET_{input}"), *text));
    let environment = Environment::from_pairs(
        variables
            .chain([("A_VARIABLE".to_owned(), "made-up")])
            .map(|(name, text)| (OsString::from(name), OsString::from(text))),
    );
    let (raw, known) = variables::read(&environment);
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

/// Runs a future to completion. These tests do not wait for anything outside the thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(future)
}
