//! The events that a test schedules for the nth call of an operation: faults, holds and hooks. `lifecycle.rs` executes them in
//! the order in which a real request would meet them.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use sandbox_model::World;
use tokio::sync::watch;

use crate::operations;

/// A failure of one call. "Not applied" means that the operation does not run.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Any error, in the format of the service; not applied.
    Error {
        /// HTTP status.
        status: u16,
        /// The error code.
        code: String,
        /// The message.
        message: String,
    },
    /// ThrottlingException "Rate exceeded", or status 429 from an OIDC issuer; not applied.
    Throttle,
    /// InternalServiceError, status 500; not applied.
    InternalError,
    /// A proxy's 502 with an HTML page; not applied.
    BadGateway,
    /// A 503 of AWS without a body; not applied.
    Unavailable,
    /// The connection is reset; not applied.
    ResetBefore,
    /// Applied, then the connection is closed without a response.
    LostAfter,
    /// Applied, then the connection breaks in the middle of the response body.
    CutBody,
    /// Applied, then a 200 with invalid JSON.
    MalformedBody,
    /// Applied, then a 200 with `{}`.
    EmptyObject,
    /// Waits before the request is applied.
    DelayBefore(Duration),
    /// Applied, then waits before the response.
    DelayAfter(Duration),
    /// ExpiredTokenException; not applied.
    ExpiredToken,
    /// InvalidSignatureException, as for a wrong clock; not applied.
    BadSignature,
    /// AccessDeniedException; not applied.
    AccessDenied,
    /// InvalidRequestException whose message quotes the SecretString of the request; not applied.
    QuoteValue,
    /// Applied, then a 200 with the real response, the value included, in invalid JSON.
    MalformedGet,
    /// Any status with an HTML page, as from a proxy or a captive portal; not applied.
    Page(u16),
    /// Any status with this body of JSON, as from another server; not applied.
    Foreign(u16, &'static str),
    /// No response, ever; not applied.
    Never,
    /// Applied, then a body that is not valid UTF-8.
    GarbledBody,
    /// Applied, then the real response, padded with spaces to this many bytes. A client that reads all of it gets a
    /// valid response.
    Oversized(usize),
    /// GitHub's 403 for a job that is not running yet; not applied.
    Pending,
    /// IDPCommunicationError: STS could not reach the issuer; not applied.
    IdpUnreachable,
    /// InvalidIdentityToken for a temporary reason: STS could not get the issuer's keys; not applied.
    NoVerificationKey,
}

/// The point at which a held request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// After the request was read, before the operation runs.
    BeforeApply,
    /// After the operation ran, before the response is sent.
    AfterApply,
}

/// A request that waits for the test. It continues when this is dropped.
pub struct Held {
    reached: Arc<Reached>,
    decide: watch::Sender<Decision>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Wait,
    Release,
    Discard,
}

#[derive(Default)]
struct Reached {
    flag: Mutex<bool>,
    change: Condvar,
}

impl Held {
    /// Blocks until a request waits here. Returns `false` if none did within the timeout.
    #[must_use]
    pub fn wait_reached(&self, timeout: Duration) -> bool {
        let flag = self
            .reached
            .flag
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .reached
            .change
            .wait_timeout_while(flag, timeout, |reached| !*reached);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Lets the request continue.
    pub fn release(&self) {
        self.decide.send_replace(Decision::Release);
    }

    /// Drops the request: the connection is closed, and an operation that has not run never will.
    pub fn discard(&self) {
        self.decide.send_replace(Decision::Discard);
    }
}

/// The request's side of a [`Held`].
pub(crate) struct Gate {
    reached: Arc<Reached>,
    decision: watch::Receiver<Decision>,
}

impl Gate {
    /// Waits for the test. Returns `false` if the request is to be dropped.
    pub(crate) async fn pass(mut self) -> bool {
        *self
            .reached
            .flag
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.reached.change.notify_all();
        // If `Held` was dropped this is an error, which counts as a release.
        let decision = self
            .decision
            .wait_for(|decision| *decision != Decision::Wait)
            .await;
        !decision.is_ok_and(|decision| *decision == Decision::Discard)
    }
}

pub(crate) fn hold() -> (Held, Gate) {
    let reached = Arc::new(Reached::default());
    let (decide, decision) = watch::channel(Decision::Wait);
    let gate = Gate {
        reached: Arc::clone(&reached),
        decision,
    };
    (Held { reached, decide }, gate)
}

pub(crate) type Hook = Box<dyn FnOnce(&mut World) + Send>;

pub(crate) enum Event {
    Fault(Fault),
    Hold(When, Gate),
    Before(Hook),
    After(Hook),
}

struct Planned {
    operation: String,
    /// The number of calls until the event happens.
    left: usize,
    event: Event,
}

/// The events that have not happened yet.
#[derive(Default)]
pub(crate) struct Schedule(Mutex<Vec<Planned>>);

impl Schedule {
    pub(crate) fn plan(&self, operation: &str, nth: usize, event: Event) {
        assert!(nth > 0, "calls are counted from 1");
        let known = operations::exists(operation);
        assert!(known, "{operation} is an operation of the sandbox");
        let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        planned.push(Planned {
            operation: operation.to_owned(),
            left: nth,
            event,
        });
    }

    /// Counts a call and returns the events that are due for it.
    pub(crate) fn take_due(&self, operation: &str) -> Vec<Event> {
        let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        for mut item in std::mem::take(&mut *planned) {
            item.left -= usize::from(item.operation == operation);
            if item.left == 0 {
                due.push(item.event);
            } else {
                planned.push(item);
            }
        }
        due
    }
}
