//! Read-only copies of the stored state, for assertions.

use std::{collections::BTreeMap, time::SystemTime};

use crate::state::{ACCOUNT, CURRENT, Content, Origin, REGION, Secret, World};

/// A stored secret.
#[derive(Clone)]
pub struct SecretView {
    /// The full ARN.
    pub arn: String,
    /// The friendly name.
    pub name: String,
    /// The description, if one was ever given.
    pub description: Option<String>,
    /// The KMS key as the request named it; `None` for the default key.
    pub kms_key_id: Option<String>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// Whether it is scheduled for deletion.
    pub deleted: bool,
    /// All versions, oldest first, including those without staging labels.
    pub versions: Vec<VersionView>,
    /// When it was created.
    pub created: SystemTime,
    /// The resource policy as the request sent it, if there is one.
    pub policy: Option<String>,
    /// The replicas in the order in which they were requested, including failed ones.
    pub replicas: Vec<ReplicaView>,
    /// The region of the primary, if this is a replica.
    pub replica_of: Option<String>,
}

/// A replica, as its primary reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaView {
    /// The region of the replica.
    pub region: String,
    /// The KMS key as the request named it; `None` for the default key.
    pub kms_key_id: Option<String>,
    /// `InProgress`, `InSync` or `Failed`.
    pub status: &'static str,
    /// Why replication failed.
    pub message: Option<String>,
}

/// A stored version.
#[derive(Clone)]
pub struct VersionView {
    /// The version ID, which is the ClientRequestToken of the request that created it.
    pub id: String,
    /// The staging labels, sorted.
    pub stages: Vec<String>,
    /// The value, if it is a string.
    pub string: Option<String>,
    /// The value, if it is binary.
    pub binary: Option<Vec<u8>>,
    /// When it was created.
    pub created: SystemTime,
    /// The KMS key that encrypts the version, as the request named it; `None` for the default key.
    pub kms_key_id: Option<String>,
}

impl SecretView {
    /// The version with the staging label AWSCURRENT.
    #[must_use]
    pub fn current(&self) -> Option<&VersionView> {
        self.labeled(CURRENT)
    }

    /// The version with this staging label.
    #[must_use]
    pub fn labeled(&self, label: &str) -> Option<&VersionView> {
        let mut versions = self.versions.iter();
        versions.find(|version| version.stages.iter().any(|stage| stage == label))
    }

    /// The version with this ID.
    #[must_use]
    pub fn version(&self, id: &str) -> Option<&VersionView> {
        self.versions.iter().find(|version| version.id == id)
    }
}

impl From<&Secret> for SecretView {
    fn from(secret: &Secret) -> Self {
        let versions = secret.versions.iter().map(|version| {
            let (string, binary) = match &version.content {
                Content::String(text) => (Some(text.to_string()), None),
                Content::Binary(bytes) => (None, Some(bytes.to_vec())),
            };
            VersionView {
                id: version.id.clone(),
                stages: version.stages.iter().cloned().collect(),
                string,
                binary,
                created: version.created,
                kms_key_id: version.kms_key_id.clone(),
            }
        });
        let replicas = secret.replicas().iter().map(|replica| ReplicaView {
            region: replica.region.clone(),
            kms_key_id: replica.kms_key_id.clone(),
            status: replica.status(),
            message: replica.message().map(str::to_owned),
        });
        let replica_of = match &secret.origin {
            Origin::ReplicaOf(primary) => Some(primary.clone()),
            Origin::Primary(_) => None,
        };
        Self {
            arn: secret.arn.clone(),
            name: secret.name.clone(),
            description: secret.description.clone(),
            kms_key_id: secret.kms_key_id.clone(),
            tags: secret.tags.clone().unwrap_or_default(),
            deleted: secret.deletion.is_some(),
            versions: versions.collect(),
            created: secret.created,
            policy: secret.policy.clone(),
            replicas: replicas.collect(),
            replica_of,
        }
    }
}

/// Views of the stored state.
impl World {
    /// A secret of the default account and region, by its name.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<SecretView> {
        self.secret_in(REGION, name)
    }

    /// A secret of the default account in another region, by its name.
    #[must_use]
    pub fn secret_in(&self, region: &str, name: &str) -> Option<SecretView> {
        self.store(ACCOUNT, region).get(name).map(SecretView::from)
    }

    /// The names of the secrets of the default account and region.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let secrets = self.store(ACCOUNT, REGION).secrets();
        secrets.map(|secret| secret.name.clone()).collect()
    }

    /// The secrets of all accounts and regions, each with its account and region.
    pub fn all_secrets(&self) -> impl Iterator<Item = (&str, &str, SecretView)> {
        self.stores().flat_map(|(account, region, store)| {
            let secrets = store.secrets();
            secrets.map(move |secret| (account, region, SecretView::from(secret)))
        })
    }
}
