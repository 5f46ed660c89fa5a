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
    let (class, what, next): (Class, String, String) = match code {
        "AccessDeniedException"
            if message.contains("to perform: kms:") || message.contains("Access to KMS") =>
        {
            kms(operation)
        }
        "EncryptionFailure" | "DecryptionFailure" => kms(operation),
        "AccessDeniedException" => denied(operation, message, subject, region),
        "UnrecognizedClientException" | "InvalidClientTokenId" | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => (
            Class::Credentials,
            "AWS does not know these credentials".to_owned(),
            "check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN: deleted, of another partition, or a temporary key without its token?".to_owned(),
        ),
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "IncompleteSignature" => (
            Class::Credentials,
            "AWS does not accept the signature".to_owned(),
            "check AWS_SECRET_ACCESS_KEY (cut short? a character too many?) and this machine's clock".to_owned(),
        ),
        // Codes of STS, for GetCallerIdentity. Those of Secrets Manager end in `Exception`.
        "AccessDenied" | "RegionDisabledException" => (
            Class::Credentials,
            format!("AWS does not let these credentials call {operation} here"),
            "is the region switched on for the account, and is nothing in an organisation's policy against it?".to_owned(),
        ),
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => (
            Class::Credentials,
            "the AWS credentials have expired".to_owned(),
            "get new ones right before this step; a longer session (role-duration-seconds) helps where the job is long".to_owned(),
        ),
        "LimitExceededException" => (
            Class::Limit,
            format!("a quota of Secrets Manager is exhausted for {}", subject.id),
            "a secret has at most about 100 versions (those younger than a day are never removed) and 20 staging labels; \
             wait a day, write less often, or remove labels".to_owned(),
        ),
        "ThrottlingException" | "Throttling" | "RequestLimitExceeded" | "TooManyRequestsException" => (
            Class::Unavailable,
            format!("AWS throttled {operation}"),
            "run again later; writes of one account and region share 50 requests a second".to_owned(),
        ),
        "InternalServiceError" | "InternalFailure" | "ServiceUnavailable" | "ServiceUnavailableException" => unavailable(operation),
        server if server.starts_with("HTTP 5") => unavailable(operation),
        "ResourceExistsException" => (
            Class::Conflict,
            format!("{} or the version was made by somebody else meanwhile", subject.id),
            "run again".to_owned(),
        ),
        "ResourceNotFoundException" => (
            Class::Conflict,
            format!("{} disappeared meanwhile", subject.id),
            "run again; it is created if it is gone".to_owned(),
        ),
        "PreconditionNotMetException" => (
            Class::Conflict,
            format!("AWS refused {operation}: a precondition is not met"),
            "run again".to_owned(),
        ),
        "InvalidRequestException" | "PublicPolicyException" => (
            Class::Refused,
            format!("AWS refused {operation} in the state that {} is in", subject.id),
            "look at the secret in the console: scheduled for deletion, managed by another service, or being rotated?".to_owned(),
        ),
        "InvalidParameterException" | "ValidationException" | "MalformedPolicyDocumentException" => (
            Class::Input,
            format!("AWS does not accept what {operation} was asked to write"),
            "correct the input that AWS names".to_owned(),
        ),
        _ => (
            Class::Unavailable,
            format!("AWS answered {operation} with {code}"),
            "look the code up in the Secrets Manager API reference; run again if it may pass".to_owned(),
        ),
    };
    let failure = Failure::new(class, what, next);
    if message.is_empty() {
        failure
    } else {
        failure.because(format!("AWS says: {message}"))
    }
}

fn denied(
    operation: &str,
    message: &str,
    subject: Subject<'_>,
    region: &str,
) -> (Class, String, String) {
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
    (
        Class::Denied,
        format!("AWS does not allow {action} on {}", subject.id),
        format!(
            "{how}:\n  action    secretsmanager:{action}\n  resource  {}",
            resources(action, message, subject, region)
        ),
    )
}

fn kms(operation: &str) -> (Class, String, String) {
    (
        Class::Denied,
        format!("AWS may not use the secret's KMS key for {operation}"),
        "allow kms:GenerateDataKey and kms:Decrypt on that key to the caller, in its policy and in the key's, and check that the key is enabled;\n\
         a secret of another account cannot use the default key aws/secretsmanager".to_owned(),
    )
}

fn unavailable(operation: &str) -> (Class, String, String) {
    (
        Class::Unavailable,
        format!("AWS could not serve {operation}"),
        "run again: a write that was applied is found and kept; see the AWS health page if it goes on".to_owned(),
    )
}

/// The resources for a policy: the ARN, or a pattern for an ARN that is not known. Reads of an absent secret are authorized
/// by its bare name, so a policy with only the pattern would deny them instead of reporting that the secret does not exist.
fn resources(operation: &str, message: &str, subject: Subject<'_>, region: &str) -> String {
    if let Some(arn) = subject.arn {
        return arn.to_owned();
    }
    if subject.id.starts_with("arn:") {
        return subject.id.to_owned();
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
