//! Applies the steps for everything except the value: description, KMS key, tags, replicas and the resource policy. Waits for
//! replicas and for new principals, and makes no other decisions.

use std::collections::BTreeMap;
use std::time::Instant;

use upsert_secret_core::attempt::Wait;
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::outcome::Change;
use upsert_secret_core::plan::Nameable;
use upsert_secret_core::state::{ReplicaStatus, SecretMetadata};
use upsert_secret_core::store::{Call, SecretStore};

use super::{Applied, Applier};
use crate::engine::policy::{
    MAX_PRINCIPAL_TRIES, check_policy, unknown_principal, wait_for_principals,
};

/// The number of times a failed replica is seen before it is reported: AWS may briefly show the end of an earlier attempt.
const MAX_FAILED_SIGHTINGS: u32 = 5;

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
            // AWS does not document its response for a region that an earlier attempt of this call has replicated to.
            Err(error) if error.attempts > 1 && error.is("InvalidParameterException") => {
                Ok(Applied::Retry(Some(error)))
            }
            sent => self.record_metadata(sent, Change::Replicated(regions.into_keys().collect())),
        }
    }

    /// Waits until the replicas in these regions are in sync. Has no limit of its own.
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
                return Ok(Applied::Done);
            }
            let missing = missing.join(", ");
            self.context.progress.say(|| {
                format!(
                    "waiting for replicas: {missing} ({} s)",
                    started.elapsed().as_secs()
                )
            });
            let wait = Wait::new(format!("the replicas in {missing}"));
            self.context.wait(&mut backoff, wait, self.attempt).await;
        }
    }

    pub(super) async fn set_policy(&mut self) -> Result<Applied, Failure> {
        let Some(policy) = self.request.policy.as_ref() else {
            return Ok(Applied::Done);
        };
        // Only if validation was not possible before the first write.
        let (request, context) = (self.request, self.context);
        let checked = check_policy(request, context, Nameable::Yes, false, self.attempt).await?;
        if checked.is_some() {
            return Ok(Applied::Retry(checked));
        }
        let (store, public) = (context.store, request.allow_public_policy);
        let mut backoff = Backoff::new(MAX_PRINCIPAL_TRIES);
        loop {
            let sent = store.put_policy(self.id(), policy.text(), public).await;
            if let Err(error) = &sent
                && let Some(message) = unknown_principal(error)
                && wait_for_principals(&mut backoff, message, self.request, context, self.attempt)
                    .await
            {
                continue;
            }
            return self.record_metadata(sent, Change::Policy);
        }
    }
}

/// The failure for replicas that could not be replicated; `None` if there are none.
fn replication_failure(secret: &SecretMetadata, regions: &[String]) -> Option<Failure> {
    let (failed, why): (Vec<&str>, Vec<String>) = secret
        .replicas
        .iter()
        .filter(|replica| regions.contains(&replica.region))
        .filter_map(|replica| match &replica.status {
            ReplicaStatus::Failed(message) => {
                let region = replica.region.as_str();
                Some((
                    region,
                    format!(
                        "AWS answered for {region}: {}",
                        message.quote(&[region, &secret.name])
                    ),
                ))
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
        "fix the cause and run again: each run retries a failed replica once. An existing secret with this name\n\
         is never overwritten; rename or delete it",
    )
    .because(why.join("\n"));
    (!failed.is_empty()).then_some(failure)
}
