//! Retries requests for tokens and roles. The SDK must not retry them: it would resend an expired token, and it treats
//! temporary errors of identity providers as permanent.

use aws_lc_rs::rand;
use upsert_secret_core::backoff::Backoff;

use crate::error::{AwsError, ErrorKind};

/// The number of retries after the first attempt. The delays add up to 4 seconds; an attempt in which STS cannot fetch the
/// identity provider's keys takes 5 more seconds.
const RETRIES: u32 = 7;

/// Repeats an attempt while it fails with a transient error of an operation whose name starts with `operation`. Errors of other
/// operations have already been retried. Attempts are numbered from 1.
pub(super) async fn with_retries<T, F: Future<Output = Result<T, AwsError>>>(
    operation: &str,
    attempt: impl Fn(u32) -> F,
) -> Result<T, AwsError> {
    let mut backoff = Backoff::new(RETRIES);
    let mut number = 1;
    loop {
        let error = match attempt(number).await {
            Err(error) if error.operation.starts_with(operation) && is_transient(&error.kind) => {
                error
            }
            result => return result,
        };
        let mut byte = [128];
        // Without randomness, the delay has no jitter, which is harmless.
        let _ = rand::fill(&mut byte);
        match backoff.next_delay(byte[0]) {
            Some(delay) => tokio::time::sleep(delay).await,
            None => return Err(error),
        }
        number += 1;
    }
}

/// Whether a retry may help: for errors that the SDK retries in other calls, and in three more cases.
fn is_transient(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::Timeout => true,
        ErrorKind::Network(fault) => !fault.is_permanent(),
        // GitHub does not consider the job to be running yet (aws-actions/configure-aws-credentials#469).
        ErrorKind::IdTokenRejected {
            status: 403,
            message,
        } => message.contains("'Pending'") || message.contains("'Delayed'"),
        ErrorKind::IdTokenRejected { status, .. }
        | ErrorKind::NotGithub { status, .. }
        | ErrorKind::NotAws { status, .. } => {
            matches!(status, 429 | 500..=599)
        }
        ErrorKind::Role(fault) => match fault.code.as_str() {
            // STS cannot reach the identity provider (aws-cli#7194).
            "IDPCommunicationError" => true,
            "InvalidIdentityToken" => fault.message.contains("Couldn't retrieve verification key"),
            "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => true,
            _ => fault.status >= 500,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use upsert_secret_core::quote::ForeignText;

    use super::*;
    use crate::fault::{NetworkFault, RoleFault};

    #[test]
    fn only_transient_errors_are_retried() {
        let role = |code: &str, message: &str, status| {
            ErrorKind::Role(Box::new(RoleFault {
                role: String::new(),
                code: code.to_owned(),
                message: ForeignText::new(message),
                status,
                claims: None,
            }))
        };
        let id_token = |status, message: &str| ErrorKind::IdTokenRejected {
            status,
            message: ForeignText::new(message),
        };
        let host = String::new();
        for (kind, transient) in [
            (ErrorKind::Timeout, true),
            (ErrorKind::Cancelled, false),
            (ErrorKind::Network(NetworkFault::ConnectionLost), true),
            (ErrorKind::Network(NetworkFault::Tls { host }), false),
            (id_token(403, "the job is in state 'Pending'"), true),
            (id_token(403, "the job is in state 'Delayed'"), true),
            (id_token(403, "the job is in state 'Completed'"), false),
            (id_token(401, ""), false),
            (id_token(429, ""), true),
            (id_token(502, ""), true),
            (role("Throttling", "", 400), true),
            (role("InternalFailure", "", 500), true),
            (role("IDPCommunicationError", "", 400), true),
            (
                role(
                    "InvalidIdentityToken",
                    "Couldn't retrieve verification key",
                    400,
                ),
                true,
            ),
            (role("InvalidIdentityToken", "", 400), false),
            (role("AccessDenied", "", 403), false),
        ] {
            assert_eq!(is_transient(&kind), transient, "{kind:?}");
        }
    }

    #[tokio::test]
    async fn only_own_operation_is_retried() {
        for (operation, expected) in [
            ("AssumeRole", Ok(2)),
            ("AssumeRoleWithWebIdentity", Ok(2)),
            ("GetIdToken", Err(ErrorKind::Timeout)),
        ] {
            let result = with_retries("AssumeRole", async |number| match number {
                1 => Err(AwsError::new(operation, ErrorKind::Timeout)),
                number => Ok(number),
            });
            assert_eq!(result.await.map_err(|error| error.kind), expected);
        }
    }
}
