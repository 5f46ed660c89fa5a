//! The steps for everything except the value: description, KMS key, tags, replicas and the resource policy. They wait for
//! replicas and for new principals, and decide nothing else.

use std::collections::BTreeMap;
use std::time::Instant;

use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::outcome::Change;
use upsert_secret_core::plan::check_validation;
use upsert_secret_core::state::{ReplicaStatus, SecretMetadata};
use upsert_secret_core::store::{Call, SecretStore};

use super::{Applied, Applier};

/// Sightings of a failed replica before it is reported: for a moment AWS may still show the end of an earlier attempt.
const MAX_FAILED_SIGHTINGS: u32 = 5;

/// Tries for a principal that AWS does not know yet: a new role can be named some seconds after it was created. About a
/// minute in all.
const MAX_PRINCIPAL_TRIES: u32 = 36;

impl<S: SecretStore> Applier<'_, S> {
    pub(super) async fn update(
        &mut self,
        description: bool,
        kms_key: bool,
    ) -> Result<Applied, Failure> {
        let request = self.request;
        let text = request.description.as_deref().filter(|_| description);
        let key = request.kms_key_id.as_deref().filter(|_| kms_key);
        let description = text.map(|_| Change::Description);
        let key_change = key.map(|key| Change::KmsKey(key.to_owned()));
        let changes = description.into_iter().chain(key_change);
        if let Err(error) = self.context.store.update(self.id(), text, key).await {
            for change in changes {
                self.record_unconfirmed(&error, || change);
            }
            return self.retry_if_changed(error);
        }
        for change in changes {
            self.attempt.outcome.record(change);
        }
        Ok(Applied::Done)
    }

    pub(super) fn record_metadata(
        &mut self,
        sent: Call<()>,
        change: Change,
    ) -> Result<Applied, Failure> {
        match sent {
            Ok(()) => {
                self.attempt.outcome.record(change);
                Ok(Applied::Done)
            }
            Err(error) => {
                self.record_unconfirmed(&error, || change);
                self.retry_if_changed(error)
            }
        }
    }

    pub(super) async fn replicate(
        &mut self,
        regions: BTreeMap<String, Option<String>>,
    ) -> Result<Applied, Failure> {
        let sent = self.context.store.replicate(self.id(), &regions).await;
        if !sent.as_ref().is_err_and(|error| error.attempts == 0) {
            self.attempt.replicating.extend(regions.keys().cloned());
        }
        match sent {
            // AWS's answer for a region that an earlier attempt of this call has replicated to is not documented.
            Err(error) if error.attempts > 1 && error.is("InvalidParameterException") => {
                Ok(Applied::Retry(Some(error)))
            }
            sent => self.record_metadata(sent, Change::Replicated(regions.into_keys().collect())),
        }
    }

    /// Waits until the replicas in these regions are in sync, without a limit of its own.
    pub(super) async fn await_replicas(
        &mut self,
        regions: Vec<String>,
    ) -> Result<Applied, Failure> {
        let started = Instant::now();
        let mut backoff = Backoff::endless();
        let mut sightings = 0;
        loop {
            let secret = match self.context.store.describe(self.id()).await {
                Ok(Some(secret)) => secret,
                Ok(None) => return Ok(Applied::Retry(None)),
                Err(error) => return self.retry_if_unknown(error),
            };
            if let Some(failure) = replication_failure(&secret, &regions) {
                sightings += 1;
                if sightings >= MAX_FAILED_SIGHTINGS {
                    return Err(failure);
                }
            }
            let missing: Vec<&str> = regions
                .iter()
                .filter(|region| {
                    !secret.replicas.iter().any(|there| {
                        there.region == **region && there.status == ReplicaStatus::InSync
                    })
                })
                .map(String::as_str)
                .collect();
            if missing.is_empty() {
                self.attempt.waiting = None;
                return Ok(Applied::Done);
            }
            let missing = missing.join(", ");
            self.context.progress.say(|| {
                format!(
                    "waiting for replicas: {missing} ({} s)",
                    started.elapsed().as_secs()
                )
            });
            self.attempt.waiting = Some(format!("the replicas in {missing}"));
            self.context.system.wait(&mut backoff).await;
        }
    }

    pub(super) async fn check_policy(&mut self) -> Result<Applied, Failure> {
        let is_checked = self.attempt.policy_checked;
        let Some(policy) = self.request.policy.as_ref().filter(|_| !is_checked) else {
            return Ok(Applied::Done);
        };
        let store = self.context.store;
        let mut backoff = Backoff::new(MAX_PRINCIPAL_TRIES);
        loop {
            let answer = store.validate_policy(self.id(), policy.text()).await;
            let again = match &answer {
                Ok(validation) => validation
                    .findings
                    .iter()
                    .any(|finding| is_unknown(&finding.message)),
                Err(error) => is_unknown_principal(error),
            };
            if again && self.wait_for_principals(&mut backoff).await {
                continue;
            }
            return match answer {
                Ok(validation) => {
                    check_validation(&validation, self.request.allow_public_policy, self.id())?;
                    self.attempt.policy_checked = true;
                    Ok(Applied::Done)
                }
                Err(error) => self.retry_if_changed(error),
            };
        }
    }

    pub(super) async fn set_policy(&mut self) -> Result<Applied, Failure> {
        let Some(policy) = self.request.policy.as_ref() else {
            return Ok(Applied::Done);
        };
        let (store, public) = (self.context.store, self.request.allow_public_policy);
        let mut backoff = Backoff::new(MAX_PRINCIPAL_TRIES);
        loop {
            match store.put_policy(self.id(), policy.text(), public).await {
                Err(error)
                    if is_unknown_principal(&error)
                        && self.wait_for_principals(&mut backoff).await => {}
                sent => return self.record_metadata(sent, Change::Policy),
            }
        }
    }

    /// Waits for the next try; `false` after the last one.
    async fn wait_for_principals(&mut self, backoff: &mut Backoff) -> bool {
        let what = "AWS to know the principals of the resource policy";
        self.context.progress.say(|| format!("waiting for {what}"));
        self.attempt.waiting = Some(what.to_owned());
        let more = self.context.system.wait(backoff).await;
        self.attempt.waiting = None;
        more
    }
}

/// The failure for replicas whose replication failed; `None` if there are none.
fn replication_failure(secret: &SecretMetadata, regions: &[String]) -> Option<Failure> {
    let (failed, why): (Vec<&str>, Vec<String>) = secret
        .replicas
        .iter()
        .filter(|replica| regions.contains(&replica.region))
        .filter_map(|replica| match &replica.status {
            ReplicaStatus::Failed(message) => {
                let region = replica.region.as_str();
                Some((region, format!("AWS says of {region}: {message}")))
            }
            _ => None,
        })
        .unzip();
    let failure = Failure::new(
        Class::Refused,
        format!(
            "{} could not be replicated to {}",
            secret.name,
            failed.join(", ")
        ),
        "mend that, and run again: each run tries a failed replica once more. A secret of this name that is there already\n\
         is never overwritten; rename or remove it",
    )
    .because(why.join("\n"));
    (!failed.is_empty()).then_some(failure)
}

fn is_unknown_principal(error: &StoreError) -> bool {
    error.is("MalformedPolicyDocumentException") && error.message().is_some_and(is_unknown)
}

fn is_unknown(message: &str) -> bool {
    message.contains("unsupported principal")
}
