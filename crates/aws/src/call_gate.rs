//! The gate that every attempt of every call passes. It applies the rate limit, counts and traces attempts, and rejects
//! them once the run is cancelled, so that no write starts after a signal. It must not trace requests or responses.

use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::sync::Notify;

use crate::error::{AwsError, ErrorKind};
use crate::rate_limit::RateLimit;

/// How much of a response is searched for a throttling error.
const MAX_ERROR_BYTES: usize = 4_096;

/// Receives trace lines, and credentials that must be redacted.
pub trait CallObserver: Send + Sync {
    /// Prints one line of the trace.
    fn trace(&self, line: &str);

    /// Registers a credential or token for redaction.
    fn hide(&self, secret: &[u8]);
}

/// The gate for all calls of a run. It is open until the run is cancelled.
pub struct CallGate {
    closed: AtomicBool,
    closing: Notify,
    rate_limit: Option<RateLimit>,
    observer: Arc<dyn CallObserver>,
    trace: bool,
}

impl CallGate {
    /// An open gate without a rate limit. Attempts are traced if `trace` is set.
    pub fn new(observer: Arc<dyn CallObserver>, trace: bool) -> Self {
        Self {
            closed: AtomicBool::new(false),
            closing: Notify::new(),
            rate_limit: None,
            observer,
            trace,
        }
    }

    /// Adds a rate limit: at most `rate` calls a second for each group of operations with a common AWS quota.
    pub fn with_rate_limit(mut self, rate: u32) -> Self {
        self.rate_limit = Some(RateLimit::new(rate));
        self
    }

    /// Whether there is a rate limit, and so many calls at the same time.
    pub(crate) fn is_rate_limited(&self) -> bool {
        self.rate_limit.is_some()
    }

    /// Closes the gate. Attempts that have been sent continue, and no other is sent.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.closing.notify_waiters();
    }

    /// Waits until the rate limit permits the operation or the gate closes.
    pub(crate) async fn acquire(&self, operation: &str) {
        let wait = self.rate_limit.as_ref().map_or(Duration::ZERO, |limit| {
            limit.reserve(operation, Instant::now())
        });
        let closing = self.closing.notified();
        if wait.is_zero() || self.is_closed() {
            return;
        }
        let _ = tokio::time::timeout(wait, closing).await;
    }

    /// An open gate with the same observer, without a rate limit.
    pub(crate) fn reopened(&self) -> Self {
        Self::new(Arc::clone(&self.observer), self.trace)
    }

    pub(crate) fn trace(
        &self,
        operation: &str,
        attempt: u32,
        status: &str,
        elapsed: Duration,
        id: &str,
    ) {
        if self.trace {
            let elapsed = elapsed.as_millis();
            self.observer.trace(&format!(
                "debug: {operation} attempt {attempt}: {status} after {elapsed} ms, request id {id}"
            ));
        }
    }

    /// Registers a credential or token for redaction.
    pub(crate) fn hide(&self, secret: &[u8]) {
        self.observer.hide(secret);
    }

    /// Whether the gate is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

/// Counts, times and traces the attempts of one call.
#[derive(Clone)]
pub(crate) struct CallInterceptor {
    operation: &'static str,
    gate: Arc<CallGate>,
    attempts: Arc<AtomicU32>,
    /// Attempts that were sent and not answered: such a write may have been applied.
    unanswered: Arc<AtomicU32>,
    /// When the current attempt was sent; `None` if it has not been.
    sent_at: Arc<Mutex<Option<Instant>>>,
}

impl CallInterceptor {
    /// Waits until the call may be sent.
    pub(crate) async fn acquire(operation: &'static str, gate: &Arc<CallGate>) -> Self {
        gate.acquire(operation).await;
        Self {
            operation,
            gate: Arc::clone(gate),
            attempts: Arc::default(),
            unanswered: Arc::default(),
            sent_at: Arc::default(),
        }
    }

    /// The result of the call in this crate's types.
    pub(crate) fn finish<T, E>(
        &self,
        result: Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<(T, CallInfo), AwsError>
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let call = CallInfo {
            operation: self.operation,
            attempts: self.attempts.load(Ordering::SeqCst),
        };
        match result {
            Ok(output) => Ok((output, call)),
            // The SDK reports a rejected attempt as a failure of the request.
            Err(_) if self.gate.is_closed() => {
                let is_answered = self.unanswered.load(Ordering::SeqCst) == 0;
                Err(AwsError {
                    attempts: if is_answered { 0 } else { call.attempts },
                    ..AwsError::new(call.operation, ErrorKind::Cancelled)
                })
            }
            Err(error) => Err(AwsError::from_sdk(call.operation, call.attempts, &error)),
        }
    }

    fn sent_at(&self) -> MutexGuard<'_, Option<Instant>> {
        self.sent_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CallInterceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallInterceptor({})", self.operation)
    }
}

impl Intercept for CallInterceptor {
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
        self.unanswered.fetch_add(1, Ordering::SeqCst);
        *self.sent_at() = Some(Instant::now());
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(sent_at) = self.sent_at().take() else {
            return Ok(());
        };
        let response = context.response();
        let is_output = matches!(context.output_or_error(), Some(Ok(_)));
        // A response that reports success and cannot be read does not say what was applied.
        if response.is_some_and(|response| is_output || !response.status().is_success()) {
            self.unanswered.fetch_sub(1, Ordering::SeqCst);
        }
        let status = response.map_or_else(
            || "no answer".to_owned(),
            |response| response.status().as_u16().to_string(),
        );
        if let Some(limit) = &self.gate.rate_limit
            && response.is_some_and(is_throttled)
        {
            limit.slow_down(self.operation, Instant::now());
        }
        let id = response
            .and_then(|response| response.headers().get("x-amzn-requestid"))
            .unwrap_or("none");
        let attempt = self.attempts.load(Ordering::SeqCst);
        self.gate
            .trace(self.operation, attempt, &status, sent_at.elapsed(), id);
        Ok(())
    }
}

/// Whether a response reports throttling. The SDK's own error comes after the last retry, too late for the rate limit.
fn is_throttled(response: &HttpResponse) -> bool {
    let text = || {
        let body = response.body().bytes()?;
        str::from_utf8(body.get(..body.len().min(MAX_ERROR_BYTES))?).ok()
    };
    match response.status().as_u16() {
        429 => true,
        400 => text().is_some_and(|text| text.contains("ThrottlingException")),
        _ => false,
    }
}

/// The call that a response belongs to.
#[derive(Clone, Copy)]
pub(crate) struct CallInfo {
    pub(crate) operation: &'static str,
    pub(crate) attempts: u32,
}

/// Sends a call through the gate. Yields the SDK's output and a [`CallInfo`], or an [`AwsError`]. It is a macro because each
/// operation of the SDK has its own type for the request.
macro_rules! send {
    ($gate:expr, $operation:literal, $request:expr) => {{
        let call = crate::call_gate::CallInterceptor::acquire($operation, $gate).await;
        let request = $request.customize().interceptor(call.clone());
        call.finish(request.send().await)
    }};
}
pub(crate) use send;

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    struct NoObserver;

    impl CallObserver for NoObserver {
        fn trace(&self, _: &str) {}
        fn hide(&self, _: &[u8]) {}
    }

    #[tokio::test]
    async fn closing_gate_ends_wait_for_rate_limit() {
        let gate = CallGate::new(Arc::new(NoObserver), false).with_rate_limit(1);
        let limit = gate.rate_limit.as_ref().unwrap();
        // The next slot is in an hour.
        for _ in 0..3_600 {
            limit.reserve("CreateSecret", Instant::now());
        }
        let acquired = async { tokio::join!(gate.acquire("CreateSecret"), async { gate.close() }) };
        let in_time = tokio::time::timeout(Duration::from_secs(60), acquired).await;
        assert!(in_time.is_ok());
        // A closed gate makes no one wait, and the cleanup's gate is open.
        gate.acquire("CreateSecret").await;
        assert!(gate.is_closed() && !gate.reopened().is_closed());
    }

    #[test]
    fn throttling_is_read_from_status_and_body() {
        for (status, body, throttled) in [
            (429, "", true),
            (400, r#"{"__type":"ThrottlingException"}"#, true),
            (400, r#"{"__type":"LimitExceededException"}"#, false),
            (200, "ThrottlingException", false),
            (503, "", false),
        ] {
            let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
            assert_eq!(is_throttled(&response), throttled, "{status} {body}");
        }
    }
}
