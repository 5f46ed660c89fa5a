//! The interface of a store: AWS operations as methods, in SDK-independent types. Must not decide which calls are made.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::failure::Failure;
use crate::state::{
    BatchEntry, SecretMetadata, SecretPage, SecretVersion, Validation, VersionInfo,
};
use crate::value::SecretValue;

/// The result of one call.
pub type Call<T> = Result<T, StoreError>;

/// The secrets of one account and region. Each method is one operation, whose request may be retried with the same token. IDs
/// are names or full ARNs.
// Callers run on one thread and name no `Send` bound, so the futures need none.
#[allow(async_fn_in_trait)]
pub trait SecretStore {
    /// The region of the store.
    fn region(&self) -> &str;

    /// Whether the run has been canceled, so that no further call is sent.
    fn is_cancelled(&self) -> bool;

    /// The same store, usable after a cancellation: only for removing the run's own private labels.
    fn for_cleanup(&self) -> Self
    where
        Self: Sized;

    /// Explains an error to the user.
    fn diagnose(&self, error: &StoreError, subject: Subject<'_>) -> Failure;

    /// DescribeSecret; `None` if the secret does not exist.
    async fn describe(&self, id: &str) -> Call<Option<SecretMetadata>>;

    /// GetSecretValue of the version with a label; `None` if the secret or the version does not exist.
    async fn get_value(&self, id: &str, label: &str) -> Call<Option<SecretVersion>>;

    /// BatchGetSecretValue: the current values of up to 20 secrets. A secret that the response omits has no entry. An error for
    /// one secret is in its entry; an error of the call is returned.
    async fn batch_get_values(&self, ids: &[String]) -> Call<Vec<BatchEntry>>;

    /// ListSecretVersionIds: all versions, including those without labels.
    async fn list_versions(&self, id: &str) -> Call<Vec<VersionInfo>>;

    /// ListSecrets: a page of the secrets whose names start with one of up to ten prefixes (any name if there are none),
    /// including secrets that are scheduled for deletion. `page` is the token of any page after the first. Changes may appear
    /// minutes later.
    async fn list_secrets(&self, prefixes: &[String], page: Option<String>) -> Call<SecretPage>;

    /// GetResourcePolicy; `None` if there is no policy or no secret, or if the secret is scheduled for deletion.
    async fn get_policy(&self, id: &str) -> Call<Option<String>>;

    /// ValidateResourcePolicy: syntax, public access, and whether the policy locks the caller out. Returns
    /// MalformedPolicyDocumentException for a document that is not a policy or names a principal that does not exist. Without
    /// an ID, AWS requires a permission that is not restricted to certain secrets.
    async fn validate_policy(&self, id: Option<&str>, policy: &str) -> Call<Validation>;

    /// PutResourcePolicy, which replaces the attached policy. Returns PublicPolicyException for a public policy unless allowed.
    async fn put_policy(&self, id: &str, policy: &str, allow_public: bool) -> Call<()>;

    /// CreateSecret with everything in one call. The first version gets AWSCURRENT.
    async fn create(&self, new: &NewSecret<'_>) -> Call<WrittenVersion>;

    /// PutSecretValue with labels, which move to the new version from their holders. If the token's version already exists, no
    /// label moves.
    async fn put_value(
        &self,
        id: &str,
        token: &str,
        value: &SecretValue,
        labels: &[&str],
    ) -> Call<LabeledVersion>;

    /// UpdateSecret of the description, the key, or both; never of the value, because its response does not contain labels.
    async fn update(
        &self,
        id: &str,
        description: Option<&str>,
        kms_key_id: Option<&str>,
    ) -> Call<()>;

    /// RestoreSecret.
    async fn restore(&self, id: &str) -> Call<()>;

    /// TagResource: adds and changes tags.
    async fn tag(&self, id: &str, tags: &BTreeMap<String, String>) -> Call<()>;

    /// UntagResource.
    async fn untag(&self, id: &str, keys: &[String]) -> Call<()>;

    /// ReplicateSecretToRegions: regions and their KMS keys. Never overwrites a secret with the same name in such a region: AWS
    /// shows a failed replica instead, and the call succeeds.
    async fn replicate(&self, id: &str, regions: &BTreeMap<String, Option<String>>) -> Call<()>;

    /// RemoveRegionsFromReplication, which deletes the replicas immediately.
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
    /// The inputs that distinguish the causes of an error.
    pub asked: Asked<'a>,
}

impl<'a> Subject<'a> {
    /// A secret that is known only by its name or ARN.
    pub fn new(id: &'a str, name: &'a str) -> Self {
        Self {
            id,
            name,
            arn: None,
            asked: Asked::default(),
        }
    }
}

/// What a request asks AWS to write, as far as needed for a diagnosis.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The KMS key, as given.
    pub kms_key_id: Option<&'a str>,
    /// Whether tags are given.
    pub has_tags: bool,
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

/// A version, as named in the response to a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenVersion {
    /// The full ARN of the secret.
    pub arn: String,
    /// The name of the secret.
    pub name: String,
    /// The version.
    pub version_id: String,
    /// The number of attempts. After more than one, the response may be outdated.
    pub attempts: u32,
}

/// A version and its labels, as named in the PutSecretValue response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabeledVersion {
    /// The version.
    pub written: WrittenVersion,
    /// Its labels.
    pub stages: Vec<String>,
}
