//! Owns the stores, the clock, and the helpers tests arrange a scene with. A helper must not touch a store
//! where an operation can do it: what tests arrange is then what the service itself would have made.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{ACCOUNT, Principals, REGION, Secret, SecretView, Store, replication::Settings};
use crate::{
    operations::{self, Caller},
    random,
};

/// The state of the services. The helpers work in the default account and region, see no policy, leave no
/// trace in the log, and panic where the service would refuse.
#[derive(Default)]
pub struct World {
    pub(super) stores: BTreeMap<(String, String), Store>,
    pub(super) replication: Settings,
    pub(crate) principals: Principals,
    ahead: Duration,
}

impl World {
    pub(crate) fn now(&self) -> SystemTime {
        SystemTime::now() + self.ahead
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.ahead += by;
        self.sweep();
    }

    pub(crate) fn store(&mut self, account: &str, region: &str) -> &mut Store {
        let key = (account.to_owned(), region.to_owned());
        self.stores.entry(key).or_default()
    }

    pub(crate) fn stores(&self) -> impl Iterator<Item = (&str, &str, &Store)> {
        let stores = self.stores.iter();
        stores.map(|((account, region), store)| (account.as_str(), region.as_str(), store))
    }

    /// Lets pass what time does: recovery windows end.
    pub(crate) fn sweep(&mut self) {
        let now = self.now();
        for store in self.stores.values_mut() {
            store.sweep(now);
        }
    }

    fn run(&mut self, operation: &str, input: Value) -> Value {
        let caller = Caller::internal();
        match operations::run(self, &caller, REGION, operation, input) {
            Ok(answer) => answer,
            Err(refusal) => panic!("{operation}: {}: {}", refusal.code, refusal.message),
        }
    }

    fn edit(&mut self, name: &str, change: impl FnOnce(&mut Secret)) {
        let secret = self.store(ACCOUNT, REGION).secrets.get_mut(name);
        change(secret.expect("the secret exists"));
    }

    /// Creates a secret with a string value; answers the version id.
    pub fn create(&mut self, name: &str, value: &str) -> String {
        let token = random::uuid();
        self.run(
            "CreateSecret",
            json!({"Name": name, "SecretString": value, "ClientRequestToken": token}),
        );
        token
    }

    /// Creates a secret without a version.
    pub fn create_empty(&mut self, name: &str) {
        self.run(
            "CreateSecret",
            json!({"Name": name, "ClientRequestToken": random::uuid()}),
        );
    }

    /// Creates a secret with a binary value; answers the version id.
    pub fn create_binary(&mut self, name: &str, value: &[u8]) -> String {
        let token = random::uuid();
        self.run(
            "CreateSecret",
            json!({"Name": name, "SecretBinary": STANDARD.encode(value), "ClientRequestToken": token}),
        );
        token
    }

    /// Puts a string value under AWSCURRENT; answers the version id.
    pub fn put(&mut self, name: &str, value: &str) -> String {
        let token = random::uuid();
        self.run(
            "PutSecretValue",
            json!({"SecretId": name, "SecretString": value, "ClientRequestToken": token}),
        );
        token
    }

    /// Puts a string value with this token under these labels.
    pub fn put_staged(&mut self, name: &str, value: &str, token: &str, stages: &[&str]) {
        self.run(
            "PutSecretValue",
            json!({"SecretId": name, "SecretString": value, "ClientRequestToken": token, "VersionStages": stages}),
        );
    }

    /// Moves a label to a version.
    pub fn move_stage(&mut self, name: &str, stage: &str, to: &str, from: Option<&str>) {
        self.run(
            "UpdateSecretVersionStage",
            json!({"SecretId": name, "VersionStage": stage, "MoveToVersionId": to, "RemoveFromVersionId": from}),
        );
    }

    /// Schedules a secret for deletion, with the default window of 30 days.
    pub fn schedule_deletion(&mut self, name: &str) {
        self.run("DeleteSecret", json!({"SecretId": name}));
    }

    /// Deletes a secret for good.
    pub fn force_delete(&mut self, name: &str) {
        self.run(
            "DeleteSecret",
            json!({"SecretId": name, "ForceDeleteWithoutRecovery": true}),
        );
    }

    /// Switches rotation on or off.
    pub fn set_rotation(&mut self, name: &str, enabled: bool) {
        self.edit(name, |secret| secret.rotation = Some(enabled));
    }

    /// Makes a secret one that another AWS service manages.
    pub fn set_owning_service(&mut self, name: &str, service: &str) {
        self.edit(name, |secret| {
            secret.owning_service = Some(service.to_owned());
        });
    }

    /// Replicates a secret to another region; the copying ends at once.
    pub fn replicate(&mut self, name: &str, region: &str) {
        self.run(
            "ReplicateSecretToRegions",
            json!({"SecretId": name, "AddReplicaRegions": [{"Region": region}]}),
        );
        self.settle_replicas();
    }

    /// Attaches a resource policy.
    pub fn put_resource_policy(&mut self, name: &str, document: &str) {
        self.run(
            "PutResourcePolicy",
            json!({"SecretId": name, "ResourcePolicy": document}),
        );
    }

    /// Makes all versions of a secret older than they are. `Sandbox::advance_clock` does that to everything.
    pub fn age_versions(&mut self, name: &str, by: Duration) {
        self.edit(name, |secret| {
            for version in &mut secret.versions {
                version.created -= by;
            }
        });
    }

    /// Makes a KMS key known, by key id or as `alias/...`.
    pub fn add_kms_key(&mut self, id_or_alias: &str) {
        self.add_kms_key_in(REGION, id_or_alias);
    }

    /// Makes a KMS key known in another region.
    pub fn add_kms_key_in(&mut self, region: &str, id_or_alias: &str) {
        self.store(ACCOUNT, region).kms.add(id_or_alias);
    }

    /// Disables a KMS key that was made known.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn disable_kms_key_in(&mut self, region: &str, id_or_alias: &str) {
        let found = self.store(ACCOUNT, region).kms.disable(id_or_alias);
        assert!(found, "{id_or_alias} is a key of {region}");
    }

    /// A secret of the default account and region, by its name.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<SecretView> {
        self.secret_in(REGION, name)
    }

    /// A secret of the default account in another region, by its name.
    #[must_use]
    pub fn secret_in(&self, region: &str, name: &str) -> Option<SecretView> {
        let store = self.stores.get(&(ACCOUNT.to_owned(), region.to_owned()))?;
        store.secrets.get(name).map(SecretView::from)
    }

    /// The names of the secrets of the default account and region.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let store = self.stores.get(&(ACCOUNT.to_owned(), REGION.to_owned()));
        store.map_or_else(Vec::new, |store| store.secrets.keys().cloned().collect())
    }
}
