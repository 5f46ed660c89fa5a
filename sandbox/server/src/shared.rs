//! The state shared by the server's thread and the test: the service state behind its lock, the planned events and the log.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{faults::Schedule, log::Log, state::State};

#[derive(Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) schedule: Schedule,
    pub(crate) log: Log,
}

impl Shared {
    /// The state, with the clock of the service brought up to date.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.update_clock();
        state
    }
}
