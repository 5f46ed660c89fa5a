//! Compare-and-swap: a version is put under a label that only this process has, AWSCURRENT is moved to it
//! from the version that was observed and from no other, and the private label is dropped. Also the
//! labels that a version gets besides.

use std::time::Duration;

use super::{Applier, Then};
use crate::aws::SecretsManager;
use crate::failure::Failure;
use crate::lease::Lease;
use crate::observe::now;
use crate::outcome::{Change, Outcome, Version};
use crate::plan::Step;
use crate::request::CURRENT;
use crate::token;

/// How long the private label's end may keep a run that is over.
const FAREWELL: Duration = Duration::from_secs(2);

/// How often a quota is taken for one that others fill for a moment.
const LIMITED: u32 = 2;

impl Applier<'_> {
    pub(super) async fn swap(&mut self, base: Option<String>) -> Result<Then, Failure> {
        // Another base makes another document, and so another version.
        let mark = base.clone().unwrap_or_default();
        if self.token.base.as_ref() != Some(&mark) {
            *self.token = token::of(
                self.request,
                self.run,
                self.aws.region(),
                self.value(),
                Some(&mark),
            )?;
        }
        let label = self.lease(&self.token.id.clone())?;
        self.outcome.base = Some(base.clone());
        let put = match self
            .aws
            .put(self.id(), &self.token.id, self.value(), &label)
            .await
        {
            Ok(put) => put,
            Err(error) if error.is("ResourceExistsException") && !self.token.replaced => {
                self.token.replace()?;
                // What looked like our own work is not: the guard has to be asked again.
                if self.outcome.own.take().is_some() {
                    return Ok(Then::Look(None));
                }
                return Ok(Then::Instead(vec![Step::Swap { base }]));
            }
            // The labels of others may be all that a secret can hold; their turns end soon.
            Err(error) if error.is("LimitExceededException") && self.outcome.living > 0 => {
                return Ok(Then::Turn);
            }
            // They may have come since the secret was looked at. Else it is the quota of versions, which stays.
            Err(error) if error.is("LimitExceededException") && self.outcome.limited < LIMITED => {
                self.outcome.limited += 1;
                return Ok(Then::Look(Some(error)));
            }
            Err(error) => {
                if error.is_unknown_outcome() {
                    self.sent();
                }
                return self.changed_or_failed(error);
            }
        };
        self.know(&put.written.arn, &put.written.name);
        let id = put.written.version_id;
        if put.stages.iter().any(|stage| stage == CURRENT) {
            // The first version of a secret, or one that an earlier attempt has made current.
            let mut stages = put.stages;
            stages.retain(|stage| *stage != label);
            // It was current before this run wrote anything: nothing has changed.
            let held = self.outcome.holder.as_ref() == Some(&id) && !self.was_sent();
            let holder = if held { Some(id.clone()) } else { base };
            self.outcome.base = Some(holder.clone());
            self.current(id, stages, holder);
            self.drop_lease().await;
            return Ok(Then::Go);
        }
        if !put.stages.contains(&label) {
            // An earlier attempt made this version: the label is still to be put on it.
            match self.aws.move_label(self.id(), &label, None, &id).await {
                Ok(()) => {}
                Err(error) if error.is_lost_swap() || error.is("LimitExceededException") => {
                    return Ok(self.lost().await);
                }
                Err(error) => return self.unknown_or_failed(error),
            }
        }
        self.make_current(id, base).await
    }

    async fn make_current(&mut self, id: String, base: Option<String>) -> Result<Then, Failure> {
        self.sent();
        match self
            .aws
            .move_label(self.id(), CURRENT, base.as_deref(), &id)
            .await
        {
            Ok(()) => {
                self.current(id, vec![CURRENT.to_owned()], base);
                self.drop_lease().await;
                Ok(Then::Go)
            }
            Err(error) if error.is_lost_swap() => Ok(self.lost().await),
            Err(error) => self.unknown_or_failed(error),
        }
    }

    /// Somebody else was faster: their work stays, ours is made anew on top of it.
    async fn lost(&mut self) -> Then {
        self.outcome.contended = true;
        self.drop_lease().await;
        Then::Turn
    }

    /// The private label of this run, from now on on this version.
    fn lease(&mut self, version: &str) -> Result<String, Failure> {
        let lease = match self.outcome.lease.take() {
            Some(lease) => lease,
            None => Lease::until(now() + self.request.reach.timeout.as_secs())?,
        };
        let label = lease.label.clone();
        self.outcome.lease = Some(Lease {
            on: Some(version.to_owned()),
            ..lease
        });
        Ok(label)
    }

    /// A failure leaves it where it is, for [`cleanup`].
    async fn drop_lease(&mut self) {
        if let Some(Lease {
            label,
            on: Some(version),
        }) = self.outcome.lease.clone()
            && self
                .aws
                .drop_label(self.id(), &label, &version)
                .await
                .is_ok()
        {
            self.outcome.lease = Some(Lease { label, on: None });
        }
    }

    pub(super) async fn label(
        &mut self,
        label: String,
        from: Option<String>,
    ) -> Result<Then, Failure> {
        let Some(version) = self.outcome.version.clone() else {
            return Ok(Then::Look(None));
        };
        if from.as_ref() == Some(&version.id) || version.stages.contains(&label) {
            return Ok(Then::Go);
        }
        match self
            .aws
            .move_label(self.id(), &label, from.as_deref(), &version.id)
            .await
        {
            Ok(()) => {
                self.outcome.relabel(&label, &version.id);
                self.outcome.did(Change::Labelled {
                    id: version.id.clone(),
                    label: label.clone(),
                });
                let mut stages = version.stages;
                stages.push(label);
                self.outcome.version = Some(Version {
                    id: version.id,
                    stages,
                });
                Ok(Then::Go)
            }
            Err(error) if error.is_lost_swap() => Ok(Then::Look(Some(error))),
            Err(error) => self.unknown_or_failed(error),
        }
    }

    /// Best effort: what cannot be taken off now is left to the next run.
    pub(super) async fn sweep(&mut self, labels: Vec<(String, String)>) -> Result<Then, Failure> {
        for (label, version) in labels {
            if let Err(error) = self.aws.drop_label(self.id(), &label, &version).await
                && error.is("AccessDeniedException")
            {
                self.outcome.note(
                    crate::redact::Level::Notice,
                    "private labels of runs that were killed could not be taken off: UpdateSecretVersionStage is denied",
                );
                break;
            }
        }
        Ok(Then::Go)
    }
}

/// Takes this run's private label off where that has not been done: after a failure, a signal or the
/// time limit. It is the one write that may come after those.
pub async fn cleanup(id: &str, aws: &SecretsManager, outcome: &mut Outcome) {
    let Some(Lease {
        label,
        on: Some(version),
    }) = outcome.lease.clone()
    else {
        return;
    };
    let aws = aws.afterwards();
    let dropped = tokio::time::timeout(FAREWELL, aws.drop_label(id, &label, &version)).await;
    let gone = match dropped {
        Ok(Ok(())) => true,
        // It is not there: never put, or taken off by an attempt whose answer was lost.
        Ok(Err(error)) => error.is_lost_swap(),
        Err(_) => false,
    };
    if gone {
        outcome.lease = Some(Lease { label, on: None });
    } else {
        outcome.note(
            crate::redact::Level::Notice,
            format!("the private label {label} could not be taken off: the next guarded run does it once it has expired"),
        );
    }
}
