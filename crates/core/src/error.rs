//! Errors of store calls, distinguished by code and kind, and by message only if AWS uses a code for two meanings. They carry
//! the AWS response for diagnosis, but no explanation.

use crate::failure::Failure;
use crate::quote::ForeignText;

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// The operation, as IAM spells it: `PutSecretValue`.
    pub operation: &'static str,
    /// The kind of error.
    pub kind: ErrorKind,
    /// The request ID in the last AWS response.
    pub request_id: Option<String>,
    /// The number of attempts sent; 0 if the call never left this process, or if it was canceled after receiving only errors.
    pub attempts: u32,
}

/// The kind of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// AWS responded with an error.
    Service {
        /// The code, such as `AccessDeniedException`; `HTTP 502` if the response has none.
        code: String,
        /// The message from AWS, which may quote any part of the request.
        message: ForeignText,
        /// The HTTP status.
        status: u16,
    },
    /// No response within the time limit; a write may have been applied.
    Timeout,
    /// No connection, or a broken one, with the diagnosis; a write may have been applied.
    Network(Box<Failure>),
    /// A success response with a body that cannot be parsed; a write was probably applied.
    Unreadable,
    /// A response that did not come from AWS: it has neither an error code nor a request ID from AWS. A proxy that reports
    /// success or its own failure may have forwarded a write.
    NotAws {
        /// The host that the request was sent to.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// The call was not sent, because the credentials or the configuration are unusable.
    NotSent(Box<Failure>),
    /// The run was canceled before the response arrived; a write may have been applied.
    Cancelled,
    /// Two reads of the same secret repeatedly contradicted each other.
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

    /// The error code, if AWS responded to this call with one. A denial when assuming the role, before the call, is not a
    /// denial of the secret.
    pub fn code(&self) -> Option<&str> {
        match &self.kind {
            ErrorKind::Service { code, .. } => Some(code),
            _ => None,
        }
    }

    /// The message from AWS, if it responded to the call. It may quote any part of the request.
    pub fn message(&self) -> Option<&ForeignText> {
        match &self.kind {
            ErrorKind::Service { message, .. } => Some(message),
            _ => None,
        }
    }

    /// Whether AWS responded with this code.
    pub fn is(&self, code: &str) -> bool {
        self.code() == Some(code)
    }

    /// Whether AWS denied the call: `AccessDeniedException`.
    pub fn is_denied(&self) -> bool {
        self.is("AccessDeniedException")
    }

    /// Whether AWS could not use a KMS key. If the code also has other meanings, only the message shows this.
    pub fn is_about_kms_key(&self) -> bool {
        let (Some(code), Some(message)) = (self.code(), self.message()) else {
            return false;
        };
        is_about_kms_key(code, message)
    }

    /// Whether AWS denied the caller an action on the secret, as opposed to the use of its KMS key, which has the same error
    /// code.
    pub fn denies_secret(&self) -> bool {
        let names_action = |message: &ForeignText| message.contains("to perform: secretsmanager:");
        self.is_denied() && self.message().is_some_and(names_action)
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
                    | ErrorKind::NotAws {
                        status: 200..=299 | 500..=599,
                        ..
                    }
                    | ErrorKind::Cancelled
            )
    }
}

/// Whether an error with this code and message is about a KMS key.
pub fn is_about_kms_key(code: &str, message: &ForeignText) -> bool {
    ["EncryptionFailure", "DecryptionFailure"].contains(&code)
        || ["KMS", "kms:"].iter().any(|part| message.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Class;

    fn service(code: &str) -> ErrorKind {
        ErrorKind::Service {
            code: code.to_owned(),
            message: ForeignText::new("made up"),
            status: 400,
        }
    }

    fn not_aws(status: u16) -> ErrorKind {
        ErrorKind::NotAws {
            host: "proxy.example".to_owned(),
            status,
        }
    }

    fn failure() -> Box<Failure> {
        Box::new(Failure::new(Class::Unavailable, "made up", "made up"))
    }

    #[test]
    fn only_an_answer_has_code_and_message() {
        let error = StoreError::new("PutSecretValue", service("InternalServiceError"));
        assert_eq!(error.code(), Some("InternalServiceError"));
        assert_eq!(error.message(), Some(&ForeignText::new("made up")));
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
    fn kms_errors_are_told_by_code_or_message() {
        for (code, message, expected) in [
            ("DecryptionFailure", "made up", true),
            ("EncryptionFailure", "", true),
            (
                "AccessDeniedException",
                "Access to KMS is not allowed",
                true,
            ),
            (
                "AccessDeniedException",
                "not authorized to perform: kms:Decrypt on resource",
                true,
            ),
            (
                "AccessDeniedException",
                "not authorized to perform: secretsmanager:GetSecretValue",
                false,
            ),
        ] {
            let kind = ErrorKind::Service {
                code: code.to_owned(),
                message: ForeignText::new(message),
                status: 400,
            };
            let error = StoreError::new("GetSecretValue", kind);
            assert_eq!(error.is_about_kms_key(), expected, "{code} {message}");
        }
        let error = StoreError::new("GetSecretValue", ErrorKind::Timeout);
        assert!(!error.is_about_kms_key());
    }

    #[test]
    fn denial_of_a_secret_names_its_action() {
        let answer = |code: &str, text: &str| {
            let kind = ErrorKind::Service {
                code: code.to_owned(),
                message: ForeignText::new(text),
                status: 400,
            };
            StoreError::new("CreateSecret", kind).denies_secret()
        };
        let denied = "AccessDeniedException";
        let of_secret =
            "User: u is not authorized to perform: secretsmanager:TagResource on resource: r";
        assert!(answer(denied, of_secret));
        assert!(!answer(denied, "Access to KMS is not allowed"));
        assert!(!answer(denied, &of_secret.replace("secretsmanager", "kms")));
        assert!(!answer("InvalidParameterException", of_secret));
    }

    #[test]
    fn unanswered_attempt_has_unknown_outcome() {
        for (kind, wanted) in [
            (ErrorKind::Timeout, true),
            (ErrorKind::Network(failure()), true),
            (ErrorKind::Unreadable, true),
            (not_aws(200), true),
            (not_aws(504), true),
            (not_aws(302), false),
            (not_aws(403), false),
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
