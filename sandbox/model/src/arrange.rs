//! The entry point of the model and the helpers that arrange an initial state. A helper calls an operation if there is one, so
//! that arranged state is state that the service itself could have created.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    error::ServiceError,
    operations,
    state::{ACCOUNT, REGION, Secret, Unusable, World},
};

impl World {
    /// Runs one operation of Secrets Manager, completely or not at all.
    ///
    /// # Errors
    /// The error of the service, or `UnknownOperationException` if the model has no such operation.
    pub fn call(
        &mut self,
        caller: &Caller,
        region: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, ServiceError> {
        operations::run(self, caller, region, operation, input)
    }
}

/// Helpers that arrange a state. They work in the default account and region, ignore policies, and panic if the service would
/// return an error.
impl World {
    fn arrange(&mut self, operation: &str, input: Value) {
        let answer = self.call(&Caller::unrestricted(), REGION, operation, input);
        if let Err(error) = answer {
            panic!("{operation}: {}: {}", error.code, error.message);
        }
    }

    /// Calls an operation with a new token, which becomes the version ID.
    fn arrange_version(&mut self, operation: &str, mut input: Value) -> String {
        let token = self.random.uuid();
        input["ClientRequestToken"] = json!(token);
        self.arrange(operation, input);
        token
    }

    fn edit(&mut self, name: &str, change: impl FnOnce(&mut Secret)) {
        let secret = self.store_mut(ACCOUNT, REGION).get_mut(name);
        change(secret.expect("the secret exists"));
        self.replicate_all();
    }

    /// Creates a secret with a string value and returns the version ID.
    pub fn create(&mut self, name: &str, value: &str) -> String {
        self.arrange_version("CreateSecret", json!({"Name": name, "SecretString": value}))
    }

    /// Creates a secret without a version.
    pub fn create_empty(&mut self, name: &str) {
        self.arrange_version("CreateSecret", json!({"Name": name}));
    }

    /// Creates a secret with a binary value and returns the version ID.
    pub fn create_binary(&mut self, name: &str, value: &[u8]) -> String {
        let input = json!({"Name": name, "SecretBinary": STANDARD.encode(value)});
        self.arrange_version("CreateSecret", input)
    }

    /// Stores a string value under AWSCURRENT and returns the version ID.
    pub fn put(&mut self, name: &str, value: &str) -> String {
        let input = json!({"SecretId": name, "SecretString": value});
        self.arrange_version("PutSecretValue", input)
    }

    /// Stores a string value with this token under these staging labels.
    pub fn put_staged(&mut self, name: &str, value: &str, token: &str, stages: &[&str]) {
        self.arrange(
            "PutSecretValue",
            json!({"SecretId": name, "SecretString": value, "ClientRequestToken": token, "VersionStages": stages}),
        );
    }

    /// Moves a staging label to a version.
    pub fn move_stage(&mut self, name: &str, stage: &str, to: &str, from: Option<&str>) {
        self.arrange(
            "UpdateSecretVersionStage",
            json!({"SecretId": name, "VersionStage": stage, "MoveToVersionId": to, "RemoveFromVersionId": from}),
        );
    }

    /// Schedules a secret for deletion, with the default recovery window of 30 days.
    pub fn schedule_deletion(&mut self, name: &str) {
        self.arrange("DeleteSecret", json!({"SecretId": name}));
    }

    /// Restores a secret that is scheduled for deletion.
    pub fn restore(&mut self, name: &str) {
        self.arrange("RestoreSecret", json!({"SecretId": name}));
    }

    /// Deletes a secret without a recovery window.
    pub fn force_delete(&mut self, name: &str) {
        self.arrange(
            "DeleteSecret",
            json!({"SecretId": name, "ForceDeleteWithoutRecovery": true}),
        );
    }

    /// Turns rotation on or off.
    pub fn set_rotation(&mut self, name: &str, enabled: bool) {
        self.edit(name, |secret| secret.rotation = Some(enabled));
    }

    /// Makes a secret managed by another AWS service.
    pub fn set_owning_service(&mut self, name: &str, service: &str) {
        self.edit(name, |secret| {
            secret.owning_service = Some(service.to_owned());
        });
    }

    /// Replicates a secret to another region; the replica is in sync afterwards.
    pub fn replicate(&mut self, name: &str, region: &str) {
        self.arrange(
            "ReplicateSecretToRegions",
            json!({"SecretId": name, "AddReplicaRegions": [{"Region": region}]}),
        );
        self.settle_replicas();
    }

    /// Completes all replication in progress.
    pub fn settle_replicas(&mut self) {
        for name in self.names() {
            self.advance_replication(ACCOUNT, REGION, &name, true);
        }
        self.replicate_all();
    }

    /// Attaches a resource policy.
    pub fn put_resource_policy(&mut self, name: &str, document: &str) {
        self.arrange(
            "PutResourcePolicy",
            json!({"SecretId": name, "ResourcePolicy": document}),
        );
    }

    /// Makes all versions of one secret older. [`World::advance`] does the same for all secrets.
    pub fn age_versions(&mut self, name: &str, by: Duration) {
        self.edit(name, |secret| {
            for version in &mut secret.versions {
                version.created -= by;
            }
        });
    }

    /// Adds a KMS key, by its key ID or as `alias/...`.
    pub fn add_kms_key(&mut self, id_or_alias: &str) {
        self.add_kms_key_in(REGION, id_or_alias);
    }

    /// Adds a KMS key in another region.
    pub fn add_kms_key_in(&mut self, region: &str, id_or_alias: &str) {
        let id = if id_or_alias.starts_with("alias/") {
            self.random.uuid()
        } else {
            id_or_alias.to_owned()
        };
        self.store_mut(ACCOUNT, region).kms.add(&id, id_or_alias);
    }

    /// Disables a KMS key.
    ///
    /// # Panics
    /// If there is no such key.
    pub fn disable_kms_key_in(&mut self, region: &str, id_or_alias: &str) {
        self.set_unusable(region, id_or_alias, Unusable::Disabled);
    }

    /// Schedules the deletion of a KMS key in the default region.
    ///
    /// # Panics
    /// If there is no such key.
    pub fn schedule_kms_key_deletion(&mut self, id_or_alias: &str) {
        self.set_unusable(REGION, id_or_alias, Unusable::PendingDeletion);
    }

    /// Makes the policy of a KMS key in the default region deny all use of it.
    ///
    /// # Panics
    /// If there is no such key.
    pub fn deny_kms_key(&mut self, id_or_alias: &str) {
        self.set_unusable(REGION, id_or_alias, Unusable::Denied);
    }

    /// Deletes a KMS key in the default region, with its aliases. Secrets keep naming it.
    ///
    /// # Panics
    /// If there is no such key.
    pub fn delete_kms_key(&mut self, id_or_alias: &str) {
        let found = self.store_mut(ACCOUNT, REGION).kms.remove(id_or_alias);
        assert!(found, "{id_or_alias} is a key of {REGION}");
    }

    fn set_unusable(&mut self, region: &str, id_or_alias: &str, why: Unusable) {
        let kms = &mut self.store_mut(ACCOUNT, region).kms;
        let found = kms.set_unusable(id_or_alias, why);
        assert!(found, "{id_or_alias} is a key of {region}");
    }

    /// Adds a user or role that resource policies can name, unless it already exists.
    pub fn add_principal(&mut self, arn: &str) {
        self.principals.add(arn);
    }

    /// Adds a user or role that the next `requests` of PutResourcePolicy and ValidateResourcePolicy do not find
    /// yet, as happens shortly after IAM has created a role. Applies to an existing principal, too.
    pub fn add_principal_after(&mut self, arn: &str, requests: usize) {
        self.principals.add_after(arn, requests);
    }
}
