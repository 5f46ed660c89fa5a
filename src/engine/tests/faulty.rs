//! A store that loses the response to a call, or lets another writer act around a call, one call at a time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use upsert_secret_core::quote::ForeignText;

use sandbox_model::{Caller, World};
use serde_json::json;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{CURRENT, is_private};
use upsert_secret_core::state::{
    BatchEntry, SecretMetadata, SecretPage, SecretVersion, Validation, VersionInfo,
};
use upsert_secret_core::store::{
    Call, LabeledVersion, NewSecret, SecretStore, Subject, WrittenVersion,
};
use upsert_secret_core::value::SecretValue;

use crate::testing::MemoryStore;

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The call never arrives.
    NeverArrives,
    /// The call is applied, and its response is lost.
    LostAnswer,
    /// The call is applied, its response is lost, and then another writer puts a value.
    LostAnswerThenPut,
    /// The call is applied, its response is lost, and the SDK retries it.
    Retried,
    /// Like `Retried`, but another writer puts a value between the attempts.
    RetriedAfterPut,
    /// Another writer puts a value before the call.
    PutBefore,
    /// Another writer puts a value after the call.
    PutAfter,
    /// Another writer schedules the secret for deletion before the call.
    DeletionBefore,
}

pub(super) const FAULTS: [Fault; 8] = [
    Fault::NeverArrives,
    Fault::LostAnswer,
    Fault::LostAnswerThenPut,
    Fault::Retried,
    Fault::RetriedAfterPut,
    Fault::PutBefore,
    Fault::PutAfter,
    Fault::DeletionBefore,
];

/// The effects of a run's own calls on the secret `app`.
#[derive(Default)]
pub(super) struct Effects {
    /// Whether anything visible to users of the secret changed.
    pub(super) changed: Cell<bool>,
    /// The versions that AWSCURRENT was moved away from.
    pub(super) replaced: RefCell<Vec<String>>,
    /// Whether one of them differs from the version that DescribeSecret had shown.
    pub(super) replaced_unseen: Cell<bool>,
    /// The holder of AWSCURRENT that DescribeSecret showed last.
    seen: RefCell<Option<String>>,
}

/// The in-memory store with faults at certain calls, counted from zero.
#[derive(Clone)]
pub(super) struct FaultyStore {
    pub(super) store: MemoryStore,
    pub(super) faults: Rc<BTreeMap<usize, Fault>>,
    pub(super) count: Rc<Cell<usize>>,
    pub(super) effects: Rc<Effects>,
    /// The value that the other writer puts.
    pub(super) rival: &'static str,
}

impl FaultyStore {
    fn put_rival(&self) {
        let mut world = self.store.world();
        match world.secret("app") {
            Some(secret) if secret.deleted => {}
            Some(_) => drop(world.put("app", self.rival)),
            None => drop(world.create("app", self.rival)),
        }
    }

    /// The number of attempts of the next call.
    fn attempts(&self) -> u32 {
        match self.faults.get(&self.count.get()) {
            Some(Fault::Retried | Fault::RetriedAfterPut) => 2,
            _ => 1,
        }
    }

    fn schedule_deletion(&self) {
        let mut world = self.store.world();
        if world.secret("app").is_some_and(|secret| !secret.deleted) {
            world.schedule_deletion("app");
        }
    }

    async fn call<T>(&self, operation: &'static str, call: impl AsyncFn() -> Call<T>) -> Call<T> {
        let number = self.count.get();
        self.count.set(number + 1);
        let fault = self.faults.get(&number);
        // A read without a response ends the run.
        let is_read = ["Describe", "Get", "List"]
            .iter()
            .any(|verb| operation.starts_with(verb));
        let fault = fault.filter(|fault| {
            !is_read
                || matches!(
                    fault,
                    Fault::PutBefore | Fault::PutAfter | Fault::DeletionBefore
                )
        });
        let lost = || {
            Err(StoreError {
                attempts: 1,
                ..StoreError::new(operation, ErrorKind::Timeout)
            })
        };
        match fault {
            Some(Fault::NeverArrives) => return lost(),
            Some(Fault::PutBefore) => self.put_rival(),
            Some(Fault::DeletionBefore) => self.schedule_deletion(),
            _ => {}
        }
        let before = visible(&self.store.world());
        let mut answer = call().await;
        let after = visible(&self.store.world());
        if before != after {
            self.effects.changed.set(true);
        }
        let [before, after] = [before, after].map(|visible| current(&visible));
        if let Some(before) = before
            && Some(&before) != after.as_ref()
        {
            let is_seen = self.effects.seen.borrow().as_ref() == Some(&before);
            self.effects.replaced_unseen.set(!is_seen);
            self.effects.replaced.borrow_mut().push(before);
        }
        if let Some(Fault::Retried | Fault::RetriedAfterPut) = fault {
            if fault == Some(&Fault::RetriedAfterPut) {
                self.put_rival();
            }
            answer = call().await.map_err(|error| StoreError {
                attempts: 2,
                ..error
            });
        }
        match fault {
            Some(Fault::LostAnswer) => lost(),
            Some(Fault::LostAnswerThenPut) => {
                self.put_rival();
                lost()
            }
            Some(Fault::PutAfter) => {
                self.put_rival();
                answer
            }
            _ => answer,
        }
    }
}

type Visible = (String, Vec<(String, Vec<String>)>);

/// The state visible to users of the secret: metadata, and versions with staging labels.
fn visible(world: &World) -> Visible {
    let Some(secret) = world.secret("app") else {
        return Visible::default();
    };
    let versions = secret.versions.into_iter().map(|version| {
        let mut labels = version.stages;
        labels.retain(|label| !is_private(label));
        labels.sort_unstable();
        (version.id, labels)
    });
    let versions = versions.filter(|(_, labels)| !labels.is_empty());
    let metadata = (
        secret.description,
        secret.kms_key_id,
        secret.tags,
        secret.deleted,
    );
    (format!("{metadata:?}"), versions.collect())
}

fn current((_, versions): &Visible) -> Option<String> {
    let mut versions = versions.iter();
    let (id, _) = versions.find(|(_, labels)| labels.iter().any(|label| label == CURRENT))?;
    Some(id.clone())
}

impl SecretStore for FaultyStore {
    fn region(&self) -> &str {
        self.store.region()
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn for_cleanup(&self) -> Self {
        self.clone()
    }

    fn diagnose(&self, error: &StoreError, subject: Subject<'_>) -> Failure {
        self.store.diagnose(error, subject)
    }

    async fn describe(&self, id: &str) -> Call<Option<SecretMetadata>> {
        let described = async || {
            let secret = self.store.describe(id).await;
            if let Ok(Some(secret)) = &secret {
                let holder = secret.holder(CURRENT).map(str::to_owned);
                self.effects.seen.replace(holder);
            }
            secret
        };
        self.call("DescribeSecret", described).await
    }

    async fn get_value(&self, id: &str, label: &str) -> Call<Option<SecretVersion>> {
        let call = async || self.store.get_value(id, label).await;
        self.call("GetSecretValue", call).await
    }

    async fn batch_get_values(&self, ids: &[String]) -> Call<Vec<BatchEntry>> {
        let call = async || self.store.batch_get_values(ids).await;
        self.call("BatchGetSecretValue", call).await
    }

    async fn list_versions(&self, id: &str) -> Call<Vec<VersionInfo>> {
        let call = async || self.store.list_versions(id).await;
        self.call("ListSecretVersionIds", call).await
    }

    async fn list_secrets(&self, prefixes: &[String], page: Option<String>) -> Call<SecretPage> {
        let call = async || self.store.list_secrets(prefixes, page.clone()).await;
        self.call("ListSecrets", call).await
    }

    async fn get_policy(&self, id: &str) -> Call<Option<String>> {
        let call = async || self.store.get_policy(id).await;
        self.call("GetResourcePolicy", call).await
    }

    async fn validate_policy(&self, id: Option<&str>, policy: &str) -> Call<Validation> {
        let call = async || self.store.validate_policy(id, policy).await;
        self.call("ValidateResourcePolicy", call).await
    }

    async fn put_policy(&self, id: &str, policy: &str, allow_public: bool) -> Call<()> {
        let call = async || self.store.put_policy(id, policy, allow_public).await;
        self.call("PutResourcePolicy", call).await
    }

    async fn create(&self, new: &NewSecret<'_>) -> Call<WrittenVersion> {
        let answer = self.call("CreateSecret", async || self.store.create(new).await);
        let attempts = self.attempts();
        answer.await.map(|written| WrittenVersion {
            attempts,
            ..written
        })
    }

    async fn put_value(
        &self,
        id: &str,
        token: &str,
        value: &SecretValue,
        labels: &[&str],
    ) -> Call<LabeledVersion> {
        let call = async || self.store.put_value(id, token, value, labels).await;
        let attempts = self.attempts();
        let answer = self.call("PutSecretValue", call).await;
        answer.map(|mut put| {
            put.written.attempts = attempts;
            put
        })
    }

    async fn update(
        &self,
        id: &str,
        description: Option<&str>,
        kms_key_id: Option<&str>,
    ) -> Call<()> {
        // The SDK adds the token.
        let mut input = json!({"SecretId": id, "ClientRequestToken": "0".repeat(32)});
        for (key, text) in [("Description", description), ("KmsKeyId", kms_key_id)] {
            if let Some(text) = text {
                input[key] = json!(text);
            }
        }
        let call = async || {
            let caller = Caller::default();
            let mut world = self.store.world();
            let answer = world.call(&caller, self.region(), "UpdateSecret", input.clone());
            answer.map(drop).map_err(|error| StoreError {
                attempts: 1,
                ..StoreError::new(
                    "UpdateSecret",
                    ErrorKind::Service {
                        code: error.code,
                        message: ForeignText::new(&error.message),
                        status: error.status,
                    },
                )
            })
        };
        self.call("UpdateSecret", call).await
    }

    async fn restore(&self, id: &str) -> Call<()> {
        self.call("RestoreSecret", async || self.store.restore(id).await)
            .await
    }

    async fn tag(&self, id: &str, given: &BTreeMap<String, String>) -> Call<()> {
        self.call("TagResource", async || self.store.tag(id, given).await)
            .await
    }

    async fn untag(&self, id: &str, keys: &[String]) -> Call<()> {
        self.call("UntagResource", async || self.store.untag(id, keys).await)
            .await
    }

    async fn replicate(&self, id: &str, given: &BTreeMap<String, Option<String>>) -> Call<()> {
        let call = async || self.store.replicate(id, given).await;
        self.call("ReplicateSecretToRegions", call).await
    }

    async fn remove_replicas(&self, id: &str, regions: &[String]) -> Call<()> {
        let call = async || self.store.remove_replicas(id, regions).await;
        self.call("RemoveRegionsFromReplication", call).await
    }

    async fn move_label(&self, id: &str, label: &str, from: Option<&str>, to: &str) -> Call<()> {
        let call = async || self.store.move_label(id, label, from, to).await;
        self.call("UpdateSecretVersionStage", call).await
    }

    async fn remove_label(&self, id: &str, label: &str, from: &str) -> Call<()> {
        let call = async || self.store.remove_label(id, label, from).await;
        self.call("UpdateSecretVersionStage", call).await
    }
}
