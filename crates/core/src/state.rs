//! The observed state of a secret, in SDK-independent types. Must not make decisions.

use crate::quote::ForeignText;
use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::labels::{CURRENT, PREVIOUS};
use crate::value::SecretValue;

/// Version ids and the staging labels they hold.
pub type VersionLabels = BTreeMap<String, Vec<String>>;

/// The version that holds a label.
pub(crate) fn holder<'a>(versions: &'a VersionLabels, label: &str) -> Option<&'a str> {
    let mut versions = versions.iter();
    let (id, _) = versions.find(|(_, labels)| labels.iter().any(|held| held == label))?;
    Some(id)
}

/// The part of the DescribeSecret response that is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretMetadata {
    /// The full ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The description; `None` if it is empty or absent.
    pub description: Option<String>,
    /// The KMS key; `None` for the AWS managed key.
    pub kms_key_id: Option<String>,
    /// All tags, including those of AWS (`aws:`).
    pub tags: BTreeMap<String, String>,
    /// Whether it is scheduled for deletion.
    pub deleted: bool,
    /// The AWS service that manages the secret.
    pub owning_service: Option<String>,
    /// The region of the primary; only present if the secret is replicated.
    pub primary_region: Option<String>,
    /// Whether rotation is enabled.
    pub rotation_enabled: bool,
    /// Its replicas.
    pub replicas: Vec<Replica>,
    /// The versions with labels; AWS omits the others.
    pub versions: VersionLabels,
}

impl SecretMetadata {
    /// The version that holds a label.
    pub fn holder(&self, label: &str) -> Option<&str> {
        holder(&self.versions, label)
    }

    /// Whether a version was AWSCURRENT and has been replaced since an observation in which `current` and `previous` held
    /// AWSCURRENT and AWSPREVIOUS. Only detects the last replacement.
    pub fn has_replaced(&self, id: &str, current: Option<&str>, previous: Option<&str>) -> bool {
        let now = self.holder(CURRENT);
        self.holder(PREVIOUS) == Some(id)
            && now != Some(id)
            && (previous != Some(id) || now != current)
    }

    /// All labels, each with the version that holds it.
    pub(crate) fn all_labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let versions = self.versions.iter();
        versions.flat_map(|(id, labels)| labels.iter().map(|label| (label.as_str(), id.as_str())))
    }

    /// The replica in a region.
    pub(crate) fn replica(&self, region: &str) -> Option<&Replica> {
        self.replicas
            .iter()
            .find(|replica| replica.region == region)
    }

    /// The labels of a version.
    pub fn labels(&self, version: &str) -> Vec<String> {
        self.versions.get(version).cloned().unwrap_or_default()
    }
}

/// A replica, as returned by DescribeSecret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its region.
    pub region: String,
    /// Its KMS key; `None` for the AWS managed key.
    pub kms_key_id: Option<String>,
    /// The state of the replication.
    pub status: ReplicaStatus,
}

/// A page of ListSecrets.
#[derive(Debug, Default)]
pub struct SecretPage {
    /// The secrets. ListSecrets does not return replicas, so their lists are empty.
    pub secrets: Vec<SecretMetadata>,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
}

/// The state of a replication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicaStatus {
    /// The replica can be read and follows the primary.
    InSync,
    /// The first copy is in progress.
    InProgress,
    /// The replication failed, with the message from AWS.
    Failed(ForeignText),
}

/// A version, as returned by ListSecretVersionIds.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionInfo {
    /// Its id.
    pub id: String,
    /// When it was created, in seconds since 1970.
    pub created: Option<f64>,
    /// Its labels.
    pub labels: Vec<String>,
}

/// A version and its value, as returned by GetSecretValue.
pub struct SecretVersion {
    /// The full ARN of the secret.
    pub arn: String,
    /// The name of the secret.
    pub name: String,
    /// The version that was read.
    pub version_id: String,
    /// Its labels.
    pub stages: Vec<String>,
    /// Its value.
    pub value: SecretValue,
}

/// The entry of one secret in a BatchGetSecretValue response.
pub struct BatchEntry {
    /// The name or ARN it was requested by.
    pub id: String,
    /// The result that GetSecretValue would have returned without a staging label in the request.
    pub version: Result<Option<SecretVersion>, StoreError>,
}

impl BatchEntry {
    /// Whether reading this secret was denied. This does not imply that GetSecretValue is denied: a policy may require a
    /// request to name the staging label, which BatchGetSecretValue cannot do.
    pub fn is_denied(&self) -> bool {
        self.version.as_ref().is_err_and(StoreError::is_denied)
    }
}

/// The state that a plan is based on.
pub enum Observed {
    /// The secret does not exist, according to DescribeSecret.
    Absent,
    /// The secret exists.
    Present(Box<Present>),
    /// DescribeSecret is denied, so only the GetSecretValue response is known.
    NotDescribable(Box<NotDescribable>),
}

/// A secret that can be described.
pub struct Present {
    /// The DescribeSecret response.
    pub secret: SecretMetadata,
    /// The value of the version with the request's first label, if it was read.
    pub value: Option<SecretValue>,
    /// The error, if reading the value was denied.
    pub unread: Option<StoreError>,
    /// The AWSCURRENT value, if the first label is a different one and its version does not hold the requested value.
    pub current: Option<SecretValue>,
    /// Its resource policy.
    pub policy: PolicyView,
    /// The time of the observation, in seconds since 1970.
    pub at: u64,
}

/// A secret for which DescribeSecret is denied.
pub struct NotDescribable {
    /// The denial.
    pub denied: StoreError,
    /// The GetSecretValue response.
    pub value: ValueView,
    /// Its resource policy.
    pub policy: PolicyView,
}

/// The GetResourcePolicy response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PolicyView {
    /// Not called, because the request has no policy.
    #[default]
    NotRequested,
    /// Reading the policy is denied.
    Denied(StoreError),
    /// The policy, or none.
    Known(Option<String>),
}

/// The GetSecretValue response for a secret that cannot be described.
pub enum ValueView {
    /// Denied, or not requested.
    Unread(Option<StoreError>),
    /// The secret does not exist, or has no value.
    NoValue,
    /// The secret is scheduled for deletion (InvalidRequestException).
    Deleted(StoreError),
    /// The current version.
    Value(Box<SecretVersion>),
}

/// The result of ValidateResourcePolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validation {
    /// Whether the policy may be attached.
    pub passed: bool,
    /// The checks that failed.
    pub findings: Vec<Finding>,
}

/// A check that a policy failed. AWS writes the text, and does not document the set of checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the check.
    pub check: ForeignText,
    /// The explanation.
    pub message: ForeignText,
}
