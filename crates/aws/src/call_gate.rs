//! Every attempt of every call passes this gate: it is counted, timed, traced, and rejected once the run is cancelled, so
//! that no write starts after a signal. It sees requests and must not print any.

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

use crate::rate_limit::RateLimit;

/// The longest answer that is searched for a throttling error.
const MAX_THROTTLED: usize = 4_096;

/// What the program does with the trace and with secrets that are obtained on the way.
pub trait CallObserver: Send + Sync {
    /// Prints one line of the trace.
    fn trace(&self, line: &str);

    /// Registers a credential or token for redaction.
    fn hide(&self, secret: &[u8]);
}

/// The gate that all calls of a run pass; open until the run is cancelled.
pub struct CallGate {
    closed: AtomicBool,
    closing: Notify,
    rate_limit: Option<RateLimit>,
    observer: Arc<dyn CallObserver>,
    trace: bool,
    started: Instant,
}

impl CallGate {
    /// A gate that traces calls when `trace` is on.
    #[must_use]
    pub fn new(observer: Arc<dyn CallObserver>, trace: bool) -> Self {
        Self {
            closed: AtomicBool::new(false),
            closing: Notify::new(),
            rate_limit: None,
            observer,
            trace,
            started: Instant::now(),
        }
    }

    /// The same gate with a limit: at most `rate` calls a second of each family of operations that share a quota of AWS.
    #[must_use]
    pub fn with_rate_limit(mut self, rate: u32) -> Self {
        self.rate_limit = Some(RateLimit::new(rate));
        self
    }

    /// Whether calls are limited, because many pass at the same time.
    pub(crate) fn is_rate_limited(&self) -> bool {
        self.rate_limit.is_some()
    }

    /// Closes the gate: from now on nothing more is sent.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.closing.notify_waiters();
    }

    /// Waits until the rate limit admits the operation, or until the gate closes.
    pub(crate) async fn acquire(&self, operation: &str) {
        let wait = self.rate_limit.as_ref().map_or(Duration::ZERO, |limit| {
            limit.reserve(operation, Instant::now())
        });
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

    /// An open gate with the same observer, without a rate limit.
    pub(crate) fn reopened(&self) -> Self {
        Self::new(Arc::clone(&self.observer), self.trace)
    }

    /// Traces one attempt of a call.
    pub(crate) fn trace(&self, operation: &str, attempt: u32, status: &str, took: u32, id: &str) {
        if self.trace {
            self.observer.trace(&format!(
                "debug: {operation} attempt {attempt}: {status} after {took} ms, request id {id}"
            ));
        }
    }

    /// Registers a credential or token for redaction.
    pub(crate) fn hide(&self, secret: &[u8]) {
        self.observer.hide(secret);
    }

    /// Milliseconds since the gate was created.
    pub(crate) fn now(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_millis()).unwrap_or(u32::MAX)
    }

    /// Whether the gate is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

/// Counts the attempts of one call.
pub(crate) struct Call {
    operation: &'static str,
    gate: Arc<CallGate>,
    attempts: Arc<AtomicU32>,
    /// When the attempt under way was sent, in milliseconds since the gate was created.
    sent: AtomicU32,
}

impl Call {
    pub(crate) fn new(operation: &'static str, gate: Arc<CallGate>) -> (Self, Arc<AtomicU32>) {
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
        if let Some(limit) = &self.gate.rate_limit
            && response.is_some_and(is_throttled)
        {
            limit.throttled(self.operation, Instant::now());
        }
        let id = response
            .and_then(|response| response.headers().get("x-amzn-requestid"))
            .unwrap_or("none");
        let took = self
            .gate
            .now()
            .saturating_sub(self.sent.load(Ordering::SeqCst));
        let attempt = self.attempts.load(Ordering::SeqCst);
        self.gate.trace(self.operation, attempt, &status, took, id);
        Ok(())
    }
}

/// Whether AWS throttled the call. The SDK retries by itself, and its error comes too late.
fn is_throttled(response: &HttpResponse) -> bool {
    let text = || {
        let body = response.body().bytes()?;
        str::from_utf8(body.get(..body.len().min(MAX_THROTTLED))?).ok()
    };
    match response.status().as_u16() {
        429 => true,
        400 => text().is_some_and(|text| text.contains("ThrottlingException")),
        _ => false,
    }
}

/// Sends a call through the gate: the answer and the attempts it took, or an [`crate::error::AwsError`].
/// A macro, because every operation of the SDK has builder and error types of its own.
macro_rules! send {
    ($gate:expr, $operation:literal, $builder:expr) => {{
        let gate: &std::sync::Arc<crate::call_gate::CallGate> = $gate;
        let (call, attempts) = crate::call_gate::Call::new($operation, std::sync::Arc::clone(gate));
        gate.acquire($operation).await;
        let answer = $builder.customize().interceptor(call).send().await;
        let attempts = attempts.load(std::sync::atomic::Ordering::SeqCst);
        match answer {
            Ok(answer) => Ok((answer, attempts)),
            // First, because a cancelled call is not a network failure.
            Err(_) if gate.is_closed() => Err(crate::error::AwsError {
                attempts,
                ..crate::error::AwsError::new($operation, crate::error::ErrorKind::Cancelled)
            }),
            Err(error) => Err(crate::error::AwsError::from_sdk(
                $operation, attempts, &error,
            )),
        }
    }};
}
pub(crate) use send;
