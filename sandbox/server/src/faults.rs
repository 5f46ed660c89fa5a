//! Owns what a test plans for the n-th call of an operation: faults, holds and hooks.
//! It must not carry any of it out; `http.rs` does, in the order a real request would meet it.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use sandbox_model::World;
use tokio::sync::watch;

use crate::operations;

/// Something that goes wrong with one call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Any error, in the wire shape of the service; not applied.
    Error {
        /// HTTP status.
        status: u16,
        /// The error code.
        code: String,
        /// The message.
        message: String,
    },
    /// ThrottlingException "Rate exceeded" (429 from an issuer); not applied.
    Throttle,
    /// InternalServiceError, status 500; not applied.
    InternalError,
    /// A proxy's 502 with an HTML page; not applied.
    BadGateway,
    /// A bare 503; not applied.
    Unavailable,
    /// The connection is reset; not applied.
    ResetBefore,
    /// Applied, then the connection is closed without an answer.
    LostAfter,
    /// Applied, then the connection breaks in the middle of the body of the answer.
    CutBody,
    /// Applied, then a 200 whose body is not JSON.
    MalformedBody,
    /// Applied, then a 200 with `{}`.
    EmptyObject,
    /// Waits before it applies the request and answers it.
    DelayBefore(Duration),
    /// Applies the request, then waits before it answers.
    DelayAfter(Duration),
    /// ExpiredTokenException; not applied.
    ExpiredToken,
    /// InvalidSignatureException, as for a clock that is off; not applied.
    BadSignature,
    /// AccessDeniedException; not applied.
    AccessDenied,
    /// InvalidRequestException whose message quotes the SecretString of the request; not applied.
    QuoteValue,
    /// Applied, then a 200 with the real answer (the value included) in broken JSON.
    MalformedGet,
    /// Any status with an HTML page, as from a proxy or a captive portal; not applied.
    Page(u16),
    /// No answer, ever; not applied.
    Never,
    /// Applied, then a body that is not even text.
    GarbledBody,
    /// Applied, then the real answer with blanks behind it up to this many bytes: whoever reads all of it
    /// gets what is needed.
    Oversized(usize),
    /// GitHub's 403 for a job it does not take for a running one; not applied.
    Pending,
    /// IDPCommunicationError of STS: it could not reach the issuer; not applied.
    IdpUnreachable,
    /// InvalidIdentityToken of STS for the passing reason: it could not get the issuer's keys; not applied.
    NoVerificationKey,
}

/// Where a held request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The request has been read, nothing has been done.
    BeforeApply,
    /// The request was applied, its answer has not been sent.
    AfterApply,
}

/// A request that waits for the test. Dropping it lets the request go on.
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
    /// Blocks until a request waits here; `false` if none came in time.
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

    /// Lets the request go on.
    pub fn release(&self) {
        self.decide.send_replace(Decision::Release);
    }

    /// Drops the request: the connection is closed, and what was not applied never will be.
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
    /// Waits for the test; `false` if the request is to be dropped.
    pub(crate) async fn pass(mut self) -> bool {
        *self
            .reached
            .flag
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.reached.change.notify_all();
        // A dropped `Held` is an error here, and counts as a release.
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
    /// Calls until it happens.
    left: usize,
    event: Event,
}

/// What is still to come.
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

    /// Counts a call; answers what happens to it.
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
