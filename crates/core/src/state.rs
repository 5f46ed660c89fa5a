//! A secret as the store's answers show it, in types of our own. Holds what was seen and decides nothing.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::value::SecretValue;

/// Version ids and the staging labels they hold.
pub type VersionLabels = BTreeMap<String, Vec<String>>;

/// What DescribeSecret says, as far as it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretMetadata {
    /// The full ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// `None` where there is none.
    pub description: Option<String>,
    /// `None` for the AWS managed key.
    pub kms_key_id: Option<String>,
    /// All tags, those of AWS (`aws:`) included.
    pub tags: BTreeMap<String, String>,
    /// Whether it is scheduled for deletion.
    pub deleted: bool,
    /// The AWS service that manages it, where one does.
    pub owning_service: Option<String>,
    /// The region of the primary; present only where the secret is replicated.
    pub primary_region: Option<String>,
    /// Whether rotation is enabled.
    pub rotation_enabled: bool,
    /// Its replicas.
    pub replicas: Vec<Replica>,
    /// Labeled versions only: AWS leaves versions without labels out.
    pub versions: VersionLabels,
}

impl SecretMetadata {
    /// The version that holds a label.
    #[must_use]
    pub fn holder(&self, label: &str) -> Option<&str> {
        self.versions
            .iter()
            .find(|(_, labels)| labels.iter().any(|held| held == label))
            .map(|(id, _)| id.as_str())
    }

    /// The replica in a region.
    pub(crate) fn replica(&self, region: &str) -> Option<&Replica> {
        self.replicas
            .iter()
            .find(|replica| replica.region == region)
    }

    /// The labels of a version.
    #[must_use]
    pub fn labels(&self, version: &str) -> Vec<String> {
        self.versions.get(version).cloned().unwrap_or_default()
    }
}

/// A replica, as DescribeSecret shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its region.
    pub region: String,
    /// The KMS key there; `None` for the AWS managed key.
    pub kms_key_id: Option<String>,
    /// The state of the replication.
    pub status: ReplicaStatus,
}

/// The state of a replication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicaStatus {
    /// The replica can be read and follows the primary.
    InSync,
    /// The first copy is under way.
    InProgress,
    /// AWS gave up, with its message.
    Failed(String),
}

/// A version, as ListSecretVersionIds shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionInfo {
    /// Its id.
    pub id: String,
    /// When it was created, in seconds since 1970.
    pub created: Option<f64>,
}

/// A version and its value, as GetSecretValue shows it.
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

/// One secret's part of an answer to BatchGetSecretValue.
pub struct BatchEntry {
    /// The name or ARN it was requested by.
    pub id: String,
    /// What GetSecretValue would have answered.
    pub version: Result<Option<SecretVersion>, StoreError>,
}

/// What is known of a secret before a plan is made.
pub enum Observed {
    /// DescribeSecret says that it does not exist.
    Absent,
    /// It exists.
    Present(Box<Present>),
    /// DescribeSecret is denied; what GetSecretValue could tell.
    NotDescribable(Box<NotDescribable>),
}

/// A secret that can be described.
pub struct Present {
    /// What DescribeSecret says.
    pub secret: SecretMetadata,
    /// The value of the version that holds the request's first label, where it was read.
    pub value: Option<SecretValue>,
    /// Why it was not read although it should have been.
    pub unread: Option<StoreError>,
    /// Its resource policy.
    pub policy: PolicyView,
    /// When it was observed, in seconds since 1970.
    pub at: u64,
}

/// A secret that DescribeSecret is denied for.
pub struct NotDescribable {
    /// The denial.
    pub denied: StoreError,
    /// What GetSecretValue said.
    pub value: ValueView,
    /// Its resource policy.
    pub policy: PolicyView,
}

/// What is known of the resource policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PolicyView {
    /// Nothing: the request has no policy to compare with.
    #[default]
    NotRequested,
    /// Nothing: reading it is denied.
    Denied(StoreError),
    /// The policy, or none.
    Known(Option<String>),
}

/// All that GetSecretValue can tell of a secret.
pub enum ValueView {
    /// Denied, or not requested.
    Unread(Option<StoreError>),
    /// There is no such secret, or it has no value.
    NoValue,
    /// InvalidRequestException: it is scheduled for deletion.
    Deleted(StoreError),
    /// It exists and has this value.
    Value(Box<SecretVersion>),
}

/// The result of ValidateResourcePolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validation {
    /// Whether the policy may be attached.
    pub passed: bool,
    /// Why not.
    pub findings: Vec<Finding>,
}

/// One check that a policy did not pass. The words are AWS's; which checks exist is not documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the check.
    pub check: String,
    /// What is wrong.
    pub message: String,
}
