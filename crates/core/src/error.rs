//! What a call to the store can end with, told apart by code and kind, never by text. It holds what AWS answered
//! for the diagnosis to word, and must not word anything itself.

use crate::failure::Failure;

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// The operation, as IAM spells it: `PutSecretValue`.
    pub operation: &'static str,
    /// What happened.
    pub kind: ErrorKind,
    /// AWS's request id of the last answer.
    pub request_id: Option<String>,
    /// Attempts that were sent; 0 where the call never left this process.
    pub attempts: u32,
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// AWS answered with an error.
    Service {
        /// The code, `AccessDeniedException`; `HTTP 502` where the answer has none.
        code: String,
        /// AWS's text. It may quote anything, so it is redacted like everything else.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// No answer in time; a write may have been applied.
    Timeout,
    /// No connection, or a broken one, with the diagnosis; a write may have been applied.
    Network(Box<Failure>),
    /// A success that cannot be read: a write was probably applied.
    Unreadable,
    /// The call was never sent, for lack of credentials or a usable configuration.
    NotSent(Box<Failure>),
    /// The run was cancelled before the call was sent.
    Cancelled,
    /// Two reads of the same secret never agreed.
    Inconsistent,
}

impl StoreError {
    /// An error without a request id, before any attempt.
    #[must_use]
    pub fn new(operation: &'static str, kind: ErrorKind) -> Self {
        Self {
            operation,
            kind,
            request_id: None,
            attempts: 0,
        }
    }

    /// AWS's code, where AWS answered this very call with one. A role that was denied on the way is not a secret that
    /// is denied.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.kind {
            ErrorKind::Service { code, .. } => Some(code),
            _ => None,
        }
    }

    /// AWS's text, where AWS answered. It may quote anything.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match &self.kind {
            ErrorKind::Service { message, .. } => Some(message),
            _ => None,
        }
    }

    /// Whether AWS answered with this code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code() == Some(code)
    }

    /// Whether AWS denied the call: `AccessDeniedException`.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.is("AccessDeniedException")
    }

    /// Whether the answer to UpdateSecretVersionStage says that the labels are not where they were seen. The code is not
    /// documented, and differs with the reason.
    #[must_use]
    pub fn is_lost_swap(&self) -> bool {
        [
            "InvalidParameterException",
            "InvalidRequestException",
            "ResourceNotFoundException",
        ]
        .iter()
        .any(|code| self.is(code))
    }

    /// Whether a write may have been applied all the same.
    #[must_use]
    pub fn is_unknown_outcome(&self) -> bool {
        self.attempts > 0
            && matches!(
                self.kind,
                ErrorKind::Timeout | ErrorKind::Network(_) | ErrorKind::Unreadable
            )
    }
}
