//! Owns the log of requests that tests read. It must never hold a secret value.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// One request, as it was seen and answered.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `PutSecretValue`; empty if the request named none.
    pub operation: String,
    /// The access key id the request was signed with; empty if unsigned.
    pub principal: String,
    /// The region of the signature.
    pub region: String,
    /// When the request had been read.
    pub started: Instant,
    /// When the answer was handed to the connection; `None` while under way.
    pub ended: Option<Instant>,
    /// HTTP status; 0 if there was no answer.
    pub status: u16,
    /// The error code answered, if any.
    pub error: Option<String>,
    /// Whether the operation ran and succeeded, even if the answer did not say so.
    pub applied: bool,
}

#[derive(Default)]
pub(crate) struct Log(Mutex<(u64, Vec<(u64, Entry)>)>);

impl Log {
    /// Starts an entry and returns the number to end it with.
    pub(crate) fn start(&self, operation: &str, principal: &str, region: &str) -> u64 {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.0 += 1;
        let number = log.0;
        let entry = Entry {
            operation: operation.to_owned(),
            principal: principal.to_owned(),
            region: region.to_owned(),
            started: Instant::now(),
            ended: None,
            status: 0,
            error: None,
            applied: false,
        };
        log.1.push((number, entry));
        number
    }

    /// Changes an entry, unless the log was cleared meanwhile.
    pub(crate) fn amend(&self, number: u64, change: impl FnOnce(&mut Entry)) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, entry)) = log.1.iter_mut().find(|(n, _)| *n == number) {
            change(entry);
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.1.iter().map(|(_, entry)| entry.clone()).collect()
    }

    pub(crate) fn clear(&self) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.1.clear();
    }
}
