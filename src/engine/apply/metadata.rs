//! The steps that write everything but the value and the policy, and the wait for replicas.

use std::collections::BTreeMap;
use std::time::Instant;

use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::outcome::Change;
use upsert_secret_core::state::{ReplicaStatus, SecretMetadata};
use upsert_secret_core::store::SecretStore;

use super::applier::{Applier, StepOutcome};

/// Sightings of a failed replica before it is reported: for a moment AWS may still show the end of an earlier attempt.
const MAX_FAILED_SIGHTINGS: u32 = 5;

impl<S: SecretStore> Applier<'_, S> {
    pub(super) async fn update(
        &mut self,
        description: bool,
        kms_key: bool,
    ) -> Result<StepOutcome, Failure> {
        let request = self.request;
        let text = request.description.as_deref().filter(|_| description);
        let key = request.kms_key_id.as_deref().filter(|_| kms_key);
        if let Err(error) = self.context.store.update(self.id(), text, key).await {
            return self.retry_if_changed(error);
        }
        if text.is_some() {
            self.attempt.outcome.record(Change::Description);
        }
        if let Some(key) = key {
            self.attempt.outcome.record(Change::KmsKey(key.to_owned()));
        }
        Ok(StepOutcome::Done)
    }

    pub(super) fn metadata_written(
        &mut self,
        sent: Result<(), StoreError>,
        change: Change,
    ) -> Result<StepOutcome, Failure> {
        match sent {
            Ok(()) => {
                self.attempt.outcome.record(change);
                Ok(StepOutcome::Done)
            }
            Err(error) => self.retry_if_changed(error),
        }
    }

    pub(super) async fn replicate(
        &mut self,
        regions: BTreeMap<String, Option<String>>,
    ) -> Result<StepOutcome, Failure> {
        self.attempt.replicating.extend(regions.keys().cloned());
        let sent = self.context.store.replicate(self.id(), &regions).await;
        match sent {
            // What AWS says to a region that the attempt before this one has replicated to is not known.
            Err(error) if error.attempts > 1 && error.is("InvalidParameterException") => {
                Ok(StepOutcome::Retry(Some(error)))
            }
            sent => self.metadata_written(sent, Change::Replicated(regions.into_keys().collect())),
        }
    }

    /// Waits until all of them are in sync, for as long as the run may take.
    pub(super) async fn await_replicas(
        &mut self,
        regions: Vec<String>,
    ) -> Result<StepOutcome, Failure> {
        let started = Instant::now();
        let mut backoff = Backoff::endless();
        let mut sightings = 0;
        loop {
            let secret = match self.context.store.describe(self.id()).await {
                Ok(Some(secret)) => secret,
                Ok(None) => return Ok(StepOutcome::Retry(None)),
                Err(error) => return self.retry_if_unknown(error),
            };
            let failed = failed(&secret, &regions);
            if !failed.is_empty() {
                sightings += 1;
                if sightings >= MAX_FAILED_SIGHTINGS {
                    return Err(failure(&secret, &failed));
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
                return Ok(StepOutcome::Done);
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
}

/// Those that AWS has given up, and why.
fn failed<'a>(secret: &'a SecretMetadata, regions: &[String]) -> Vec<(&'a str, &'a str)> {
    secret
        .replicas
        .iter()
        .filter(|there| regions.contains(&there.region))
        .filter_map(|there| match &there.status {
            ReplicaStatus::Failed(message) => Some((there.region.as_str(), message.as_str())),
            _ => None,
        })
        .collect()
}

fn failure(secret: &SecretMetadata, failed: &[(&str, &str)]) -> Failure {
    let regions: Vec<&str> = failed.iter().map(|(region, _)| *region).collect();
    let why: Vec<String> = failed
        .iter()
        .map(|(region, message)| format!("AWS says of {region}: {message}"))
        .collect();
    Failure::new(
        Class::Refused,
        format!(
            "{} could not be replicated to {}",
            secret.name,
            regions.join(", ")
        ),
        "mend that, and run again: each run tries a failed replica once more. A secret of this name that is there already\n\
         is never overwritten; rename or remove it",
    )
    .because(why.join("\n"))
}
