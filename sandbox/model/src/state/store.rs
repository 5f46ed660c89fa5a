//! The secrets and KMS keys of one account in one region, and how a SecretId finds a secret.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{kms::Kms, secret::Secret};
use crate::arn;

/// How long a name stays unavailable after a forced deletion. LocalStack's recording notes "less than ten seconds".
const NAME_RELEASE: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct Store {
    secrets: BTreeMap<String, Arc<Secret>>,
    pub(crate) kms: Kms,
    /// Names that were deleted by force, with the time of the deletion.
    released: BTreeMap<String, SystemTime>,
}

/// Whether a name ends like an ARN does: a hyphen and six characters.
fn looks_suffixed(name: &str) -> bool {
    let Some((_, end)) = name.rsplit_once('-') else {
        return false;
    };
    end.len() == 6 && end.chars().all(|c| c.is_ascii_alphanumeric())
}

impl Store {
    pub(crate) const fn new() -> Self {
        Self {
            secrets: BTreeMap::new(),
            kms: Kms::new(),
            released: BTreeMap::new(),
        }
    }

    /// The secrets, by their names.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.secrets.values().map(Arc::as_ref)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name).map(Arc::as_ref)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Secret> {
        self.secrets.get_mut(name).map(Arc::make_mut)
    }

    /// Finds a secret by its name, its full ARN, or its ARN without the suffix. The last is read as a full ARN
    /// when the name itself ends in a hyphen and six characters (recorded by LocalStack's snapshot tests).
    pub(crate) fn find(&self, id: &str) -> Option<&Secret> {
        let Some(partial) = arn::partial_name(id) else {
            return self.get(id);
        };
        if let Some(secret) = self.secrets().find(|secret| secret.arn == id) {
            return Some(secret);
        }
        let secret = self.get(partial)?;
        let same = secret.arn.starts_with(id) && !looks_suffixed(partial);
        same.then_some(secret)
    }

    pub(crate) fn insert(&mut self, secret: Secret) {
        let name = secret.name.clone();
        self.secrets.insert(name, Arc::new(secret));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.secrets.remove(name);
    }

    pub(crate) fn force_delete(&mut self, name: &str, now: SystemTime) {
        if self.secrets.remove(name).is_some() {
            self.released.insert(name.to_owned(), now);
        }
    }

    /// Whether the name is still occupied by a secret that was force-deleted.
    pub(crate) fn is_being_released(&self, name: &str, now: SystemTime) -> bool {
        let deleted = self.released.get(name);
        deleted.is_some_and(|at| *at + NAME_RELEASE > now)
    }

    /// Whether [`Store::sweep`] would remove a secret.
    pub(super) fn has_expired(&self, now: SystemTime) -> bool {
        self.secrets().any(|secret| !secret.survives(now))
    }

    /// Removes the secrets whose recovery window has ended.
    pub(super) fn sweep(&mut self, now: SystemTime) {
        self.secrets.retain(|_, secret| secret.survives(now));
    }
}
