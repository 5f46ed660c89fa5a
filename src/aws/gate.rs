//! Every attempt of every call passes here: counted, timed, traced, and refused once the run is
//! cancelled, so that no write starts after a signal. It sees requests, and must not print any.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use tokio::sync::Notify;

use super::pace::Pace;
use crate::redact::Door;

/// The longest answer that is looked at for a complaint about the rate.
const MAX_COMPLAINT: usize = 4_096;

/// Open until the run is cancelled.
pub struct Gate {
    closed: AtomicBool,
    closing: Notify,
    pace: Option<Pace>,
    door: Arc<Door>,
    trace: bool,
    started: Instant,
}

impl Gate {
    /// A gate that traces calls to `door` when `trace` is on.
    #[must_use]
    pub fn new(door: Arc<Door>, trace: bool) -> Self {
        Self {
            closed: AtomicBool::new(false),
            closing: Notify::new(),
            pace: None,
            door,
            trace,
            started: Instant::now(),
        }
    }

    /// The same gate, through which at most `rate` calls a second go of each family of operations that share a
    /// quota of AWS.
    #[must_use]
    pub fn paced(mut self, rate: u32) -> Self {
        self.pace = Some(Pace::new(rate));
        self
    }

    /// Whether many calls pass at the same time.
    pub(super) fn is_paced(&self) -> bool {
        self.pace.is_some()
    }

    /// From now on nothing more is sent.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.closing.notify_waiters();
    }

    /// Waits for this operation's turn, or for the end of the run.
    pub(super) async fn turn(&self, operation: &str) {
        let wait = self
            .pace
            .as_ref()
            .map_or(Duration::ZERO, |pace| pace.place(operation, Instant::now()));
        if wait.is_zero() {
            return;
        }
        let closing = self.closing.notified();
        if self.is_closed() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = closing => {}
        }
    }

    /// An open gate to the same door.
    pub(super) fn reopened(&self) -> Self {
        Self::new(Arc::clone(&self.door), self.trace)
    }

    /// Traces one attempt of a call.
    pub(super) fn tell(&self, operation: &str, attempt: u32, status: &str, took: u32, id: &str) {
        if self.trace {
            self.door.say(&format!(
                "debug: {operation} attempt {attempt}: {status} after {took} ms, request id {id}"
            ));
        }
    }

    /// Never prints this from now on.
    pub(super) fn hide(&self, secret: &[u8]) {
        self.door.hide_other(secret);
    }

    /// Milliseconds since it was made.
    pub(super) fn now(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_millis()).unwrap_or(u32::MAX)
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

/// One call of one operation: its attempts.
pub(super) struct Call {
    operation: &'static str,
    gate: Arc<Gate>,
    attempts: Arc<AtomicU32>,
    /// Milliseconds since the gate's start, of the attempt under way.
    sent: AtomicU32,
}

impl Call {
    pub(super) fn new(operation: &'static str, gate: Arc<Gate>) -> (Self, Arc<AtomicU32>) {
        let attempts = Arc::new(AtomicU32::new(0));
        let call = Self {
            operation,
            gate,
            attempts: Arc::clone(&attempts),
            sent: AtomicU32::new(0),
        };
        (call, attempts)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({})", self.operation)
    }
}

impl Intercept for Call {
    fn name(&self) -> &'static str {
        "upsert-secret gate"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.gate.is_closed() {
            return Err("cancelled".into());
        }
        self.attempts.fetch_add(1, Ordering::SeqCst);
        self.sent.store(self.gate.now(), Ordering::SeqCst);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let status = response.map_or_else(
            || "no answer".to_owned(),
            |response| response.status().as_u16().to_string(),
        );
        if let Some(pace) = &self.gate.pace
            && response.is_some_and(is_complaint)
        {
            pace.complained(self.operation, Instant::now());
        }
        let id = response
            .and_then(|response| response.headers().get("x-amzn-requestid"))
            .unwrap_or("none");
        let took = self
            .gate
            .now()
            .saturating_sub(self.sent.load(Ordering::SeqCst));
        let attempt = self.attempts.load(Ordering::SeqCst);
        self.gate.tell(self.operation, attempt, &status, took, id);
        Ok(())
    }
}

/// Whether AWS says that it is too much. The SDK tries again by itself; its error, at the end, is too late a sign.
fn is_complaint(response: &HttpResponse) -> bool {
    let text = || {
        let body = response.body().bytes()?;
        str::from_utf8(body.get(..body.len().min(MAX_COMPLAINT))?).ok()
    };
    match response.status().as_u16() {
        429 => true,
        400 => text().is_some_and(|text| text.contains("ThrottlingException")),
        _ => false,
    }
}

/// Sends a call through the gate and turns its error into ours: the answer and the attempts it took.
/// A macro, because every operation of the SDK has builder and error types of its own.
macro_rules! send {
    ($gate:expr, $operation:literal, $builder:expr) => {{
        let gate: &std::sync::Arc<crate::aws::gate::Gate> = $gate;
        let (call, attempts) = crate::aws::gate::Call::new($operation, std::sync::Arc::clone(gate));
        gate.turn($operation).await;
        let answer = $builder.customize().interceptor(call).send().await;
        let attempts = attempts.load(std::sync::atomic::Ordering::SeqCst);
        match answer {
            Ok(answer) => Ok((answer, attempts)),
            // Before anything else: a cancelled call is no fault of the network.
            Err(_) if gate.is_closed() => Err(crate::aws::AwsError {
                attempts,
                ..crate::aws::AwsError::new($operation, crate::aws::ErrorKind::Cancelled)
            }),
            Err(error) => Err(crate::aws::AwsError::from_sdk($operation, attempts, &error)),
        }
    }};
}
pub(in crate::aws) use send;
