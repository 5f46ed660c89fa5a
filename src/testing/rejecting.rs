//! A connection to the model that rejects one write as bad input, and records whether another one was applied.

use std::cell::Cell;
use std::rc::Rc;

use sandbox_model::ServiceError;
use serde_json::Value;
use upsert_secret_core::store::Call;

use super::memory::{Memory, MemoryStore, answered_error};
use super::store::{Connection, ModelStore};

/// Operations that write nothing.
const READS: [&str; 5] = ["Describe", "Get", "List", "BatchGet", "Validate"];

/// A connection that shares its counters with its clones.
#[derive(Clone)]
pub(crate) struct Rejecting {
    store: MemoryStore,
    inner: Memory,
    /// The number of the write to reject, counted from zero.
    at: usize,
    writes: Rc<Cell<usize>>,
    wrote: Rc<Cell<bool>>,
}

pub(crate) type RejectingStore = ModelStore<Rejecting>;

impl RejectingStore {
    /// The same secrets, rejecting write number `at`.
    pub(crate) fn new(store: &MemoryStore, at: usize) -> Self {
        Self::over(Rejecting {
            store: store.clone(),
            inner: store.connection.clone(),
            at,
            writes: Rc::default(),
            wrote: Rc::default(),
        })
    }

    /// Whether a write was rejected.
    pub(crate) fn has_rejected(&self) -> bool {
        self.connection.writes.get() > self.connection.at
    }

    /// Whether a write changed a secret.
    pub(crate) fn has_written(&self) -> bool {
        self.connection.wrote.get()
    }
}

impl Rejecting {
    /// Everything that a write can change.
    fn secrets(&self) -> String {
        let world = self.store.world();
        let all = world.all_secrets().map(|(_, _, secret)| {
            let versions = secret.versions.into_iter();
            let versions: Vec<_> = versions.map(|it| (it.id, it.stages)).collect();
            let replicas = secret.replicas.into_iter();
            let replicas: Vec<_> = replicas.map(|it| it.region).collect();
            let metadata = (secret.description, secret.kms_key_id, secret.tags);
            let state = (secret.arn, secret.deleted, secret.policy);
            format!("{state:?} {metadata:?} {versions:?} {replicas:?}")
        });
        all.collect()
    }
}

impl Connection for Rejecting {
    fn is_cancelled(&self) -> bool {
        false
    }

    fn for_cleanup(&self) -> Self {
        self.clone()
    }

    async fn call(&self, region: &str, operation: &'static str, input: Value) -> Call<Value> {
        if READS.iter().any(|read| operation.starts_with(read)) {
            return self.inner.call(region, operation, input).await;
        }
        let number = self.writes.get();
        self.writes.set(number + 1);
        if number == self.at {
            let error = ServiceError::new(400, "InvalidParameterException", "made up");
            return Err(answered_error(operation, error));
        }
        let before = self.secrets();
        let answer = self.inner.call(region, operation, input).await;
        self.wrote.set(self.wrote.get() || self.secrets() != before);
        answer
    }
}
