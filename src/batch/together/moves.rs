//! The calls of a run that makes all secrets current or none, each with what its unclear answers mean: DescribeSecret
//! tells what came of it. Decides nothing.

use super::Member;
use crate::aws::{AwsError, Described, ErrorKind, SecretsManager};
use crate::failure::{Class, Failure, Subject};
use crate::pact::{self, Pact};
use crate::patience::Patience;
use crate::plan::together::Goal;
use crate::request::{CURRENT, Target};
use crate::token::{self, RunIdentity};

/// Tries of a call whose answers never come, each of several attempts.
const TRIES: u32 = 3;

pub(super) struct Moves<'a> {
    pub(super) aws: &'a SecretsManager,
}

/// Why a label is not where it was to be.
pub(super) enum Lost {
    /// It was not where it was seen: somebody else has moved it.
    Elsewhere,
    /// It is gone, and whether this run or another has done that cannot be told.
    Unclear,
    /// AWS refused.
    Failed(Box<Failure>),
}

impl Lost {
    /// What is told of a secret that somebody else wrote.
    pub(super) fn into_failure(self, id: &str) -> Failure {
        match self {
            Self::Failed(failure) => *failure,
            Self::Elsewhere | Self::Unclear => Failure::new(
                Class::Conflict,
                format!("somebody wrote to {id} while this run did"),
                "run again: it builds on what is current then",
            ),
        }
    }
}

/// A version that was put beside the current one.
pub(super) struct Staged {
    pub(super) version: String,
    pub(super) base: String,
    /// It is current already.
    pub(super) current: bool,
}

impl Moves<'_> {
    /// Puts the value of a member beside the current version, under this run's label.
    pub(super) async fn stage(
        &self,
        member: &Member<'_>,
        own: &Pact,
        run: Option<&RunIdentity>,
    ) -> Result<Staged, Failure> {
        let request = member.request;
        let Goal::Flip {
            base,
            document,
            kms_key,
        } = &member.goal
        else {
            return Err(self.failure(
                &AwsError::new("PutSecretValue", ErrorKind::Incoherent),
                member.id(),
            ));
        };
        if *kms_key {
            // Before the version, which shall have that key.
            self.aws
                .update(member.id(), None, request.kms_key_id.as_deref())
                .await
                .map_err(|error| self.failure(&error, member.id()))?;
        }
        let value = document
            .as_ref()
            .map_or(&request.value, |document| document.value());
        let mut token = token::of(request, run, self.aws.region(), value, Some(base))?;
        let mut tries = Patience::of(TRIES);
        let put = loop {
            match self
                .aws
                .put(member.id(), &token.id, value, &own.label)
                .await
            {
                Ok(put) => break put,
                Err(error) if error.is("ResourceExistsException") && !token.replaced => {
                    token.replace()?;
                }
                Err(error) if error.is_unknown_outcome() && tries.wait().await => {}
                Err(error) => return Err(self.failure(&error, member.id())),
            }
        };
        let version = put.written.version_id;
        let current = put.stages.iter().any(|stage| stage == CURRENT);
        if !current && !put.stages.contains(&own.label) {
            // An earlier attempt made this version: the label is still to be put on it.
            self.mark(member.id(), &own.label, &version).await?;
        }
        Ok(Staged {
            version,
            base: base.clone(),
            current,
        })
    }

    /// Puts a label that is nowhere else on a version.
    pub(super) async fn mark(&self, id: &str, label: &str, version: &str) -> Result<(), Failure> {
        let mut tries = Patience::of(TRIES);
        loop {
            let error = match self.aws.move_label(id, label, None, version).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            // An attempt before this one may have put it there.
            if error.is_lost_swap()
                && let Ok(Some(secret)) = self.aws.describe(id).await
                && secret.holder(label) == Some(version)
            {
                return Ok(());
            }
            if !error.is_unknown_outcome() || !tries.wait().await {
                return Err(self.failure(&error, id));
            }
        }
    }

    /// Takes a label off a version, if it is there.
    pub(super) async fn unmark(&self, id: &str, label: &str, version: &str) -> Result<(), Failure> {
        let mut tries = Patience::of(TRIES);
        loop {
            match self.aws.drop_label(id, label, version).await {
                Err(error) if error.is_unknown_outcome() && tries.wait().await => {}
                Err(error) if !error.is_lost_swap() => return Err(self.failure(&error, id)),
                _ => return Ok(()),
            }
        }
    }

    /// Ends another run by taking its label off the witness, as it would itself. [`Lost::Elsewhere`]: it was not there,
    /// and so that run has decided. [`Lost::Unclear`]: it is gone, and only one that is `alive` can have done that
    /// besides this call, whose answer was lost.
    pub(super) async fn end(
        &self,
        id: &str,
        label: &str,
        version: &str,
        alive: bool,
    ) -> Result<(), Lost> {
        let mut tries = Patience::of(TRIES);
        let mut unknown = false;
        loop {
            let error = match self.aws.drop_label(id, label, version).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            unknown = unknown || error.attempts > 1 || error.is_unknown_outcome();
            if error.is_lost_swap() {
                return match (unknown, alive) {
                    (false, _) => Err(Lost::Elsewhere),
                    (true, false) => Ok(()),
                    (true, true) => Err(Lost::Unclear),
                };
            }
            if !error.is_unknown_outcome() || !tries.wait().await {
                return Err(Lost::Failed(Box::new(self.failure(&error, id))));
            }
        }
    }

    /// Takes this run's label off the witness, and so decides. [`Lost::Elsewhere`]: another run has done that, and has
    /// taken over.
    pub(super) async fn decide(&self, id: &str, label: &str, version: &str) -> Result<(), Lost> {
        let mut tries = Patience::of(TRIES);
        let mut unknown = false;
        loop {
            let error = match self.aws.drop_label(id, label, version).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            unknown = unknown || error.attempts > 1 || error.is_unknown_outcome();
            if error.is_lost_swap() {
                let ours = unknown && !self.is_claimed(id, label).await;
                return if ours { Ok(()) } else { Err(Lost::Elsewhere) };
            }
            if !error.is_unknown_outcome() || !tries.wait().await {
                return Err(Lost::Failed(Box::new(self.failure(&error, id))));
            }
        }
    }

    /// Whether another run has put its label on a secret: where it has found something of ours current it does that
    /// before it takes ours off. One that takes over before anything is current may not have yet.
    pub(super) async fn is_claimed(&self, id: &str, own: &str) -> bool {
        match self.aws.describe(id).await {
            Ok(Some(secret)) => secret
                .versions
                .values()
                .flatten()
                .any(|label| label != own && pact::is_ours(label)),
            _ => false,
        }
    }

    /// Whether another run has put its label on a version of ours: it does that where it has found it current.
    pub(super) async fn has_marked(&self, id: &str, version: &str, own: &str) -> bool {
        match self.aws.describe(id).await {
            Ok(Some(secret)) => secret
                .versions
                .get(version)
                .into_iter()
                .flatten()
                .any(|label| label != own && pact::is_ours(label)),
            _ => false,
        }
    }

    /// Moves AWSCURRENT from one version to another; `false` where it was there already. [`Lost::Elsewhere`]: it was in
    /// neither place.
    pub(super) async fn flip(&self, id: &str, from: &str, to: &str) -> Result<bool, Lost> {
        let mut tries = Patience::of(TRIES);
        let mut unknown = false;
        loop {
            let error = match self.aws.move_label(id, CURRENT, Some(from), to).await {
                Ok(()) => return Ok(true),
                Err(error) => error,
            };
            unknown = unknown || error.is_unknown_outcome() || error.attempts > 1;
            if !error.is_unknown_outcome() && !error.is_lost_swap() {
                return Err(Lost::Failed(Box::new(self.failure(&error, id))));
            }
            let holder = self.holder(id, CURRENT).await?;
            if holder.as_deref() == Some(to) {
                return Ok(unknown);
            }
            if holder.as_deref() != Some(from) {
                return Err(Lost::Elsewhere);
            }
            if !tries.wait().await {
                return Err(Lost::Failed(Box::new(self.failure(&error, id))));
            }
        }
    }

    async fn holder(&self, id: &str, label: &str) -> Result<Option<String>, Lost> {
        match self.aws.describe(id).await {
            Ok(secret) => Ok(secret
                .as_ref()
                .and_then(|secret: &Described| secret.holder(label))
                .map(str::to_owned)),
            Err(error) => Err(Lost::Failed(Box::new(self.failure(&error, id)))),
        }
    }

    fn failure(&self, error: &AwsError, id: &str) -> Failure {
        let target = Target::parse(id).unwrap_or_default();
        let subject = Subject {
            id,
            name: &target.name,
            arn: None,
            region: self.aws.region(),
        };
        Failure::of_aws(error, subject)
    }
}
