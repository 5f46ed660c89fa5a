//! All errors that AWS returns, and what the user reads about them: one row per situation, in one place, so that they can be
//! reviewed from top to bottom. The first matching row is shown. Only data; `service` matches it and fills it in.
//!
//! Placeholders: `{operation}`, `{secret}`, `{region}`, `{account}`, `{code}`; `{action}` and `{resources}`, the permission
//! that is missing; `{key}`, the KMS key that the call used. Names of inputs are in backticks, so that they can be spelled
//! as the user wrote them.
//!
//! Codes and messages: the API model of Secrets Manager and STS, and responses recorded on AWS.

use upsert_secret_core::failure::Class::{
    self, Conflict, Credentials, Denied, Input, Limit, Refused, Unavailable,
};

/// A situation and its explanation.
pub(super) struct Row {
    /// The operations; empty for all.
    pub(super) operations: &'static [&'static str],
    /// The AWS error codes; empty for all.
    pub(super) codes: &'static [&'static str],
    /// Parts of the AWS message, at least one of which must occur; empty for any message.
    pub(super) phrases: &'static [&'static str],
    /// An additional condition.
    pub(super) fact: Fact,
    /// The class of the failure.
    pub(super) class: Class,
    /// The headline.
    pub(super) what: &'static str,
    /// The next step.
    pub(super) next: &'static str,
}

/// A condition that this run knows, apart from the AWS response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// No further condition.
    None,
    /// The HTTP status is 500 or above.
    ServerError,
    /// The error is about a KMS key.
    Key,
    /// The call used the KMS key that the request specifies, whatever the error is about.
    NewKey,
    /// The error is about the KMS key that the request specifies.
    AboutNewKey,
    /// The error is about that key, whose ARN is in a different region than the secret.
    KeyOfOtherRegion,
    /// The request gives no tags, or no KMS key.
    LacksTagsOrKey,
    /// A session token was sent with a long-term access key.
    StrayToken,
    /// A temporary access key was sent without a session token.
    LacksToken,
    /// The region must be enabled for an account before it can be used.
    OptInRegion,
}

const fn row(
    operations: &'static [&'static str],
    codes: &'static [&'static str],
    phrases: &'static [&'static str],
    fact: Fact,
    class: Class,
    what: &'static str,
    next: &'static str,
) -> Row {
    Row {
        operations,
        codes,
        phrases,
        fact,
        class,
        what,
        next,
    }
}

const ANY: &[&str] = &[];
const CREATE: &[&str] = &["CreateSecret"];
const PUT: &[&str] = &["PutSecretValue"];
const UPDATE: &[&str] = &["UpdateSecret"];
const READS: &[&str] = &[
    "DescribeSecret",
    "GetSecretValue",
    "BatchGetSecretValue",
    "ListSecretVersionIds",
    "GetResourcePolicy",
];
const VALUE_READS: &[&str] = &["GetSecretValue", "BatchGetSecretValue"];
const POLICY: &[&str] = &["ValidateResourcePolicy", "PutResourcePolicy"];
const TAGS: &[&str] = &["TagResource", "UntagResource"];
const REPLICAS: &[&str] = &["ReplicateSecretToRegions", "RemoveRegionsFromReplication"];
const LABELS: &[&str] = &["UpdateSecretVersionStage"];

const DENIED: &[&str] = &["AccessDeniedException"];
const NOT_FOUND: &[&str] = &["ResourceNotFoundException"];
const EXISTS: &[&str] = &["ResourceExistsException"];
const STATE: &[&str] = &["InvalidRequestException"];
const QUOTA: &[&str] = &["LimitExceededException"];
const INVALID: &[&str] = &["InvalidParameterException", "ValidationException"];
/// Error codes for a KMS key problem, if the message says so. AWS uses InvalidParameterException for CreateSecret and
/// UpdateSecret; emulators use ResourceNotFoundException.
const KEY: &[&str] = &[
    "EncryptionFailure",
    "DecryptionFailure",
    "AccessDeniedException",
    "InvalidParameterException",
    "ResourceNotFoundException",
    "NotFoundException",
];
const CRYPTO: &[&str] = &["EncryptionFailure", "DecryptionFailure"];
const UNKNOWN_CREDENTIALS: &[&str] = &[
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
];
const SIGNATURE: &[&str] = &[
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "RequestTimeTooSkewed",
];

const RUN_AGAIN: &str = "run again: a write that was applied is found and kept; check the AWS Health Dashboard if it happens again";
const SET_KEY: &str = "set `kms-key-id` to a key of that account and region: its ARN, its ID, or `alias/` and the name of an \
     alias; a key of another account needs its full ARN";

// Keep one row per line, aligned like a table.
#[rustfmt::skip]
pub(super) static TABLE: &[Row] = &[
    // The KMS key.
    row(ANY, KEY, ANY, Fact::KeyOfOtherRegion, Input,
        "{key} is in another region than the secret, which is in {region}",
        "set `kms-key-id` to a key of {region}; a multi-Region key has an ARN in each of its regions"),
    row(ANY, KEY, &["is disabled", "DisabledException"], Fact::Key, Refused,
        "{key} is disabled",
        "enable the key, or set `kms-key-id` to another one"),
    row(ANY, KEY, &["pending deletion", "PendingDeletion"], Fact::Key, Refused,
        "{key} is pending deletion",
        "cancel the deletion and enable the key, or set `kms-key-id` to another one"),
    row(ANY, KEY, &["or you are not allowed to access"], Fact::Key, Denied,
        "{key} does not exist in {region}, or the caller is not allowed to use it",
        "check the key, and allow kms:GenerateDataKey and kms:Decrypt on it, in the caller's policy and in the key's policy"),
    row(VALUE_READS, KEY, &["to perform: kms:", "Access to KMS"], Fact::Key, Denied,
        "the caller is not allowed to decrypt with {key}",
        "allow kms:Decrypt on the key, in the caller's policy and in the key's policy; a secret that is read from another \
         account cannot use the default key aws/secretsmanager"),
    row(ANY, KEY, &["to perform: kms:", "Access to KMS"], Fact::Key, Denied,
        "the caller is not allowed to use {key}",
        "allow kms:GenerateDataKey and kms:Decrypt on the key, in the caller's policy and in the key's policy; a secret that \
         is written from another account cannot use the default key aws/secretsmanager"),
    row(ANY, KEY, &["not found", "not exist", "n't exist", "NotFoundException", "Invalid keyId", "n't find"], Fact::AboutNewKey, Input,
        "{key} does not exist in {account}, region {region}", SET_KEY),
    row(ANY, INVALID, ANY, Fact::AboutNewKey, Input,
        "AWS does not accept {key}; it was looked up in {account}, region {region}", SET_KEY),
    row(CREATE, NOT_FOUND, ANY, Fact::NewKey, Input,
        "{key} does not exist in {account}, region {region}", SET_KEY),
    row(UPDATE, NOT_FOUND, &["specified secret"], Fact::None, Conflict,
        "{secret} was deleted during this run",
        "run again: the secret is created then"),
    row(UPDATE, NOT_FOUND, ANY, Fact::NewKey, Input,
        "{key} does not exist in {account}, region {region}", SET_KEY),
    row(ANY, CRYPTO, &["not found", "not exist", "n't exist", "NotFoundException", "Invalid keyId", "n't find"], Fact::None, Refused,
        "{key} does not exist",
        "set `kms-key-id` to a key that exists; a value that only the old key can decrypt is lost with it"),
    row(ANY, &["DecryptionFailure"], ANY, Fact::None, Denied,
        "AWS cannot decrypt {secret} with its KMS key",
        "check that the key exists and is enabled, and that the caller is allowed kms:Decrypt on it"),
    row(ANY, &["EncryptionFailure"], ANY, Fact::None, Denied,
        "AWS cannot encrypt {secret} with {key}",
        "check that the key exists and is enabled, and that the caller is allowed kms:GenerateDataKey and kms:Decrypt on it"),

    // Permissions.
    row(CREATE, DENIED, &["explicit deny"], Fact::LacksTagsOrKey, Denied,
        "an explicit deny forbids {action} on {secret}",
        "if the deny requires tags or a KMS key on new secrets, as service control policies do, set `tags` or `kms-key-id`;\n\
         otherwise change the deny:\n  action    secretsmanager:{action}\n  resource  {resources}"),
    row(ANY, DENIED, &["explicit deny"], Fact::None, Denied,
        "an explicit deny forbids {action} on {secret}",
        "exempt the caller from that deny, and allow this in its policy:\n  action    secretsmanager:{action}\n  resource  {resources}"),
    row(ANY, DENIED, ANY, Fact::None, Denied,
        "permission denied: {action} on {secret}",
        "allow this in the caller's policy:\n  action    secretsmanager:{action}\n  resource  {resources}"),

    // Credentials.
    row(ANY, UNKNOWN_CREDENTIALS, ANY, Fact::StrayToken, Credentials,
        "AWS rejected the credentials: a session token was sent with a long-term access key (AKIA…)",
        "remove the token (AWS_SESSION_TOKEN, or `aws_session_token` in the profile), or set the temporary access key (ASIA…) that it \
         belongs to"),
    row(ANY, UNKNOWN_CREDENTIALS, ANY, Fact::LacksToken, Credentials,
        "AWS rejected the credentials: a temporary access key (ASIA…) was sent without its session token",
        "set AWS_SESSION_TOKEN, or `aws_session_token` in the profile, beside the key"),
    row(ANY, UNKNOWN_CREDENTIALS, ANY, Fact::OptInRegion, Credentials,
        "AWS does not recognize these credentials in {region}, a region that accounts must enable before use",
        "enable {region} for the account; a new region also rejects session tokens that STS issued at its global endpoint"),
    row(ANY, UNKNOWN_CREDENTIALS, ANY, Fact::None, Credentials,
        "AWS does not recognize these credentials",
        "check the access key and the session token, in the environment or the profile: has the key been deleted, or does it belong to \
         another partition?"),
    row(ANY, SIGNATURE, &["scoped to a valid region", "scoped to correct region"], Fact::None, Input,
        "AWS does not accept {region} as the region of this request",
        "set `aws-region` to the name of a region, such as us-east-1; AWS_USE_FIPS_ENDPOINT=true selects FIPS endpoints, and an \
         endpoint that AWS_ENDPOINT_URL names must be in the same region"),
    row(ANY, SIGNATURE, &["Signature expired", "not yet current", "too skewed", "RequestTimeTooSkewed"], Fact::None, Credentials,
        "AWS rejected the signature: this machine's clock differs from AWS's",
        "set the clock of this machine, for example with NTP"),
    row(ANY, SIGNATURE, ANY, Fact::None, Credentials,
        "AWS rejected the signature",
        "check the secret access key, in the environment or the profile (is it truncated, or does it have an extra character?), and this \
         machine's clock"),
    row(ANY, &["ExpiredTokenException", "ExpiredToken", "RequestExpired"], ANY, Fact::None, Credentials,
        "the AWS credentials have expired",
        "obtain new credentials right before this step, or a longer session (`role-duration-seconds`)"),
    row(ANY, &["RegionDisabledException"], ANY, Fact::None, Credentials,
        "STS is not enabled in {region} for this account",
        "enable the region in the account's settings"),
    // STS codes, for GetCallerIdentity. Secrets Manager codes end in `Exception`.
    row(ANY, &["AccessDenied"], ANY, Fact::None, Credentials,
        "an explicit deny forbids {operation} to these credentials",
        "change the deny that AWS names: without {operation}, `allowed-account-ids` cannot be checked"),
    row(ANY, &["OptInRequired", "SubscriptionRequiredException"], ANY, Fact::None, Credentials,
        "the AWS account is not subscribed to Secrets Manager in {region}",
        "complete the sign-up of the account, or enable the region {region} for it"),

    // Quotas.
    row(CREATE, QUOTA, ANY, Fact::None, Limit,
        "the account's quota of secrets in {region} is exhausted",
        "delete secrets that are not used, or request a higher quota in Service Quotas"),
    row(PUT, QUOTA, ANY, Fact::None, Limit,
        "{secret} has as many versions or staging labels as AWS allows",
        "wait a day, write less often, or remove staging labels: AWS keeps about 100 versions and never removes those younger \
         than a day, and allows 20 staging labels"),
    row(LABELS, QUOTA, ANY, Fact::None, Limit,
        "{secret} has as many staging labels as AWS allows, which is 20",
        "remove staging labels that are not used"),
    row(TAGS, QUOTA, ANY, Fact::None, Limit,
        "{secret} has as many tags as AWS allows, which is 50",
        "list fewer `tags`, or remove some with `tag-policy: replace`"),
    row(ANY, QUOTA, ANY, Fact::None, Limit,
        "a quota of Secrets Manager is exhausted for {secret}",
        "look up the quota that AWS names in the Secrets Manager documentation"),

    // Outages.
    row(ANY, &["ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException"], ANY, Fact::None, Unavailable,
        "AWS throttled {operation}",
        "run again later; all callers of an account share its requests per second in a region"),
    row(ANY, &["InternalServiceError", "InternalServiceErrorException", "InternalFailure", "ServiceUnavailable", "ServiceUnavailableException"], ANY, Fact::None, Unavailable,
        "AWS could not process {operation}",
        RUN_AGAIN),
    row(ANY, ANY, ANY, Fact::ServerError, Unavailable,
        "AWS could not process {operation}",
        RUN_AGAIN),

    // Secrets that are created or deleted during the run.
    row(CREATE, EXISTS, &["ClientRequestToken"], Fact::None, Conflict,
        "the version ID of this write is in use for another value of {secret}",
        "run again"),
    row(CREATE, EXISTS, ANY, Fact::None, Conflict,
        "{secret} was created by another writer during this run",
        "run again: the secret is updated then"),
    row(ANY, EXISTS, ANY, Fact::None, Conflict,
        "the version ID of this write is in use for another value of {secret}",
        "run again"),
    row(CREATE, NOT_FOUND, ANY, Fact::None, Refused,
        "AWS did not find something that the new secret {secret} refers to",
        "correct what AWS names, for example a KMS key in `replica-regions`"),
    row(READS, NOT_FOUND, ANY, Fact::None, Refused,
        "{secret} does not exist in {region}",
        "check the name and the region"),
    row(ANY, NOT_FOUND, ANY, Fact::None, Conflict,
        "{secret} was deleted during this run",
        "run again: the secret is created then"),

    // The state of the secret.
    row(CREATE, STATE, &["scheduled for deletion", "marked for deletion"], Fact::None, Refused,
        "{secret} is scheduled for deletion",
        "set `on-scheduled-deletion: restore` to restore it, or choose another name"),
    row(CREATE, STATE, &["was deleted"], Fact::None, Refused,
        "{secret} has just been deleted, and AWS still reserves its name",
        "run again in a minute"),
    row(ANY, STATE, &["scheduled for deletion", "marked for deletion", "was deleted"], Fact::None, Refused,
        "{secret} is scheduled for deletion",
        "set `on-scheduled-deletion: restore` to restore it, or choose another name"),
    row(ANY, STATE, &["managed by", "owned by"], Fact::None, Refused,
        "{secret} is managed by another AWS service",
        "change the value in that service, or use a secret with another name"),
    row(ANY, STATE, &["otation"], Fact::None, Refused,
        "AWS rejected {operation} because of the rotation of {secret}",
        "wait until the rotation has ended, or cancel it"),
    row(ANY, STATE, ANY, Fact::None, Refused,
        "AWS rejected {operation} in the current state of {secret}",
        "open the secret in the AWS console and compare its state with what AWS answered"),
    row(POLICY, &["PublicPolicyException"], ANY, Fact::None, Refused,
        "the resource policy grants access to the public",
        "name principals in `resource-policy`, or set `allow-public-policy: true` if public access is intended"),
    row(ANY, &["PreconditionNotMetException"], ANY, Fact::None, Conflict,
        "AWS rejected {operation} because of a precondition",
        "run again: the secret is read again then"),
    row(ANY, INVALID, &["replica secret"], Fact::None, Refused,
        "{secret} in {region} is a replica, which cannot be written",
        "set `aws-region` to the primary region; AWS updates the replica from there"),

    // Inputs that only AWS can check.
    row(POLICY, &["MalformedPolicyDocumentException"], &["rincipal"], Fact::None, Input,
        "the resource policy names a principal that does not exist",
        "correct `resource-policy`: every principal must exist, in the same partition"),
    row(POLICY, &["MalformedPolicyDocumentException", "InvalidParameterException", "ValidationException"], ANY, Fact::None, Input,
        "AWS rejected the resource policy",
        "correct `resource-policy`"),
    row(TAGS, INVALID, ANY, Fact::None, Input,
        "AWS rejected the tags",
        "correct `tags`"),
    row(&["CreateSecret", "ReplicateSecretToRegions", "RemoveRegionsFromReplication"], INVALID, &["replica region", "replica Region", "Replica"], Fact::None, Input,
        "AWS rejected the replica regions",
        "correct `replica-regions`"),
    row(REPLICAS, INVALID, ANY, Fact::None, Input,
        "AWS rejected the replica regions",
        "correct `replica-regions`"),
    row(UPDATE, INVALID, ANY, Fact::NewKey, Input,
        "AWS rejected the description or the KMS key",
        "correct `description` or `kms-key-id`"),
    row(UPDATE, INVALID, ANY, Fact::None, Input,
        "AWS rejected the description",
        "correct `description`"),
    row(LABELS, INVALID, ANY, Fact::None, Conflict,
        "AWS did not move the staging label of {secret}: another writer may have moved it first",
        "run again: the labels are read again then"),
    row(READS, INVALID, ANY, Fact::None, Input,
        "AWS rejected the request to read {secret}",
        "correct the input that AWS names, such as `name` or a staging label"),
    row(&["GetCallerIdentity"], INVALID, ANY, Fact::None, Credentials,
        "AWS rejected the request for the caller's identity",
        "check the credentials"),
    row(ANY, INVALID, ANY, Fact::None, Input,
        "AWS rejected an input of {operation}",
        "correct the input that AWS names"),
];

/// The explanation for a code without a row.
pub(super) static UNKNOWN: Row = row(
    ANY,
    ANY,
    ANY,
    Fact::None,
    Unavailable,
    "AWS answered {operation} with {code}",
    "look up the code in the API reference of the service, and run again if the error may be temporary",
);
