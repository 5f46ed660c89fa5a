//! How replicas are created and follow their primaries. Replication advances by requests, never by the clock, so
//! that a test knows at which DescribeSecret a replica is in sync.
//!
//! The order of events was not recorded. The model chooses: a replica can be read once it is in sync; from then on
//! it follows its primary at once and stays in sync; a name that is taken fails at once, a bad key or region when
//! replication ends.

use super::{
    secret::{Origin, Progress, Secret},
    world::World,
};

/// The message in the API model's example.
const TAKEN: &str = "Secret with this name already exists in this region";

impl World {
    /// Sets how often DescribeSecret of the primary reports a replica that is requested from now on as
    /// `InProgress` before it reports `InSync` or `Failed`. The default is 1; `usize::MAX` never ends.
    pub fn replicas_settle_after(&mut self, describes: usize) {
        self.replica_describes = describes;
    }

    /// Makes a region one that is not enabled for the account: replicas there fail.
    pub fn disable_region(&mut self, region: &str) {
        self.disabled_regions.insert(region.to_owned());
    }

    /// The state of a replica that is requested now.
    pub(crate) fn initial_progress(
        &self,
        account: &str,
        region: &str,
        name: &str,
        overwrite: bool,
    ) -> Progress {
        if self.store(account, region).get(name).is_some() && !overwrite {
            return Progress::Failed(TAKEN.to_owned());
        }
        Progress::Copying {
            left: self.replica_describes,
            overwrite,
        }
    }

    /// Advances the replication of a primary, which is being described; `now` ends it.
    pub(crate) fn advance_replication(
        &mut self,
        account: &str,
        region: &str,
        name: &str,
        now: bool,
    ) {
        let Some(mut secret) = self.store(account, region).get(name).cloned() else {
            return;
        };
        let mut changed = false;
        for replica in secret.replicas_mut() {
            let Progress::Copying { left, overwrite } = &mut replica.progress else {
                continue;
            };
            changed = true;
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
        if changed {
            self.store_mut(account, region).insert(secret);
        }
    }

    /// Why a replica cannot be created. Except for the taken name, the messages were not recorded.
    fn failure(
        &self,
        account: &str,
        region: &str,
        name: &str,
        key: Option<&str>,
        overwrite: bool,
    ) -> Option<&'static str> {
        if self.disabled_regions.contains(region) {
            return Some("The region is not enabled for this account");
        }
        let store = self.store(account, region);
        if store.get(name).is_some() && !overwrite {
            return Some(TAKEN);
        }
        match store.kms.usable(key?, account, region).err()?.code {
            "NotFoundException" => Some("Secrets Manager can't find the KMS key in this region"),
            "DisabledException" => Some("The KMS key in this region is disabled"),
            "KMSInvalidStateException" => Some("The KMS key in this region is pending deletion"),
            _ => Some("Access to KMS in this region is not allowed"),
        }
    }

    /// Copies every primary to its replicas that are in sync.
    pub(crate) fn replicate_all(&mut self) {
        let mut copies = Vec::new();
        for ((account, region), store) in &self.stores {
            for secret in store.secrets() {
                let replicas = secret.replicas().iter();
                for replica in replicas.filter(|replica| replica.progress == Progress::InSync) {
                    let copy = copy(secret, region, &replica.region, replica.kms_key_id.as_ref());
                    copies.push((account.clone(), replica.region.clone(), copy));
                }
            }
        }
        for (account, region, mut copy) in copies {
            let store = self.store_mut(&account, &region);
            let old = store.get(&copy.name);
            // Access dates belong to the region of the replica.
            if let Some(old) = old.filter(|old| old.is_replica()) {
                copy.accessed = old.accessed;
                for version in &mut copy.versions {
                    version.accessed = old.version(&version.id).and_then(|v| v.accessed);
                }
            }
            store.insert(copy);
        }
    }

    /// Removes the replica of a primary in a region. A secret there that is not its replica had the name first and
    /// stays.
    pub(crate) fn remove_replica(
        &mut self,
        account: &str,
        primary: &str,
        region: &str,
        name: &str,
    ) {
        let origin = self
            .store(account, region)
            .get(name)
            .map(|secret| &secret.origin);
        if matches!(origin, Some(Origin::ReplicaOf(of)) if of == primary) {
            self.store_mut(account, region).remove(name);
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
