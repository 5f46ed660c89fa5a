//! Errors of calls to the store, told apart by code and kind, never by text. They carry AWS's answer for the diagnosis, and
//! contain no explanation themselves.

use crate::failure::Failure;

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// The operation, as IAM spells it: `PutSecretValue`.
    pub operation: &'static str,
    /// The kind of error.
    pub kind: ErrorKind,
    /// The request id of AWS's last answer.
    pub request_id: Option<String>,
    /// Attempts that were sent; 0 if the call never left this process, or if a cancelled one was answered with errors only.
    pub attempts: u32,
}

/// The kind of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// AWS answered with an error.
    Service {
        /// The code, such as `AccessDeniedException`; `HTTP 502` if the answer has none.
        code: String,
        /// AWS's message, which may quote any part of the request.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// No answer in time; a write may have been applied.
    Timeout,
    /// No connection, or a broken one, with the diagnosis; a write may have been applied.
    Network(Box<Failure>),
    /// A success whose body cannot be parsed; a write was probably applied.
    Unreadable,
    /// The call was not sent, because credentials or configuration are not usable.
    NotSent(Box<Failure>),
    /// The run was cancelled before the call was answered; a write that was sent may have been applied.
    Cancelled,
    /// Two reads of the same secret kept contradicting each other.
    Inconsistent,
}

impl StoreError {
    /// An error without a request id, before any attempt.
    pub fn new(operation: &'static str, kind: ErrorKind) -> Self {
        Self {
            operation,
            kind,
            request_id: None,
            attempts: 0,
        }
    }

    /// AWS's code, if this call was answered with one. A denial of the role before the call is not a denial of the secret.
    pub fn code(&self) -> Option<&str> {
        match &self.kind {
            ErrorKind::Service { code, .. } => Some(code),
            _ => None,
        }
    }

    /// AWS's message, if the call was answered. It may quote any part of the request.
    pub fn message(&self) -> Option<&str> {
        match &self.kind {
            ErrorKind::Service { message, .. } => Some(message),
            _ => None,
        }
    }

    /// Whether AWS answered with this code.
    pub fn is(&self, code: &str) -> bool {
        self.code() == Some(code)
    }

    /// Whether AWS denied the call: `AccessDeniedException`.
    pub fn is_denied(&self) -> bool {
        self.is("AccessDeniedException")
    }

    /// Whether UpdateSecretVersionStage failed because a label has moved since it was observed. The code is not documented
    /// and depends on the reason.
    pub fn is_lost_swap(&self) -> bool {
        matches!(
            self.code(),
            Some(
                "InvalidParameterException"
                    | "InvalidRequestException"
                    | "ResourceNotFoundException"
            )
        )
    }

    /// Whether a write may have been applied despite the error.
    pub fn is_unknown_outcome(&self) -> bool {
        self.attempts > 0
            && matches!(
                self.kind,
                ErrorKind::Timeout
                    | ErrorKind::Network(_)
                    | ErrorKind::Unreadable
                    | ErrorKind::Cancelled
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Class;

    fn service(code: &str) -> ErrorKind {
        ErrorKind::Service {
            code: code.to_owned(),
            message: "made up".to_owned(),
            status: 400,
        }
    }

    fn failure() -> Box<Failure> {
        Box::new(Failure::new(Class::Unavailable, "made up", "made up"))
    }

    #[test]
    fn only_an_answer_has_code_and_message() {
        let error = StoreError::new("PutSecretValue", service("InternalServiceError"));
        assert_eq!(error.code(), Some("InternalServiceError"));
        assert_eq!(error.message(), Some("made up"));
        assert!(error.is("InternalServiceError"));
        assert!(!error.is("made up") && !error.is_denied() && !error.is_lost_swap());
        let error = StoreError::new("PutSecretValue", ErrorKind::NotSent(failure()));
        assert_eq!((error.code(), error.message()), (None, None));
        assert!(!error.is_denied() && !error.is_lost_swap());
    }

    #[test]
    fn denials_and_lost_swaps_are_told_by_code() {
        for (code, denied, lost) in [
            ("AccessDeniedException", true, false),
            ("InvalidParameterException", false, true),
            ("InvalidRequestException", false, true),
            ("ResourceNotFoundException", false, true),
            ("LimitExceededException", false, false),
        ] {
            let error = StoreError::new("UpdateSecretVersionStage", service(code));
            let told = (error.is_denied(), error.is_lost_swap());
            assert_eq!(told, (denied, lost), "{code}");
        }
    }

    #[test]
    fn outcome_is_unknown_after_an_attempt_without_answer() {
        for (kind, wanted) in [
            (ErrorKind::Timeout, true),
            (ErrorKind::Network(failure()), true),
            (ErrorKind::Unreadable, true),
            (service("InternalServiceError"), false),
            (ErrorKind::NotSent(failure()), false),
        ] {
            let mut error = StoreError::new("PutSecretValue", kind);
            assert!(!error.is_unknown_outcome(), "{error:?}");
            for attempts in [1, 3] {
                error.attempts = attempts;
                assert_eq!(error.is_unknown_outcome(), wanted, "{error:?}");
            }
        }
    }
}
