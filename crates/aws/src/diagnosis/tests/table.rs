//! The table of AWS errors: every situation is explained by its own row, and every row is used.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use upsert_secret_core::quote::ForeignText;

use insta::assert_snapshot;
use upsert_secret_core::store::{Asked, Subject};

use super::super::service::{self, Situation};
use super::super::table::{TABLE, UNKNOWN};
use crate::caller::{Caller, KeyPair};

const OPERATIONS: &[&str] = &[
    "DescribeSecret",
    "GetSecretValue",
    "BatchGetSecretValue",
    "ListSecretVersionIds",
    "ListSecrets",
    "GetResourcePolicy",
    "ValidateResourcePolicy",
    "PutResourcePolicy",
    "CreateSecret",
    "PutSecretValue",
    "UpdateSecret",
    "RestoreSecret",
    "TagResource",
    "UntagResource",
    "ReplicateSecretToRegions",
    "RemoveRegionsFromReplication",
    "UpdateSecretVersionStage",
    "GetCallerIdentity",
];

/// The codes of Secrets Manager's API model, those common to all services, and responses without a code.
const CODES: &[&str] = &[
    "AccessDeniedException",
    "DecryptionFailure",
    "EncryptionFailure",
    "InternalServiceError",
    "InvalidParameterException",
    "InvalidRequestException",
    "LimitExceededException",
    "MalformedPolicyDocumentException",
    "PreconditionNotMetException",
    "PublicPolicyException",
    "ResourceExistsException",
    "ResourceNotFoundException",
    "ValidationException",
    "ThrottlingException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "ExpiredTokenException",
    "AccessDenied",
    "RegionDisabledException",
    "OptInRequired",
    "MadeUpException",
];

#[derive(Clone, Copy, Default)]
struct Known {
    key: Option<&'static str>,
    has_tags: bool,
    region: Option<&'static str>,
    key_pair: Option<KeyPair>,
    status: u16,
}

fn with<T>(
    (operation, code, message): (&str, &str, &str),
    known: Known,
    look: impl FnOnce(&Situation<'_>) -> T,
) -> T {
    let caller = Caller {
        region: known.region.unwrap_or("eu-west-1").to_owned(),
        key_pair: known.key_pair,
        ..Caller::default()
    };
    let asked = Asked {
        kms_key_id: known.key,
        has_tags: known.has_tags,
    };
    look(&Situation {
        operation,
        code,
        message: &ForeignText::new(message),
        status: known.status,
        subject: Subject {
            asked,
            ..Subject::new("prod/key", "prod/key")
        },
        caller: &caller,
    })
}

/// The position of the table's row, for comparisons.
fn index(situation: &Situation<'_>) -> usize {
    let row = service::row(situation);
    let found = TABLE.iter().position(|other| std::ptr::eq(other, row));
    found.unwrap_or(TABLE.len())
}

const KEY: Known = Known {
    key: Some("alias/made-up"),
    has_tags: true,
    region: None,
    key_pair: None,
    status: 400,
};
const NOTHING: Known = Known { key: None, ..KEY };

const DENY: &str = "User: arn:aws:sts::111122223333:assumed-role/ci/job is not authorized to perform: \
     secretsmanager:CreateSecret on resource: prod/key with an explicit deny in a service control policy";
const ALLOW: &str = "User: arn:aws:sts::111122223333:assumed-role/ci/job is not authorized to perform: \
     secretsmanager:TagResource on resource: prod/key because no identity-based policy allows it";
const KMS: &str = "Access to KMS is not allowed";
const CANNOT_FIND: &str = "Secrets Manager can't find the specified secret.";

#[test]
fn each_situation_has_its_own_text() {
    let other_region = Known {
        key: Some("arn:aws:kms:us-east-1:111122223333:key/made-up"),
        ..KEY
    };
    let key_pair = |key_pair| Known {
        key_pair: Some(key_pair),
        ..NOTHING
    };
    let region = |region| Known {
        region: Some(region),
        ..NOTHING
    };
    let server_error = Known {
        status: 503,
        ..NOTHING
    };
    let create = "CreateSecret";
    #[rustfmt::skip]
    let cases: &[(&str, &str, &str, Known)] = &[
        (create, "InvalidParameterException", "The operation failed because of an invalid KMS key: not in this region", other_region),
        ("UpdateSecret", "InvalidParameterException", "The operation failed because of an invalid KMS key: it is disabled", KEY),
        ("PutSecretValue", "EncryptionFailure", "the key is pending deletion", NOTHING),
        ("PutSecretValue", "AccessDeniedException", "The KMS key does not exist, or you are not allowed to access it", NOTHING),
        ("GetSecretValue", "AccessDeniedException", KMS, KEY),
        ("PutSecretValue", "AccessDeniedException", KMS, KEY),
        (create, "InvalidParameterException", "The operation failed because of an invalid KMS key: Alias alias/made-up is not found.", KEY),
        (create, "InvalidParameterException", "The operation failed because of an invalid KMS key: made up", KEY),
        (create, "ResourceNotFoundException", "made up", KEY),
        ("PutSecretValue", "EncryptionFailure", "NotFoundException", NOTHING),
        ("GetSecretValue", "DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key.", KEY),
        (create, "EncryptionFailure", "Check that the KMS key is available, enabled, and not in an invalid state.", KEY),
        (create, "AccessDeniedException", DENY, NOTHING),
        (create, "AccessDeniedException", DENY, KEY),
        (create, "AccessDeniedException", ALLOW, KEY),
        ("DescribeSecret", "UnrecognizedClientException", "", key_pair(KeyPair::StrayToken)),
        ("DescribeSecret", "UnrecognizedClientException", "", key_pair(KeyPair::LacksToken)),
        ("DescribeSecret", "UnrecognizedClientException", "", region("ap-east-1")),
        ("DescribeSecret", "UnrecognizedClientException", "", NOTHING),
        ("DescribeSecret", "InvalidSignatureException", "Credential should be scoped to a valid region.", region("us-east-1-fips")),
        ("DescribeSecret", "InvalidSignatureException", "Signature expired: 20261126T000000Z", NOTHING),
        ("DescribeSecret", "InvalidSignatureException", "", NOTHING),
        ("DescribeSecret", "ExpiredTokenException", "", NOTHING),
        ("GetCallerIdentity", "RegionDisabledException", "", NOTHING),
        ("GetCallerIdentity", "AccessDenied", "", NOTHING),
        ("DescribeSecret", "OptInRequired", "", NOTHING),
        (create, "LimitExceededException", "", NOTHING),
        ("PutSecretValue", "LimitExceededException", "", NOTHING),
        ("UpdateSecretVersionStage", "LimitExceededException", "", NOTHING),
        ("TagResource", "LimitExceededException", "", NOTHING),
        ("ReplicateSecretToRegions", "LimitExceededException", "", NOTHING),
        ("DescribeSecret", "ThrottlingException", "", NOTHING),
        ("DescribeSecret", "InternalServiceError", "", NOTHING),
        ("DescribeSecret", "HTTP 503", "", server_error),
        (create, "ResourceExistsException", "You can't use ClientRequestToken made-up", NOTHING),
        (create, "ResourceExistsException", "already exists", NOTHING),
        ("PutSecretValue", "ResourceExistsException", "You can't use ClientRequestToken made-up", NOTHING),
        (create, "ResourceNotFoundException", "", NOTHING),
        ("ListSecretVersionIds", "ResourceNotFoundException", CANNOT_FIND, NOTHING),
        ("UpdateSecret", "ResourceNotFoundException", CANNOT_FIND, KEY),
        ("UpdateSecret", "ResourceNotFoundException", "Alias alias/made-up is not found.", KEY),
        ("TagResource", "ResourceNotFoundException", CANNOT_FIND, KEY),
        (create, "InvalidRequestException", "already scheduled for deletion", NOTHING),
        (create, "InvalidRequestException", "because it was deleted", NOTHING),
        ("PutSecretValue", "InvalidRequestException", "because it was marked for deletion", NOTHING),
        ("PutSecretValue", "InvalidRequestException", "the secret is managed by rds", NOTHING),
        ("PutSecretValue", "InvalidRequestException", "A previous rotation isn't complete.", NOTHING),
        ("PutSecretValue", "InvalidRequestException", "", NOTHING),
        ("PutResourcePolicy", "PublicPolicyException", "", NOTHING),
        ("PutSecretValue", "PreconditionNotMetException", "", NOTHING),
        ("PutSecretValue", "InvalidParameterException", "Operation not permitted on a replica secret.", NOTHING),
        ("ValidateResourcePolicy", "MalformedPolicyDocumentException", "unsupported principal", NOTHING),
        ("ValidateResourcePolicy", "MalformedPolicyDocumentException", "This policy has invalid syntax.", NOTHING),
        ("TagResource", "InvalidParameterException", "", NOTHING),
        (create, "InvalidParameterException", "Invalid replica region.", KEY),
        ("ReplicateSecretToRegions", "InvalidParameterException", "", NOTHING),
        ("UpdateSecret", "ValidationException", "1 validation error detected", KEY),
        ("UpdateSecret", "ValidationException", "1 validation error detected", NOTHING),
        ("UpdateSecretVersionStage", "InvalidParameterException", "", NOTHING),
        ("DescribeSecret", "ValidationException", "Invalid name.", NOTHING),
        ("GetCallerIdentity", "ValidationException", "", NOTHING),
        (create, "ValidationException", "1 validation error detected", KEY),
        (create, "MadeUpException", "", NOTHING),
    ];
    let mut text = String::new();
    let mut reached = BTreeSet::new();
    for (operation, code, message, known) in cases {
        with((operation, code, message), *known, |situation| {
            let is_first = reached.insert(index(situation));
            assert!(is_first, "{operation} {code} {message} repeats a situation");
            let failure = service::explain(situation);
            let (class, what, next) = (failure.class.name(), &failure.what, &failure.next);
            let _ = writeln!(text, "{operation} {code}\n  {class}: {what}\n  {next}");
            assert!(
                !format!("{what}{next}").contains(['{', '}']),
                "{what}\n{next}"
            );
        });
    }
    let all: BTreeSet<usize> = (0..=TABLE.len()).collect();
    let missing: Vec<_> = all
        .difference(&reached)
        .map(|&row| TABLE.get(row).unwrap_or(&UNKNOWN).what)
        .collect();
    assert!(missing.is_empty(), "rows without a case: {missing:#?}");
    assert_snapshot!(text, @r"
    CreateSecret InvalidParameterException
      bad input: the KMS key arn:aws:kms:us-east-1:111122223333:key/made-up is in another region than the secret, which is in eu-west-1
      set `kms-key-id` to a key of eu-west-1; a multi-Region key has an ARN in each of its regions
    UpdateSecret InvalidParameterException
      refused by state: the KMS key alias/made-up is disabled
      enable the key, or set `kms-key-id` to another one
    PutSecretValue EncryptionFailure
      refused by state: the KMS key of prod/key is pending deletion
      cancel the deletion and enable the key, or set `kms-key-id` to another one
    PutSecretValue AccessDeniedException
      not allowed: the KMS key of prod/key does not exist in eu-west-1, or the caller is not allowed to use it
      check the key, and allow kms:GenerateDataKey and kms:Decrypt on it, in the caller's policy and in the key's policy
    GetSecretValue AccessDeniedException
      not allowed: the caller is not allowed to decrypt with the KMS key of prod/key
      allow kms:Decrypt on the key, in the caller's policy and in the key's policy; a secret that is read from another account cannot use the default key aws/secretsmanager
    PutSecretValue AccessDeniedException
      not allowed: the caller is not allowed to use the KMS key alias/made-up
      allow kms:GenerateDataKey and kms:Decrypt on the key, in the caller's policy and in the key's policy; a secret that is written from another account cannot use the default key aws/secretsmanager
    CreateSecret InvalidParameterException
      bad input: the KMS key alias/made-up does not exist in the caller's account, region eu-west-1
      set `kms-key-id` to a key of that account and region: its ARN, its ID, or `alias/` and the name of an alias; a key of another account needs its full ARN
    CreateSecret InvalidParameterException
      bad input: AWS does not accept the KMS key alias/made-up; it was looked up in the caller's account, region eu-west-1
      set `kms-key-id` to a key of that account and region: its ARN, its ID, or `alias/` and the name of an alias; a key of another account needs its full ARN
    CreateSecret ResourceNotFoundException
      bad input: the KMS key alias/made-up does not exist in the caller's account, region eu-west-1
      set `kms-key-id` to a key of that account and region: its ARN, its ID, or `alias/` and the name of an alias; a key of another account needs its full ARN
    PutSecretValue EncryptionFailure
      refused by state: the KMS key of prod/key does not exist
      set `kms-key-id` to a key that exists; a value that only the old key can decrypt is lost with it
    GetSecretValue DecryptionFailure
      not allowed: AWS cannot decrypt prod/key with its KMS key
      check that the key exists and is enabled, and that the caller is allowed kms:Decrypt on it
    CreateSecret EncryptionFailure
      not allowed: AWS cannot encrypt prod/key with the KMS key alias/made-up
      check that the key exists and is enabled, and that the caller is allowed kms:GenerateDataKey and kms:Decrypt on it
    CreateSecret AccessDeniedException
      not allowed: an explicit deny forbids CreateSecret on prod/key
      if the deny requires tags or a KMS key on new secrets, as service control policies do, set `tags` or `kms-key-id`;
    otherwise change the deny:
      action    secretsmanager:CreateSecret
      resource  arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-??????
    CreateSecret AccessDeniedException
      not allowed: an explicit deny forbids CreateSecret on prod/key
      exempt the caller from that deny, and allow this in its policy:
      action    secretsmanager:CreateSecret
      resource  arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-??????
    CreateSecret AccessDeniedException
      not allowed: permission denied: TagResource on prod/key
      allow this in the caller's policy:
      action    secretsmanager:TagResource
      resource  arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-??????
    DescribeSecret UnrecognizedClientException
      no usable credentials: AWS rejected the credentials: a session token was sent with a long-term access key (AKIA…)
      remove the token (AWS_SESSION_TOKEN, or `aws_session_token` in the profile), or set the temporary access key (ASIA…) that it belongs to
    DescribeSecret UnrecognizedClientException
      no usable credentials: AWS rejected the credentials: a temporary access key (ASIA…) was sent without its session token
      set AWS_SESSION_TOKEN, or `aws_session_token` in the profile, beside the key
    DescribeSecret UnrecognizedClientException
      no usable credentials: AWS does not recognize these credentials in ap-east-1, a region that accounts must enable before use
      enable ap-east-1 for the account; a new region also rejects session tokens that STS issued at its global endpoint
    DescribeSecret UnrecognizedClientException
      no usable credentials: AWS does not recognize these credentials
      check the access key and the session token, in the environment or the profile: has the key been deleted, or does it belong to another partition?
    DescribeSecret InvalidSignatureException
      bad input: AWS does not accept us-east-1-fips as the region of this request
      set `aws-region` to the name of a region, such as us-east-1; AWS_USE_FIPS_ENDPOINT=true selects FIPS endpoints, and an endpoint that AWS_ENDPOINT_URL names must be in the same region
    DescribeSecret InvalidSignatureException
      no usable credentials: AWS rejected the signature: this machine's clock differs from AWS's
      set the clock of this machine, for example with NTP
    DescribeSecret InvalidSignatureException
      no usable credentials: AWS rejected the signature
      check the secret access key, in the environment or the profile (is it truncated, or does it have an extra character?), and this machine's clock
    DescribeSecret ExpiredTokenException
      no usable credentials: the AWS credentials have expired
      obtain new credentials right before this step, or a longer session (`role-duration-seconds`)
    GetCallerIdentity RegionDisabledException
      no usable credentials: STS is not enabled in eu-west-1 for this account
      enable the region in the account's settings
    GetCallerIdentity AccessDenied
      no usable credentials: an explicit deny forbids GetCallerIdentity to these credentials
      change the deny that AWS names: without GetCallerIdentity, `allowed-account-ids` cannot be checked
    DescribeSecret OptInRequired
      no usable credentials: the AWS account is not subscribed to Secrets Manager in eu-west-1
      complete the sign-up of the account, or enable the region eu-west-1 for it
    CreateSecret LimitExceededException
      limit: the account's quota of secrets in eu-west-1 is exhausted
      delete secrets that are not used, or request a higher quota in Service Quotas
    PutSecretValue LimitExceededException
      limit: prod/key has as many versions or staging labels as AWS allows
      wait a day, write less often, or remove staging labels: AWS keeps about 100 versions and never removes those younger than a day, and allows 20 staging labels
    UpdateSecretVersionStage LimitExceededException
      limit: prod/key has as many staging labels as AWS allows, which is 20
      remove staging labels that are not used
    TagResource LimitExceededException
      limit: prod/key has as many tags as AWS allows, which is 50
      list fewer `tags`, or remove some with `tag-policy: replace`
    ReplicateSecretToRegions LimitExceededException
      limit: a quota of Secrets Manager is exhausted for prod/key
      look up the quota that AWS names in the Secrets Manager documentation
    DescribeSecret ThrottlingException
      unavailable: AWS throttled DescribeSecret
      run again later; all callers of an account share its requests per second in a region
    DescribeSecret InternalServiceError
      unavailable: AWS could not process DescribeSecret
      run again: a write that was applied is found and kept; check the AWS Health Dashboard if it happens again
    DescribeSecret HTTP 503
      unavailable: AWS could not process DescribeSecret
      run again: a write that was applied is found and kept; check the AWS Health Dashboard if it happens again
    CreateSecret ResourceExistsException
      conflict: the version ID of this write is in use for another value of prod/key
      run again
    CreateSecret ResourceExistsException
      conflict: prod/key was created by another writer during this run
      run again: the secret is updated then
    PutSecretValue ResourceExistsException
      conflict: the version ID of this write is in use for another value of prod/key
      run again
    CreateSecret ResourceNotFoundException
      refused by state: AWS did not find something that the new secret prod/key refers to
      correct what AWS names, for example a KMS key in `replica-regions`
    ListSecretVersionIds ResourceNotFoundException
      refused by state: prod/key does not exist in eu-west-1
      check the name and the region
    UpdateSecret ResourceNotFoundException
      conflict: prod/key was deleted during this run
      run again: the secret is created then
    UpdateSecret ResourceNotFoundException
      bad input: the KMS key alias/made-up does not exist in the caller's account, region eu-west-1
      set `kms-key-id` to a key of that account and region: its ARN, its ID, or `alias/` and the name of an alias; a key of another account needs its full ARN
    TagResource ResourceNotFoundException
      conflict: prod/key was deleted during this run
      run again: the secret is created then
    CreateSecret InvalidRequestException
      refused by state: prod/key is scheduled for deletion
      set `on-scheduled-deletion: restore` to restore it, or choose another name
    CreateSecret InvalidRequestException
      refused by state: prod/key has just been deleted, and AWS still reserves its name
      run again in a minute
    PutSecretValue InvalidRequestException
      refused by state: prod/key is scheduled for deletion
      set `on-scheduled-deletion: restore` to restore it, or choose another name
    PutSecretValue InvalidRequestException
      refused by state: prod/key is managed by another AWS service
      change the value in that service, or use a secret with another name
    PutSecretValue InvalidRequestException
      refused by state: AWS rejected PutSecretValue because of the rotation of prod/key
      wait until the rotation has ended, or cancel it
    PutSecretValue InvalidRequestException
      refused by state: AWS rejected PutSecretValue in the current state of prod/key
      open the secret in the AWS console and compare its state with what AWS answered
    PutResourcePolicy PublicPolicyException
      refused by state: the resource policy grants access to the public
      name principals in `resource-policy`, or set `allow-public-policy: true` if public access is intended
    PutSecretValue PreconditionNotMetException
      conflict: AWS rejected PutSecretValue because of a precondition
      run again: the secret is read again then
    PutSecretValue InvalidParameterException
      refused by state: prod/key in eu-west-1 is a replica, which cannot be written
      set `aws-region` to the primary region; AWS updates the replica from there
    ValidateResourcePolicy MalformedPolicyDocumentException
      bad input: the resource policy names a principal that does not exist
      correct `resource-policy`: every principal must exist, in the same partition
    ValidateResourcePolicy MalformedPolicyDocumentException
      bad input: AWS rejected the resource policy
      correct `resource-policy`
    TagResource InvalidParameterException
      bad input: AWS rejected the tags
      correct `tags`
    CreateSecret InvalidParameterException
      bad input: AWS rejected the replica regions
      correct `replica-regions`
    ReplicateSecretToRegions InvalidParameterException
      bad input: AWS rejected the replica regions
      correct `replica-regions`
    UpdateSecret ValidationException
      bad input: AWS rejected the description or the KMS key
      correct `description` or `kms-key-id`
    UpdateSecret ValidationException
      bad input: AWS rejected the description
      correct `description`
    UpdateSecretVersionStage InvalidParameterException
      conflict: AWS did not move the staging label of prod/key: another writer may have moved it first
      run again: the labels are read again then
    DescribeSecret ValidationException
      bad input: AWS rejected the request to read prod/key
      correct the input that AWS names, such as `name` or a staging label
    GetCallerIdentity ValidationException
      no usable credentials: AWS rejected the request for the caller's identity
      check the credentials
    CreateSecret ValidationException
      bad input: AWS rejected an input of CreateSecret
      correct the input that AWS names
    CreateSecret MadeUpException
      unavailable: AWS answered CreateSecret with MadeUpException
      look up the code in the API reference of the service, and run again if the error may be temporary
    ");
}

#[test]
fn code_and_operation_decide_without_message() {
    let mut text = String::new();
    for code in CODES {
        let mut by_text: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for operation in OPERATIONS {
            let row = with((operation, code, ""), NOTHING, index);
            by_text.entry(row).or_default().push(operation);
        }
        let _ = writeln!(text, "{code}");
        let usual = by_text.values().map(Vec::len).max();
        for (row, operations) in by_text {
            let row = TABLE.get(row).unwrap_or(&UNKNOWN);
            let operations = if Some(operations.len()) == usual {
                "otherwise".to_owned()
            } else {
                operations.join(", ")
            };
            let _ = writeln!(text, "  {operations}: {}, {}", row.class.name(), row.what);
        }
    }
    assert_snapshot!(text, @r"
    AccessDeniedException
      otherwise: not allowed, permission denied: {action} on {secret}
    DecryptionFailure
      otherwise: not allowed, AWS cannot decrypt {secret} with its KMS key
    EncryptionFailure
      otherwise: not allowed, AWS cannot encrypt {secret} with {key}
    InternalServiceError
      otherwise: unavailable, AWS could not process {operation}
    InvalidParameterException
      ValidateResourcePolicy, PutResourcePolicy: bad input, AWS rejected the resource policy
      TagResource, UntagResource: bad input, AWS rejected the tags
      ReplicateSecretToRegions, RemoveRegionsFromReplication: bad input, AWS rejected the replica regions
      UpdateSecret: bad input, AWS rejected the description
      UpdateSecretVersionStage: conflict, AWS did not move the staging label of {secret}: another writer may have moved it first
      otherwise: bad input, AWS rejected the request to read {secret}
      GetCallerIdentity: no usable credentials, AWS rejected the request for the caller's identity
      ListSecrets, CreateSecret, PutSecretValue, RestoreSecret: bad input, AWS rejected an input of {operation}
    InvalidRequestException
      otherwise: refused by state, AWS rejected {operation} in the current state of {secret}
    LimitExceededException
      CreateSecret: limit, the account's quota of secrets in {region} is exhausted
      PutSecretValue: limit, {secret} has as many versions or staging labels as AWS allows
      UpdateSecretVersionStage: limit, {secret} has as many staging labels as AWS allows, which is 20
      TagResource, UntagResource: limit, {secret} has as many tags as AWS allows, which is 50
      otherwise: limit, a quota of Secrets Manager is exhausted for {secret}
    MalformedPolicyDocumentException
      ValidateResourcePolicy, PutResourcePolicy: bad input, AWS rejected the resource policy
      otherwise: unavailable, AWS answered {operation} with {code}
    PreconditionNotMetException
      otherwise: conflict, AWS rejected {operation} because of a precondition
    PublicPolicyException
      ValidateResourcePolicy, PutResourcePolicy: refused by state, the resource policy grants access to the public
      otherwise: unavailable, AWS answered {operation} with {code}
    ResourceExistsException
      CreateSecret: conflict, {secret} was created by another writer during this run
      otherwise: conflict, the version ID of this write is in use for another value of {secret}
    ResourceNotFoundException
      CreateSecret: refused by state, AWS did not find something that the new secret {secret} refers to
      DescribeSecret, GetSecretValue, BatchGetSecretValue, ListSecretVersionIds, GetResourcePolicy: refused by state, {secret} does not exist in {region}
      otherwise: conflict, {secret} was deleted during this run
    ValidationException
      ValidateResourcePolicy, PutResourcePolicy: bad input, AWS rejected the resource policy
      TagResource, UntagResource: bad input, AWS rejected the tags
      ReplicateSecretToRegions, RemoveRegionsFromReplication: bad input, AWS rejected the replica regions
      UpdateSecret: bad input, AWS rejected the description
      UpdateSecretVersionStage: conflict, AWS did not move the staging label of {secret}: another writer may have moved it first
      otherwise: bad input, AWS rejected the request to read {secret}
      GetCallerIdentity: no usable credentials, AWS rejected the request for the caller's identity
      ListSecrets, CreateSecret, PutSecretValue, RestoreSecret: bad input, AWS rejected an input of {operation}
    ThrottlingException
      otherwise: unavailable, AWS throttled {operation}
    UnrecognizedClientException
      otherwise: no usable credentials, AWS does not recognize these credentials
    InvalidSignatureException
      otherwise: no usable credentials, AWS rejected the signature
    ExpiredTokenException
      otherwise: no usable credentials, the AWS credentials have expired
    AccessDenied
      otherwise: no usable credentials, an explicit deny forbids {operation} to these credentials
    RegionDisabledException
      otherwise: no usable credentials, STS is not enabled in {region} for this account
    OptInRequired
      otherwise: no usable credentials, the AWS account is not subscribed to Secrets Manager in {region}
    MadeUpException
      otherwise: unavailable, AWS answered {operation} with {code}
    ");
}
