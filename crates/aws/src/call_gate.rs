//! The gate that every attempt of every call passes through. Applies the rate limit, counts and traces attempts, and rejects
//! them once the run is canceled, so that no write starts after a signal. Must not trace requests or responses.

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
use upsert_secret_core::rate::Rate;

use crate::error::{AwsError, ErrorKind, not_aws, request_id};
use crate::pending::{PendingCall, PendingCalls, Ticket};
use crate::rate_limit::RateLimit;

/// The number of bytes of a response that are searched for a throttling error.
const MAX_ERROR_BYTES: usize = 4_096;

/// Receives trace lines, and credentials that must be redacted.
pub trait CallObserver: Send + Sync {
    /// Prints one line of the trace.
    fn trace(&self, line: &str);

    /// Registers a credential or token for redaction.
    fn hide(&self, secret: &[u8]);
}

/// The gate for all calls of a run. It stays open until the run is canceled.
pub struct CallGate {
    closed: AtomicBool,
    closing: Notify,
    rate_limit: Option<RateLimit>,
    observer: Arc<dyn CallObserver>,
    trace: bool,
    pending: Arc<PendingCalls>,
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
            pending: Arc::default(),
        }
    }

    /// Adds a rate limit for each group of operations that share an AWS quota.
    pub fn with_rate_limit(mut self, rate: Rate) -> Self {
        self.rate_limit = Some(RateLimit::new(rate));
        self
    }

    /// Whether there is a rate limit, and therefore many concurrent calls.
    pub(crate) fn is_rate_limited(&self) -> bool {
        self.rate_limit.is_some()
    }

    /// Closes the gate. Attempts already sent continue, but no further attempt is sent.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.closing.notify_waiters();
    }

    /// The calls without a response so far.
    pub fn pending_calls(&self) -> Vec<PendingCall> {
        self.pending.all()
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
    ticket: Arc<Ticket>,
    attempts: Arc<AtomicU32>,
    /// The number of attempts that were sent and got no response: such a write may have been applied.
    unanswered: Arc<AtomicU32>,
    /// When the current attempt was sent; `None` if it has not been.
    sent_at: Arc<Mutex<Option<Instant>>>,
    /// The error to report if the last response lacks required content.
    unreadable: Arc<Mutex<ErrorKind>>,
    /// Whether the last response is a web page.
    is_page: Arc<AtomicBool>,
}

impl CallInterceptor {
    /// Waits until the call may be sent.
    pub(crate) async fn acquire(operation: &'static str, gate: &Arc<CallGate>) -> Self {
        let ticket = Arc::new(gate.pending.begin(operation));
        gate.acquire(operation).await;
        Self {
            operation,
            gate: Arc::clone(gate),
            ticket,
            attempts: Arc::default(),
            unanswered: Arc::default(),
            sent_at: Arc::default(),
            unreadable: Arc::new(Mutex::new(ErrorKind::Unreadable)),
            is_page: Arc::default(),
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
            unreadable: lock(&self.unreadable).clone(),
        };
        // The SDK does not read the body of a response without output fields.
        if self.is_page.load(Ordering::SeqCst) && result.is_ok() {
            return Err(call.unreadable());
        }
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
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.ticket.sent();
        self.unanswered.fetch_add(1, Ordering::SeqCst);
        *lock(&self.sent_at) = Some(Instant::now());
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(sent_at) = lock(&self.sent_at).take() else {
            return Ok(());
        };
        let response = context.response();
        let id = response.and_then(request_id);
        *lock(&self.unreadable) = match response {
            Some(response) if id.is_none() => not_aws(response),
            _ => ErrorKind::Unreadable,
        };
        let content_type = response.and_then(|response| response.headers().get("content-type"));
        // Some emulators send this type with all of their responses.
        let is_page =
            id.is_none() && content_type.is_some_and(|kind| kind.starts_with("text/html"));
        self.is_page.store(is_page, Ordering::SeqCst);
        let is_output = matches!(context.output_or_error(), Some(Ok(_)));
        // A success response that cannot be parsed does not show what was applied, and neither does a failed proxy.
        let is_answer = |response: &HttpResponse| match response.status().as_u16() {
            200..=299 => is_output && !is_page,
            500..=599 => id.is_some(),
            _ => true,
        };
        if response.is_some_and(is_answer) {
            self.unanswered.fetch_sub(1, Ordering::SeqCst);
        }
        let status = response.map_or_else(
            || "no answer".to_owned(),
            |response| response.status().as_u16().to_string(),
        );
        let is_throttled = response.is_some_and(is_throttled);
        self.ticket.ended(match response {
            Some(_) if is_throttled => "throttled".to_owned(),
            Some(_) => format!("HTTP {status}"),
            None => status.clone(),
        });
        if let Some(limit) = &self.gate.rate_limit
            && is_throttled
        {
            limit.slow_down(self.operation, Instant::now());
        }
        let id = id.unwrap_or("none");
        let attempt = self.attempts.load(Ordering::SeqCst);
        self.gate
            .trace(self.operation, attempt, &status, sent_at.elapsed(), id);
        Ok(())
    }
}

/// Whether a response reports throttling. The SDK reports an error only after the last retry, too late for the rate limit.
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
#[derive(Clone)]
pub(crate) struct CallInfo {
    pub(crate) operation: &'static str,
    pub(crate) attempts: u32,
    unreadable: ErrorKind,
}

impl CallInfo {
    #[cfg(test)]
    pub(crate) fn new(operation: &'static str, attempts: u32) -> Self {
        Self {
            operation,
            attempts,
            unreadable: ErrorKind::Unreadable,
        }
    }

    /// The error for a success response that lacks required content.
    pub(crate) fn unreadable(&self) -> AwsError {
        AwsError {
            attempts: self.attempts,
            ..AwsError::new(self.operation, self.unreadable.clone())
        }
    }
}

/// Sends a call through the gate. Returns the SDK's output and a [`CallInfo`], or an [`AwsError`]. It is a macro because each
/// SDK operation has its own request type.
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
        let gate = CallGate::new(Arc::new(NoObserver), false).with_rate_limit(Rate::constant(1));
        let limit = gate.rate_limit.as_ref().unwrap();
        // The next slot is one hour away.
        for _ in 0..3_600 {
            limit.reserve("CreateSecret", Instant::now());
        }
        let acquired = async { tokio::join!(gate.acquire("CreateSecret"), async { gate.close() }) };
        let in_time = tokio::time::timeout(Duration::from_secs(60), acquired).await;
        assert!(in_time.is_ok());
        // A closed gate does not block callers, and the cleanup's gate is open.
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
