//! The calls of a run without a response so far, for the message of a run that ends at its time limit. Must not send requests,
//! or hold any part of a request or response.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A call without a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingCall {
    /// The operation, as IAM spells it.
    pub operation: &'static str,
    /// The number of attempts sent; 0 while the call waits for the rate limit.
    pub attempts: u32,
    /// The result of the last attempt, such as `HTTP 503` or `no answer`; `None` while it is in progress.
    pub last: Option<String>,
}

/// The calls without a response, in start order.
#[derive(Default)]
pub(crate) struct PendingCalls(Mutex<BTreeMap<u64, PendingCall>>);

impl PendingCalls {
    /// Adds a call; it is removed when its ticket is dropped.
    pub(crate) fn begin(self: &Arc<Self>, operation: &'static str) -> Ticket {
        let mut calls = self.calls();
        let number = calls.last_key_value().map_or(0, |(last, _)| last + 1);
        let call = PendingCall {
            operation,
            ..PendingCall::default()
        };
        calls.insert(number, call);
        Ticket {
            number,
            calls: Arc::clone(self),
        }
    }

    pub(crate) fn all(&self) -> Vec<PendingCall> {
        self.calls().values().cloned().collect()
    }

    fn calls(&self) -> MutexGuard<'_, BTreeMap<u64, PendingCall>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entry of a call without a response.
pub(crate) struct Ticket {
    number: u64,
    calls: Arc<PendingCalls>,
}

impl Ticket {
    /// Records that an attempt was sent.
    pub(crate) fn sent(&self) {
        if let Some(call) = self.calls.calls().get_mut(&self.number) {
            call.attempts += 1;
        }
    }

    /// Records the result of the last attempt.
    pub(crate) fn ended(&self, how: String) {
        if let Some(call) = self.calls.calls().get_mut(&self.number) {
            call.last = Some(how);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.calls.calls().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_is_pending_until_its_ticket_drops() {
        let calls = Arc::new(PendingCalls::default());
        let first = calls.begin("CreateSecret");
        let second = calls.begin("DescribeSecret");
        drop(first);
        second.sent();
        second.ended("HTTP 503".to_owned());
        second.sent();
        let wanted = PendingCall {
            operation: "DescribeSecret",
            attempts: 2,
            last: Some("HTTP 503".to_owned()),
        };
        assert_eq!(calls.all(), [wanted]);
        drop(second);
        assert_eq!(calls.all(), []);
    }
}
