//! The calls of a transaction, each with the meaning of its unclear answers: DescribeSecret shows what came of a call whose
//! answer was lost. Decides nothing.

use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::{CURRENT, TransactionLabel, is_transaction_label};
use upsert_secret_core::plan::Document;
use upsert_secret_core::store::{SecretStore, Subject};
use upsert_secret_core::target::Target;
use upsert_secret_core::transaction::Goal;

use super::member::Member;
use crate::engine::context::Context;

/// Tries of a call whose answers never come, each with several attempts.
const MAX_TRIES: u32 = 3;

/// The store, as a transaction uses it.
pub(super) struct Calls<'a, S> {
    pub(super) context: Context<'a, S>,
}

/// Why a label is not where it was to be.
pub(super) enum MoveError {
    /// It was not where it was seen: somebody else has moved it.
    Elsewhere,
    /// It is gone, and whether this run or another has done that cannot be told.
    Unclear,
    /// AWS refused.
    Failed(Box<Failure>),
}

impl MoveError {
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

impl<S: SecretStore> Calls<'_, S> {
    /// Puts the value of a member beside the current version, under this run's label.
    pub(super) async fn stage(
        &self,
        member: &Member<'_>,
        own: &TransactionLabel,
    ) -> Result<Staged, Failure> {
        let request = member.request;
        let Goal::Flip {
            base,
            document,
            kms_key,
        } = &member.goal
        else {
            return Err(self.failure(
                &StoreError::new("PutSecretValue", ErrorKind::Inconsistent),
                member.id(),
            ));
        };
        if *kms_key {
            // Before the version, which shall have that key.
            self.context
                .store
                .update(member.id(), None, request.kms_key_id.as_deref())
                .await
                .map_err(|error| self.failure(&error, member.id()))?;
        }
        let value = document.as_ref().map_or(&request.value, Document::value);
        let scope = request.token_scope(self.context.store.region());
        let mut token = scope.token(self.context.run, value, Some(base), || {
            self.context.system.unique()
        });
        let mut tries = Backoff::new(MAX_TRIES);
        let put = loop {
            match self
                .context
                .store
                .put_value(member.id(), &token.id, value, &own.label)
                .await
            {
                Ok(put) => break put,
                Err(error) if error.is("ResourceExistsException") && !token.replaced => {
                    token.replace(self.context.system.unique());
                }
                Err(error)
                    if error.is_unknown_outcome() && self.context.system.wait(&mut tries).await => {
                }
                Err(error) => return Err(self.failure(&error, member.id())),
            }
        };
        let version = put.written.version_id;
        let current = put.stages.iter().any(|stage| stage == CURRENT);
        if !current && !put.stages.contains(&own.label) {
            // An earlier attempt made this version: the label is still to be put on it.
            self.add_label(member.id(), &own.label, &version).await?;
        }
        Ok(Staged {
            version,
            base: base.clone(),
            current,
        })
    }

    /// Puts a label that is nowhere else on a version.
    pub(super) async fn add_label(
        &self,
        id: &str,
        label: &str,
        version: &str,
    ) -> Result<(), Failure> {
        let mut tries = Backoff::new(MAX_TRIES);
        loop {
            let error = match self
                .context
                .store
                .move_label(id, label, None, version)
                .await
            {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            // An attempt before this one may have put it there.
            if error.is_lost_swap()
                && let Ok(Some(secret)) = self.context.store.describe(id).await
                && secret.holder(label) == Some(version)
            {
                return Ok(());
            }
            if !error.is_unknown_outcome() || !self.context.system.wait(&mut tries).await {
                return Err(self.failure(&error, id));
            }
        }
    }

    /// Takes a label off a version, if it is there.
    pub(super) async fn remove_label(
        &self,
        id: &str,
        label: &str,
        version: &str,
    ) -> Result<(), Failure> {
        let mut tries = Backoff::new(MAX_TRIES);
        loop {
            match self.context.store.remove_label(id, label, version).await {
                Err(error)
                    if error.is_unknown_outcome() && self.context.system.wait(&mut tries).await => {
                }
                Err(error) if !error.is_lost_swap() => return Err(self.failure(&error, id)),
                _ => return Ok(()),
            }
        }
    }

    /// Ends another run by taking its label off the witness, as it would itself. [`MoveError::Elsewhere`]: it was not there,
    /// and so that run has decided. [`MoveError::Unclear`]: it is gone, and only one that is `alive` can have done that
    /// besides this call, whose answer was lost.
    pub(super) async fn end_other(
        &self,
        id: &str,
        label: &str,
        version: &str,
        alive: bool,
    ) -> Result<(), MoveError> {
        let mut tries = Backoff::new(MAX_TRIES);
        let mut unknown = false;
        loop {
            let error = match self.context.store.remove_label(id, label, version).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            unknown = unknown || error.attempts > 1 || error.is_unknown_outcome();
            if error.is_lost_swap() {
                return match (unknown, alive) {
                    (false, _) => Err(MoveError::Elsewhere),
                    (true, false) => Ok(()),
                    (true, true) => Err(MoveError::Unclear),
                };
            }
            if !error.is_unknown_outcome() || !self.context.system.wait(&mut tries).await {
                return Err(MoveError::Failed(Box::new(self.failure(&error, id))));
            }
        }
    }

    /// Takes this run's label off the witness, and so decides. [`MoveError::Elsewhere`]: another run has done that, and has
    /// taken over.
    pub(super) async fn commit(
        &self,
        id: &str,
        label: &str,
        version: &str,
    ) -> Result<(), MoveError> {
        let mut tries = Backoff::new(MAX_TRIES);
        let mut unknown = false;
        loop {
            let error = match self.context.store.remove_label(id, label, version).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            unknown = unknown || error.attempts > 1 || error.is_unknown_outcome();
            if error.is_lost_swap() {
                let ours = unknown && !self.is_claimed(id, label).await;
                return if ours {
                    Ok(())
                } else {
                    Err(MoveError::Elsewhere)
                };
            }
            if !error.is_unknown_outcome() || !self.context.system.wait(&mut tries).await {
                return Err(MoveError::Failed(Box::new(self.failure(&error, id))));
            }
        }
    }

    /// Whether another run has put its label on a secret: where it has found something of ours current it does that
    /// before it takes ours off. One that takes over before anything is current may not have yet.
    pub(super) async fn is_claimed(&self, id: &str, own: &str) -> bool {
        match self.context.store.describe(id).await {
            Ok(Some(secret)) => secret
                .versions
                .values()
                .flatten()
                .any(|label| label != own && is_transaction_label(label)),
            _ => false,
        }
    }

    /// Whether another run has put its label on a version of ours: it does that where it has found it current.
    pub(super) async fn has_marked(&self, id: &str, version: &str, own: &str) -> bool {
        match self.context.store.describe(id).await {
            Ok(Some(secret)) => secret
                .versions
                .get(version)
                .into_iter()
                .flatten()
                .any(|label| label != own && is_transaction_label(label)),
            _ => false,
        }
    }

    /// Moves AWSCURRENT from one version to another; `false` where it was there already. [`MoveError::Elsewhere`]: it was in
    /// neither place.
    pub(super) async fn move_current(
        &self,
        id: &str,
        from: &str,
        to: &str,
    ) -> Result<bool, MoveError> {
        let mut tries = Backoff::new(MAX_TRIES);
        let mut unknown = false;
        loop {
            let error = match self
                .context
                .store
                .move_label(id, CURRENT, Some(from), to)
                .await
            {
                Ok(()) => return Ok(true),
                Err(error) => error,
            };
            unknown = unknown || error.is_unknown_outcome() || error.attempts > 1;
            if !error.is_unknown_outcome() && !error.is_lost_swap() {
                return Err(MoveError::Failed(Box::new(self.failure(&error, id))));
            }
            let holder = self.holder(id, CURRENT).await?;
            if holder.as_deref() == Some(to) {
                return Ok(unknown);
            }
            if holder.as_deref() != Some(from) {
                return Err(MoveError::Elsewhere);
            }
            if !self.context.system.wait(&mut tries).await {
                return Err(MoveError::Failed(Box::new(self.failure(&error, id))));
            }
        }
    }

    async fn holder(&self, id: &str, label: &str) -> Result<Option<String>, MoveError> {
        match self.context.store.describe(id).await {
            Ok(secret) => Ok(secret
                .as_ref()
                .and_then(|secret| secret.holder(label))
                .map(str::to_owned)),
            Err(error) => Err(MoveError::Failed(Box::new(self.failure(&error, id)))),
        }
    }

    fn failure(&self, error: &StoreError, id: &str) -> Failure {
        let target = Target::parse(id).unwrap_or_default();
        let subject = Subject {
            id,
            name: &target.name,
            arn: None,
        };
        self.context.store.diagnose(error, subject)
    }
}
