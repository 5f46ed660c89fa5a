//! The steps that write what a secret is besides its value and its policy, and the wait for its replicas.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{Applier, Then};
use crate::aws::{AwsError, Described, Replication};
use crate::failure::{Class, Failure};
use crate::outcome::Change;
use crate::patience::Patience;

/// Looks at a failed replica before it is believed: for a moment AWS may still show the end of an earlier try.
const BELIEVED: u32 = 5;

impl Applier<'_> {
    pub(super) async fn update(
        &mut self,
        description: bool,
        kms_key: bool,
    ) -> Result<Then, Failure> {
        let request = self.request;
        let text = request.description.as_deref().filter(|_| description);
        let key = request.kms_key_id.as_deref().filter(|_| kms_key);
        if let Err(error) = self.aws.update(self.id(), text, key).await {
            return self.changed_or_failed(error);
        }
        if text.is_some() {
            self.outcome.did(Change::Description);
        }
        if let Some(key) = key {
            self.outcome.did(Change::KmsKey(key.to_owned()));
        }
        Ok(Then::Go)
    }

    pub(super) fn metadata(
        &mut self,
        sent: Result<(), AwsError>,
        change: Change,
    ) -> Result<Then, Failure> {
        match sent {
            Ok(()) => {
                self.outcome.did(change);
                Ok(Then::Go)
            }
            Err(error) => self.changed_or_failed(error),
        }
    }

    pub(super) async fn replicate(
        &mut self,
        regions: BTreeMap<String, Option<String>>,
    ) -> Result<Then, Failure> {
        self.outcome.replicating.extend(regions.keys().cloned());
        let sent = self.aws.replicate(self.id(), &regions).await;
        match sent {
            // What AWS says to a region that the attempt before this one has replicated to is not known.
            Err(error) if error.attempts > 1 && error.is("InvalidParameterException") => {
                Ok(Then::Look(Some(error)))
            }
            sent => self.metadata(sent, Change::Replicated(regions.into_keys().collect())),
        }
    }

    /// Waits until all of them are in sync, for as long as the run may take.
    pub(super) async fn await_replicas(&mut self, regions: Vec<String>) -> Result<Then, Failure> {
        let started = Instant::now();
        let mut patience = Patience::of(u32::MAX);
        let mut believed = 0;
        loop {
            let secret = match self.aws.describe(self.id()).await {
                Ok(Some(secret)) => secret,
                Ok(None) => return Ok(Then::Look(None)),
                Err(error) => return self.unknown_or_failed(error),
            };
            let failed = failed(&secret, &regions);
            if !failed.is_empty() {
                believed += 1;
                if believed >= BELIEVED {
                    return Err(failure(&secret, &failed));
                }
            }
            let missing: Vec<&str> = regions
                .iter()
                .filter(|region| {
                    !secret.replicas.iter().any(|there| {
                        there.region == **region && there.status == Replication::InSync
                    })
                })
                .map(String::as_str)
                .collect();
            if missing.is_empty() {
                self.outcome.waiting = None;
                return Ok(Then::Go);
            }
            let missing = missing.join(", ");
            self.progress.say(|| {
                format!(
                    "waiting for replicas: {missing} ({} s)",
                    started.elapsed().as_secs()
                )
            });
            self.outcome.waiting = Some(format!("the replicas in {missing}"));
            patience.wait().await;
        }
    }
}

/// Those that AWS has given up, and why.
fn failed<'a>(secret: &'a Described, regions: &[String]) -> Vec<(&'a str, &'a str)> {
    secret
        .replicas
        .iter()
        .filter(|there| regions.contains(&there.region))
        .filter_map(|there| match &there.status {
            Replication::Failed(message) => Some((there.region.as_str(), message.as_str())),
            _ => None,
        })
        .collect()
}

fn failure(secret: &Described, failed: &[(&str, &str)]) -> Failure {
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
