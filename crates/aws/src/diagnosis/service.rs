//! Explanations of error codes that AWS returns.

use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::region::partition;
use upsert_secret_core::store::Subject;

pub(super) fn explain(
    operation: &str,
    code: &str,
    message: &str,
    subject: Subject<'_>,
    region: &str,
) -> Failure {
    let failure = match code {
        "AccessDeniedException"
            if !message.contains("to perform: kms:") && !message.contains("Access to KMS") =>
        {
            denied(operation, message, subject, region)
        }
        "AccessDeniedException" | "EncryptionFailure" | "DecryptionFailure" => Failure::new(
            Class::Denied,
            format!("AWS may not use the secret's KMS key for {operation}"),
            "allow kms:GenerateDataKey and kms:Decrypt on that key to the caller, in its policy and in the key's, and check that the key is enabled;\n\
             a secret of another account cannot use the default key aws/secretsmanager",
        ),
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => Failure::new(
            Class::Credentials,
            "AWS does not know these credentials",
            "check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN: deleted, of another partition, or a temporary key without its token?",
        ),
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "IncompleteSignature" => {
            Failure::new(
                Class::Credentials,
                "AWS does not accept the signature",
                "check AWS_SECRET_ACCESS_KEY (cut short? a character too many?) and this machine's clock",
            )
        }
        // Codes of STS, for GetCallerIdentity. Those of Secrets Manager end in `Exception`.
        "AccessDenied" | "RegionDisabledException" => Failure::new(
            Class::Credentials,
            format!("AWS does not let these credentials call {operation} here"),
            "is the region switched on for the account, and is nothing in an organisation's policy against it?",
        ),
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => Failure::new(
            Class::Credentials,
            "the AWS credentials have expired",
            "get new ones right before this step; a longer session (role-duration-seconds) helps where the job is long",
        ),
        "LimitExceededException" => Failure::new(
            Class::Limit,
            format!("a quota of Secrets Manager is exhausted for {}", subject.id),
            "a secret has at most about 100 versions (those younger than a day are never removed) and 20 staging labels; \
             wait a day, write less often, or remove labels",
        ),
        "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "TooManyRequestsException" => Failure::new(
            Class::Unavailable,
            format!("AWS throttled {operation}"),
            "run again later; writes of one account and region share 50 requests a second",
        ),
        "InternalServiceError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => unavailable(operation),
        _ if code.starts_with("HTTP 5") => unavailable(operation),
        "ResourceExistsException" => Failure::new(
            Class::Conflict,
            format!(
                "{} or the version was made by somebody else meanwhile",
                subject.id
            ),
            "run again",
        ),
        "ResourceNotFoundException" => Failure::new(
            Class::Conflict,
            format!("{} disappeared meanwhile", subject.id),
            "run again; it is created if it is gone",
        ),
        "PreconditionNotMetException" => Failure::new(
            Class::Conflict,
            format!("AWS refused {operation}: a precondition is not met"),
            "run again",
        ),
        "InvalidRequestException" | "PublicPolicyException" => Failure::new(
            Class::Refused,
            format!(
                "AWS refused {operation} in the state that {} is in",
                subject.id
            ),
            "look at the secret in the console: scheduled for deletion, managed by another service, or being rotated?",
        ),
        "InvalidParameterException"
        | "ValidationException"
        | "MalformedPolicyDocumentException" => Failure::new(
            Class::Input,
            format!("AWS does not accept what {operation} was asked to write"),
            "correct the input that AWS names",
        ),
        _ => Failure::new(
            Class::Unavailable,
            format!("AWS answered {operation} with {code}"),
            "look the code up in the Secrets Manager API reference; run again if it may pass",
        ),
    };
    Failure {
        why: (!message.is_empty()).then(|| format!("AWS says: {message}")),
        ..failure
    }
}

fn unavailable(operation: &str) -> Failure {
    Failure::new(
        Class::Unavailable,
        format!("AWS could not serve {operation}"),
        "run again: a write that was applied is found and kept; see the AWS health page if it goes on",
    )
}

fn denied(operation: &str, message: &str, subject: Subject<'_>, region: &str) -> Failure {
    // Only the message names the action: CreateSecret with tags also needs TagResource.
    let action = message
        .split("not authorized to perform: ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|action| action.strip_prefix("secretsmanager:"))
        .filter(|action| action.bytes().all(|b| b.is_ascii_alphabetic()))
        .unwrap_or(operation);
    let how = if message.contains("explicit deny") {
        "an explicit deny forbids this; take it out of that deny, and allow it"
    } else {
        "allow this in the role's policy"
    };
    Failure::new(
        Class::Denied,
        format!("AWS does not allow {action} on {}", subject.id),
        format!(
            "{how}:\n  action    secretsmanager:{action}\n  resource  {}",
            resources(action, message, subject, region)
        ),
    )
}

/// The resources for a policy: the ARN, or a pattern for an ARN that is not known. Reads of an absent secret are authorized
/// by its bare name, so a policy with only the pattern would deny them instead of reporting that the secret does not exist.
fn resources(operation: &str, message: &str, subject: Subject<'_>, region: &str) -> String {
    let given = Some(subject.id).filter(|id| id.starts_with("arn:"));
    if let Some(arn) = subject.arn.or(given) {
        return arn.to_owned();
    }
    let partition = partition(region);
    // The caller's account: "User: arn:aws:sts::111122223333:assumed-role/… is not authorized".
    let account = message
        .split_whitespace()
        .find(|word| word.starts_with("arn:"))
        .and_then(|arn| arn.split(':').nth(4))
        .filter(|account| account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))
        .unwrap_or("*");
    let bare = format!(
        "arn:{partition}:secretsmanager:{region}:{account}:secret:{}",
        subject.name
    );
    match operation {
        "DescribeSecret" | "GetSecretValue" => format!("{bare}-??????\n  and       {bare}"),
        _ => format!("{bare}-??????"),
    }
}
