//! Versions and staging labels: how PutSecretValue adds a version, how labels move, and their quotas. Every change
//! is made on a copy of the secret that the operation then commits, so it applies completely or not at all.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use super::secret::{Content, Secret, Version};
use crate::error::ServiceError;

pub(crate) const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
const PENDING: &str = "AWSPENDING";

/// Quotas of the service ("AWS Secrets Manager quotas").
const MAX_VERSIONS: usize = 100;
const MAX_LABELS: usize = 20;
const PROTECTED_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// A version to add.
pub(crate) struct Put<'a> {
    pub(crate) token: &'a str,
    pub(crate) content: Content,
    /// The staging labels of the version; `None` stands for AWSCURRENT.
    pub(crate) stages: Option<BTreeSet<String>>,
    pub(crate) now: SystemTime,
}

impl Secret {
    /// Adds a version and returns its staging labels. If the same request already added it, nothing changes.
    pub(crate) fn put(&mut self, put: Put<'_>) -> Result<BTreeSet<String>, ServiceError> {
        if let Some(version) = self.version(put.token) {
            if version.content == put.content {
                return Ok(version.stages.clone());
            }
            return Err(ServiceError::exists(format!(
                "You can't use ClientRequestToken {} because that value is already in use for a version of secret {}.",
                put.token, self.arn
            )));
        }
        let mut stages = put
            .stages
            .unwrap_or_else(|| BTreeSet::from([CURRENT.to_owned()]));
        if self.versions.is_empty() {
            stages.insert(CURRENT.to_owned());
        }
        self.make_room(put.now)?;
        self.versions.push(Version {
            id: put.token.to_owned(),
            stages: BTreeSet::new(),
            content: put.content,
            created: put.now,
            kms_key_id: self.kms_key_id.clone(),
            accessed: None,
        });
        // PutSecretValue of a new current version removes AWSPENDING from it; UpdateSecretVersionStage does not.
        // Both were recorded by LocalStack's snapshot tests.
        if stages.contains(CURRENT) {
            for version in &mut self.versions {
                if version.stages.contains(CURRENT) {
                    version.stages.remove(PENDING);
                }
            }
        }
        for stage in &stages {
            self.attach(stage, put.token);
        }
        self.check_labels()?;
        self.changed = put.now;
        Ok(stages)
    }

    /// Moves a staging label, as UpdateSecretVersionStage does.
    pub(crate) fn move_stage(
        &mut self,
        stage: &str,
        remove_from: Option<&str>,
        move_to: Option<&str>,
        now: SystemTime,
    ) -> Result<(), ServiceError> {
        if stage == CURRENT && move_to.is_none() {
            return Err(ServiceError::invalid_parameter(
                "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
            ));
        }
        if let Some(unknown) = move_to.filter(|id| self.version(id).is_none()) {
            return Err(ServiceError::not_found(format!(
                "Secrets Manager can't find the specified secret value for VersionId: {unknown}"
            )));
        }
        let holder = self.holder(stage).map(|version| version.id.clone());
        match (holder.as_deref(), remove_from) {
            (Some(holder), None) if move_to == Some(holder) => {}
            (Some(holder), None) => {
                return Err(ServiceError::invalid_parameter(format!(
                    "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
                )));
            }
            (None, None) if move_to.is_some() => {}
            (holder, remove_from) if holder == remove_from && holder.is_some() => {}
            _ => {
                return Err(ServiceError::invalid_parameter(format!(
                    "When you move staging label {stage}, if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label {stage}."
                )));
            }
        }
        match move_to {
            Some(target) => self.attach(stage, target),
            None => self.detach(stage),
        }
        self.check_labels()?;
        self.changed = now;
        Ok(())
    }

    /// Re-encrypts the versions with an AWS staging label under another key.
    pub(crate) fn rekey(&mut self, key: Option<&str>) {
        for version in &mut self.versions {
            if [CURRENT, PREVIOUS, PENDING]
                .iter()
                .any(|stage| version.stages.contains(*stage))
            {
                version.kms_key_id = key.map(str::to_owned);
            }
        }
    }

    fn detach(&mut self, stage: &str) {
        for version in &mut self.versions {
            version.stages.remove(stage);
        }
    }

    fn attach(&mut self, stage: &str, to: &str) {
        let old = self.holder(stage).map(|version| version.id.clone());
        if old.as_deref() == Some(to) {
            return;
        }
        self.detach(stage);
        if let Some(version) = self.versions.iter_mut().find(|version| version.id == to) {
            version.stages.insert(stage.to_owned());
        }
        if stage == CURRENT
            && let Some(old) = old
        {
            self.attach(PREVIOUS, &old);
        }
    }

    fn check_labels(&self) -> Result<(), ServiceError> {
        let labels: usize = self
            .versions
            .iter()
            .map(|version| version.stages.len())
            .sum();
        if labels > MAX_LABELS {
            return Err(ServiceError::limit(format!(
                "You can't have more than {MAX_LABELS} staging labels attached to the versions of one secret."
            )));
        }
        Ok(())
    }

    fn make_room(&mut self, now: SystemTime) -> Result<(), ServiceError> {
        while self.versions.len() >= MAX_VERSIONS {
            let old = self.versions.iter().position(|version| {
                version.stages.is_empty() && version.created + PROTECTED_AGE < now
            });
            let Some(old) = old else {
                return Err(ServiceError::limit(format!(
                    "You can't have more than {MAX_VERSIONS} versions of one secret; versions younger than 24 hours are not removed."
                )));
            };
            self.versions.remove(old);
        }
        Ok(())
    }
}
