//! A connection to the model in the same process, which responds to calls immediately.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;
use upsert_secret_core::quote::ForeignText;

use sandbox_model::{Caller, Policy, ServiceError, World};
use serde_json::Value;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::store::Call;

use super::store::{Connection, ModelStore};

/// A connection that shares a world with its clones.
#[derive(Clone)]
pub(crate) struct Memory {
    world: Rc<RefCell<World>>,
    caller: Caller,
    /// The operations of all calls, in order.
    calls: Rc<RefCell<Vec<&'static str>>>,
    /// The operation after which the run is canceled.
    last: Option<&'static str>,
}

pub(crate) type MemoryStore = ModelStore<Memory>;

impl MemoryStore {
    /// A store of these secrets, in the model's region.
    pub(crate) fn new(world: World) -> Self {
        Self::over(Memory {
            world: Rc::new(RefCell::new(world)),
            caller: Caller::default(),
            calls: Rc::default(),
            last: None,
        })
    }

    /// The same store, accessed from another region.
    pub(crate) fn in_region(mut self, region: &'static str) -> Self {
        self.region = region;
        self
    }

    /// The same store for a caller that is denied these operations.
    pub(crate) fn denying(mut self, operations: &[&str]) -> Self {
        let actions: Vec<String> = operations
            .iter()
            .map(|operation| format!("secretsmanager:{operation}"))
            .collect();
        let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
        self.connection.caller = self.connection.caller.with_policy(Policy::deny(&actions));
        self
    }

    /// The same store in a run that is canceled after the first call of this operation.
    pub(crate) fn cancelled_after(mut self, operation: &'static str) -> Self {
        self.connection.last = Some(operation);
        self
    }

    /// The secrets, to arrange or to look at.
    pub(crate) fn world(&self) -> RefMut<'_, World> {
        self.connection.world.borrow_mut()
    }

    /// The operations of all calls so far, in order.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.connection.calls.borrow().clone()
    }
}

impl Connection for Memory {
    fn is_cancelled(&self) -> bool {
        self.last
            .is_some_and(|last| self.calls.borrow().contains(&last))
    }

    fn for_cleanup(&self) -> Self {
        Self {
            last: None,
            ..self.clone()
        }
    }

    async fn call(&self, region: &str, operation: &'static str, input: Value) -> Call<Value> {
        self.calls.borrow_mut().push(operation);
        let mut world = self.world.borrow_mut();
        let answer = world.call(&self.caller, region, operation, input);
        answer.map_err(|error| answered_error(operation, error))
    }
}

/// The model's error in the types of the store.
pub(crate) fn answered_error(operation: &'static str, error: ServiceError) -> StoreError {
    StoreError {
        attempts: 1,
        ..StoreError::new(
            operation,
            ErrorKind::Service {
                code: error.code,
                message: ForeignText::new(&error.message),
                status: error.status,
            },
        )
    }
}
