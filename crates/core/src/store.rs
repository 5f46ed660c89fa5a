//! The interface of a store: AWS operations as methods, in types that do not depend on an SDK. It does not decide
//! which calls are made.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::failure::Failure;
use crate::state::{BatchEntry, SecretMetadata, SecretVersion, Validation, VersionInfo};
use crate::value::SecretValue;

/// The result of one call.
pub type Call<T> = Result<T, StoreError>;

/// The secrets of one account and region. Each method is one operation, whose request may be retried with the same token.
/// Ids are names or full ARNs.
// Callers run on one thread and name no `Send` bound, so the futures need none.
#[allow(async_fn_in_trait)]
pub trait SecretStore {
    /// The region of the store.
    fn region(&self) -> &str;

    /// Whether the run has been cancelled, so that no further call is sent.
    fn is_cancelled(&self) -> bool;

    /// The same store, usable after a cancellation: only to remove the run's own private labels.
    fn for_cleanup(&self) -> Self
    where
        Self: Sized;

    /// Explains an error to the user.
    fn diagnose(&self, error: &StoreError, subject: Subject<'_>) -> Failure;

    /// DescribeSecret; `None` if the secret does not exist.
    async fn describe(&self, id: &str) -> Call<Option<SecretMetadata>>;

    /// GetSecretValue of the version with a label; `None` if the secret or such a version does not exist.
    async fn get_value(&self, id: &str, label: &str) -> Call<Option<SecretVersion>>;

    /// BatchGetSecretValue: the current values of up to 20 secrets. A secret that is missing in AWS's answer has no entry.
    /// An error of one secret is in its entry, an error of the call is returned.
    async fn batch_get_values(&self, ids: &[String]) -> Call<Vec<BatchEntry>>;

    /// ListSecretVersionIds: all versions, including those without labels.
    async fn list_versions(&self, id: &str) -> Call<Vec<VersionInfo>>;

    /// GetResourcePolicy; `None` if there is no policy or no secret, or if the secret is scheduled for deletion.
    async fn get_policy(&self, id: &str) -> Call<Option<String>>;

    /// ValidateResourcePolicy: syntax, public access, and whether the policy locks the caller out. A document that is not a
    /// policy, or names a principal that does not exist, is MalformedPolicyDocumentException.
    async fn validate_policy(&self, id: &str, policy: &str) -> Call<Validation>;

    /// PutResourcePolicy, which replaces the attached policy. A public one is PublicPolicyException unless allowed.
    async fn put_policy(&self, id: &str, policy: &str, allow_public: bool) -> Call<()>;

    /// CreateSecret with everything in one call. The first version gets AWSCURRENT.
    async fn create(&self, new: &NewSecret<'_>) -> Call<WrittenVersion>;

    /// PutSecretValue under labels, which move to the new version from wherever they are. If the token's version
    /// exists already, no label moves.
    async fn put_value(
        &self,
        id: &str,
        token: &str,
        value: &SecretValue,
        labels: &[&str],
    ) -> Call<LabeledVersion>;

    /// UpdateSecret of the description, the key, or both; never of the value, because its answer does not name labels.
    async fn update(
        &self,
        id: &str,
        description: Option<&str>,
        kms_key_id: Option<&str>,
    ) -> Call<()>;

    /// RestoreSecret.
    async fn restore(&self, id: &str) -> Call<()>;

    /// TagResource: adds and changes.
    async fn tag(&self, id: &str, tags: &BTreeMap<String, String>) -> Call<()>;

    /// UntagResource.
    async fn untag(&self, id: &str, keys: &[String]) -> Call<()>;

    /// ReplicateSecretToRegions: regions and their KMS keys. A secret of the same name in such a region is never
    /// overwritten: AWS shows a failed replica instead, and the call succeeds.
    async fn replicate(&self, id: &str, regions: &BTreeMap<String, Option<String>>) -> Call<()>;

    /// RemoveRegionsFromReplication, which deletes the replicas at once.
    async fn remove_replicas(&self, id: &str, regions: &[String]) -> Call<()>;

    /// UpdateSecretVersionStage as a compare-and-swap: moves a label to a version if `from` holds it, or, for `None`, if no
    /// version does. See [`StoreError::is_lost_swap`].
    async fn move_label(&self, id: &str, label: &str, from: Option<&str>, to: &str) -> Call<()>;

    /// UpdateSecretVersionStage: removes a label from a version. See [`StoreError::is_lost_swap`].
    async fn remove_label(&self, id: &str, label: &str, from: &str) -> Call<()>;
}

/// The secret that a call was about, for a diagnosis.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The name or ARN as given.
    pub id: &'a str,
    /// The name.
    pub name: &'a str,
    /// The ARN, once known.
    pub arn: Option<&'a str>,
}

/// The parts of a new secret.
pub struct NewSecret<'a> {
    /// Its name.
    pub name: &'a str,
    /// The client request token, which becomes the version id.
    pub token: &'a str,
    /// Its value.
    pub value: &'a SecretValue,
    /// Its description.
    pub description: Option<&'a str>,
    /// Its KMS key; `None` for the AWS managed key.
    pub kms_key_id: Option<&'a str>,
    /// Its tags; may be empty.
    pub tags: &'a BTreeMap<String, String>,
    /// Replica regions and their KMS keys; may be empty.
    pub replicas: &'a BTreeMap<String, Option<String>>,
}

/// A version, as the answer to a write names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenVersion {
    /// The full ARN of the secret.
    pub arn: String,
    /// The name of the secret.
    pub name: String,
    /// The version.
    pub version_id: String,
    /// The number of attempts. After more than one, the answer may be outdated.
    pub attempts: u32,
}

/// A version and the labels it holds, as the answer to PutSecretValue names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabeledVersion {
    /// The version.
    pub written: WrittenVersion,
    /// Its labels.
    pub stages: Vec<String>,
}
