//! Owns the copies that tests look at. They must not be a way to change the state.

use std::collections::BTreeMap;

use super::{CURRENT, Content, Secret};

/// A secret, as it is stored.
#[derive(Clone)]
pub struct SecretView {
    /// The full ARN.
    pub arn: String,
    /// The friendly name.
    pub name: String,
    /// The description, if one was ever given.
    pub description: Option<String>,
    /// The key as it was written; `None` for the default one.
    pub kms_key_id: Option<String>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// Whether it is scheduled for deletion.
    pub deleted: bool,
    /// Oldest first, the unlabelled ones included.
    pub versions: Vec<VersionView>,
}

/// A version, as it is stored.
#[derive(Clone)]
pub struct VersionView {
    /// The version id: the ClientRequestToken that made it.
    pub id: String,
    /// The labels, sorted.
    pub stages: Vec<String>,
    /// The value, if it is a string.
    pub string: Option<String>,
    /// The value, if it is binary.
    pub binary: Option<Vec<u8>>,
}

impl SecretView {
    /// The version that holds AWSCURRENT.
    #[must_use]
    pub fn current(&self) -> Option<&VersionView> {
        self.labelled(CURRENT)
    }

    /// The version that holds a label.
    #[must_use]
    pub fn labelled(&self, label: &str) -> Option<&VersionView> {
        let mut versions = self.versions.iter();
        versions.find(|version| version.stages.iter().any(|stage| stage == label))
    }

    /// The version with this id.
    #[must_use]
    pub fn version(&self, id: &str) -> Option<&VersionView> {
        self.versions.iter().find(|version| version.id == id)
    }
}

impl From<&Secret> for SecretView {
    fn from(secret: &Secret) -> Self {
        let versions = secret.versions.iter().map(|version| {
            let (string, binary) = match &version.content {
                Content::String(text) => (Some(text.clone()), None),
                Content::Binary(bytes) => (None, Some(bytes.clone())),
            };
            VersionView {
                id: version.id.clone(),
                stages: version.stages.iter().cloned().collect(),
                string,
                binary,
            }
        });
        Self {
            arn: secret.arn.clone(),
            name: secret.name.clone(),
            description: secret.description.clone(),
            kms_key_id: secret.kms_key_id.clone(),
            tags: secret.tags.clone().unwrap_or_default(),
            deleted: secret.deletion.is_some(),
            versions: versions.collect(),
        }
    }
}
