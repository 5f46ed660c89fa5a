//! Owns how replicas come to be and follow their primaries. It goes by requests, never by the clock: a test knows
//! at which DescribeSecret a copy is done.
//!
//! Nothing of the order of things was recorded, so these are our choices: a copy can be read once it is in sync;
//! from then on it follows its primary at once and stays in sync; a name that is taken is told at once, what is
//! wrong with a key or a region when the copying ends.

use std::collections::BTreeSet;

use super::{ACCOUNT, Origin, Progress, REGION, Secret, World};

/// The example of the API model.
const TAKEN: &str = "Secret with this name already exists in this region";

/// How the copying goes.
pub(crate) struct Settings {
    describes: usize,
    /// Regions that are not enabled for the account.
    disabled: BTreeSet<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            describes: 1,
            disabled: BTreeSet::new(),
        }
    }
}

impl World {
    /// How often DescribeSecret of the primary says `InProgress` of a replica that is asked for from now on,
    /// before it says `InSync` (or `Failed`). 1 if nothing is said; `usize::MAX` never ends.
    pub fn replicas_settle_after(&mut self, describes: usize) {
        self.replication.describes = describes;
    }

    /// Makes a region one that is not enabled: replicas there fail.
    pub fn disable_region(&mut self, region: &str) {
        self.replication.disabled.insert(region.to_owned());
    }

    /// Ends all copying that is under way, in the default account and region.
    pub fn settle_replicas(&mut self) {
        let store = self.store(ACCOUNT, REGION);
        let names: Vec<String> = store.secrets.keys().cloned().collect();
        for name in names {
            self.progress(ACCOUNT, REGION, &name, true);
        }
        self.replicate_all();
    }

    /// The state of a copy that is asked for now.
    pub(crate) fn started(
        &mut self,
        account: &str,
        region: &str,
        name: &str,
        overwrite: bool,
    ) -> Progress {
        if self.store(account, region).secrets.contains_key(name) && !overwrite {
            return Progress::Failed(TAKEN.to_owned());
        }
        Progress::Copying {
            left: self.replication.describes,
            overwrite,
        }
    }

    /// A primary is described: copying goes on, or ends; `now` ends it.
    pub(crate) fn progress(&mut self, account: &str, region: &str, name: &str, now: bool) {
        let found = self.store(account, region).secrets.get(name).cloned();
        let Some(mut secret) = found else {
            return;
        };
        for replica in secret.replicas_mut() {
            let Progress::Copying { left, overwrite } = &mut replica.progress else {
                continue;
            };
            if *left > 0 && !now {
                *left -= 1;
                continue;
            }
            let overwrite = *overwrite;
            let key = replica.kms_key_id.as_deref();
            let failure = self.failure(account, &replica.region, name, key, overwrite);
            replica.progress = match failure {
                Some(message) => Progress::Failed(message.to_owned()),
                None => Progress::InSync,
            };
        }
        let store = self.store(account, region);
        store.secrets.insert(name.to_owned(), secret);
    }

    /// Why a copy cannot be made. But for the name, the words are ours.
    fn failure(
        &mut self,
        account: &str,
        region: &str,
        name: &str,
        key: Option<&str>,
        overwrite: bool,
    ) -> Option<&'static str> {
        if self.replication.disabled.contains(region) {
            return Some("The region is not enabled for this account");
        }
        let there = self.store(account, region);
        if there.secrets.contains_key(name) && !overwrite {
            return Some(TAKEN);
        }
        let key = key?;
        if there.kms.known(key, account, region).is_none() {
            Some("Secrets Manager can't find the KMS key in this region")
        } else if there.kms.usable(key, account, region).is_none() {
            Some("The KMS key in this region is disabled")
        } else {
            None
        }
    }

    /// Lets replicas follow their primaries.
    pub(crate) fn replicate_all(&mut self) {
        let mut copies = Vec::new();
        for ((account, region), store) in &self.stores {
            for secret in store.secrets.values() {
                let replicas = secret.replicas().iter();
                for replica in replicas.filter(|replica| replica.progress == Progress::InSync) {
                    let copy = copy(secret, region, &replica.region, replica.kms_key_id.as_ref());
                    copies.push((account.clone(), replica.region.clone(), copy));
                }
            }
        }
        for (account, region, mut copy) in copies {
            let store = self.store(&account, &region);
            let old = store.secrets.get(&copy.name);
            // Who read the copy, and when, is a matter of its own region.
            if let Some(old) = old.filter(|old| old.is_replica()) {
                copy.accessed = old.accessed;
                for version in &mut copy.versions {
                    version.accessed = old.version(&version.id).and_then(|v| v.accessed);
                }
            }
            store.secrets.insert(copy.name.clone(), copy);
        }
    }

    /// Removes the copy of a primary in a region, if it is one: where the name was taken, the secret there is
    /// somebody else's.
    pub(crate) fn drop_copy(&mut self, account: &str, primary: &str, region: &str, name: &str) {
        let store = self.store(account, region);
        let copy = store.secrets.get(name).map(|secret| &secret.origin);
        if matches!(copy, Some(Origin::ReplicaOf(of)) if of == primary) {
            store.secrets.remove(name);
        }
    }
}

fn copy(secret: &Secret, from: &str, to: &str, key: Option<&String>) -> Secret {
    let mut copy = secret.clone();
    copy.arn = secret.arn.replacen(from, to, 1);
    copy.kms_key_id = key.cloned();
    copy.accessed = None;
    for version in &mut copy.versions {
        version.kms_key_id = key.cloned();
        version.accessed = None;
    }
    copy.origin = Origin::ReplicaOf(from.to_owned());
    copy
}
