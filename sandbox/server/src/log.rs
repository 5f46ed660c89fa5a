//! The log of requests that tests read. Never holds a secret value or a token.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// The parameters of a request to an identity service, as sent. Never holds a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityParameters {
    /// The ARN of the role.
    pub role: Option<String>,
    /// The session name.
    pub session: Option<String>,
    /// `DurationSeconds`.
    pub duration: Option<String>,
    /// The audience requested from an issuer, or claimed by the token sent to STS. Several are separated by
    /// spaces.
    pub audience: Option<String>,
    /// The external ID.
    pub external_id: Option<String>,
}

/// One request and its outcome.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// The operation, such as `PutSecretValue` or `GetIdToken`; empty if the request names none.
    pub operation: String,
    /// The access key ID that signed the request; empty if unsigned.
    pub principal: String,
    /// The ARN of the authenticated caller, of the session for an assumed role; empty if not authenticated.
    pub caller: String,
    /// The parameters of a request to an identity service; empty for other requests.
    pub identity: IdentityParameters,
    /// The region of the signature.
    pub region: String,
    /// When the request was read.
    pub started: Instant,
    /// When the response was handed to the connection; `None` while the request is in progress.
    pub ended: Option<Instant>,
    /// HTTP status; 0 if there was no response.
    pub status: u16,
    /// The error code of the response, if any.
    pub error: Option<String>,
    /// Whether the operation ran and succeeded, even if the response did not say so.
    pub applied: bool,
}

impl LogEntry {
    /// An entry for a request that was just read.
    pub(crate) fn new(operation: &str, identity: IdentityParameters) -> Self {
        Self {
            operation: operation.to_owned(),
            principal: String::new(),
            caller: String::new(),
            identity,
            region: String::new(),
            started: Instant::now(),
            ended: None,
            status: 0,
            error: None,
            applied: false,
        }
    }
}

#[derive(Default)]
pub(crate) struct Log(Mutex<(u64, Vec<(u64, LogEntry)>)>);

impl Log {
    /// Adds an entry and returns its ID.
    pub(crate) fn start(&self, entry: LogEntry) -> u64 {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.0 += 1;
        let entry_id = log.0;
        log.1.push((entry_id, entry));
        entry_id
    }

    /// Changes an entry, unless the log was cleared in the meantime.
    pub(crate) fn amend(&self, entry_id: u64, change: impl FnOnce(&mut LogEntry)) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Entries are sorted by ID, and a load test creates tens of thousands.
        if let Ok(at) = log.1.binary_search_by_key(&entry_id, |(n, _)| *n) {
            change(&mut log.1[at].1);
        }
    }

    pub(crate) fn entries(&self) -> Vec<LogEntry> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.1.iter().map(|(_, entry)| entry.clone()).collect()
    }

    pub(crate) fn clear(&self) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.1.clear();
    }
}
