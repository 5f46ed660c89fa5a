//! A member of a transaction, and the calls about it. A call without an answer is sent again, and DescribeSecret shows what
//! earlier attempts did. It makes no decisions.

use std::cell::RefCell;

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::{CURRENT, TransactionLabel, is_transaction_label};
use upsert_secret_core::plan::Document;
use upsert_secret_core::request::Request;
use upsert_secret_core::store::{Call, SecretStore};
use upsert_secret_core::transaction::{Goal, Snapshot};

use crate::engine::context::Context;
use crate::run_report::ReportGuard;

/// Tries of a call without an answer, each with several attempts.
const MAX_TRIES: u32 = 3;

/// One secret of a transaction.
pub(super) struct Member<'a, S> {
    pub(super) context: Context<'a, S>,
    /// The index in the list of targets.
    pub(super) index: usize,
    pub(super) request: &'a Request,
    pub(super) guard: RefCell<Option<ReportGuard<'a>>>,
    pub(super) snapshot: Snapshot,
    pub(super) goal: Goal,
    /// The version that this run stages, or takes over from a killed run, and the version to roll back to.
    pub(super) versions: Option<(String, String)>,
    /// Whether AWSCURRENT moved to the first of them, or may have moved, so that a rollback moves it back.
    pub(super) moved: bool,
    /// Whether the plan writes more than the value.
    pub(super) has_more: bool,
}

/// Why a label was not moved or removed.
pub(super) enum MoveError {
    /// The observed version does not hold it: another writer has moved it.
    Conflict,
    /// It is gone, removed by this run or by another.
    Unknown,
    /// AWS rejected the call.
    Failed(Box<Failure>),
}

impl MoveError {
    /// The failure of this secret. For a conflict it names the other write.
    pub(super) fn into_failure(self, id: &str) -> Failure {
        match self {
            Self::Failed(failure) => *failure,
            Self::Conflict | Self::Unknown => Failure::new(
                Class::Conflict,
                format!("somebody wrote to {id} while this run did"),
                "run again: it builds on what is current then",
            ),
        }
    }
}

/// An error of a call, and whether an attempt of the call may have been applied.
struct CallError {
    error: StoreError,
    maybe_applied: bool,
}

impl<S> Member<'_, S> {
    pub(super) fn id(&self) -> &str {
        &self.request.target.id
    }

    /// Whether a new version is staged.
    pub(super) fn is_staged(&self) -> bool {
        matches!(self.goal, Goal::Flip { .. })
    }

    /// Reports the secret as failed, unless it is reported already.
    pub(super) fn fail(&self, failure: Failure) {
        if let Some(guard) = self.guard.take() {
            guard.end(Err(failure));
        }
    }
}

impl<S: SecretStore> Member<'_, S> {
    /// Whether this secret is the coordinator of a transaction.
    pub(super) fn coordinates(&self, label: &TransactionLabel) -> bool {
        label.is_coordinated_by(&self.snapshot.name, self.context.store.region())
    }

    /// Stages the new version under this transaction's label.
    pub(super) async fn stage(&mut self, own: &TransactionLabel) -> Result<(), Failure> {
        let Goal::Flip {
            base,
            document,
            kms_key,
        } = &self.goal
        else {
            return Ok(());
        };
        let Context { store, system, .. } = self.context;
        let (id, request) = (self.id(), self.request);
        if *kms_key {
            // Before the put, so that the new version uses the key.
            let key = request.kms_key_id.as_deref();
            let updated = store.update(id, None, key).await;
            updated.map_err(|error| self.failure(&error))?;
        }
        let value = document.as_ref().map_or(&request.value, Document::value);
        let mut token = self.context.token(request, value, Some(base));
        let put = loop {
            let put = async || store.put_value(id, &token.id, value, &own.label).await;
            match self.until_answered(put).await {
                Ok(put) => break put,
                Err(CallError { error, .. })
                    if error.is("ResourceExistsException") && !token.replaced =>
                {
                    token.replace(system.unique());
                }
                Err(failed) => return Err(self.failure(&failed.error)),
            }
        };
        if put.stages.iter().any(|stage| stage == CURRENT) {
            // The token's version is current already: there is nothing to move or roll back.
            self.goal = Goal::Same;
            return Ok(());
        }
        let version = put.written.version_id;
        if !put.stages.contains(&own.label) {
            // An earlier attempt created this version, so this put did not label it.
            self.add_label(&own.label, &version).await?;
        }
        self.versions = Some((version, base.clone()));
        Ok(())
    }

    /// Adds a label, which no other version holds, to a version.
    pub(super) async fn add_label(&self, label: &str, version: &str) -> Result<(), Failure> {
        let (store, id) = (self.context.store, self.id());
        let add = async || store.move_label(id, label, None, version).await;
        let Err(CallError { error, .. }) = self.until_answered(add).await else {
            return Ok(());
        };
        // An earlier attempt may have added it.
        if error.is_lost_swap()
            && let Ok(Some(secret)) = store.describe(id).await
            && secret.holder(label) == Some(version)
        {
            return Ok(());
        }
        Err(self.failure(&error))
    }

    /// Removes a label from a version. Best effort: the next run removes it otherwise.
    pub(super) async fn remove_label(&self, label: &TransactionLabel, version: &str) {
        let _ = self.send_removal(label, version).await;
    }

    /// Ends another run's transaction by removing its label from the coordinator, as that run would itself.
    ///
    /// # Errors
    /// [`MoveError::Conflict`]: the label was gone, because that transaction has ended. [`MoveError::Unknown`]: the label is
    /// gone, removed by this call, whose answer was lost, or by that run, which is `alive`.
    pub(super) async fn take_over(
        &self,
        label: &TransactionLabel,
        version: &str,
        alive: bool,
    ) -> Result<(), MoveError> {
        match self.send_removal(label, version).await {
            Err(failed) if failed.error.is_lost_swap() => match (failed.maybe_applied, alive) {
                (false, _) => Err(MoveError::Conflict),
                (true, false) => Ok(()),
                (true, true) => Err(MoveError::Unknown),
            },
            sent => sent.map_err(|failed| self.move_failure(&failed.error)),
        }
    }

    /// Commits: removes this transaction's label from the coordinator. From then on the moves are final.
    ///
    /// # Errors
    /// A conflict if another run has removed it and has taken over; or AWS's rejection.
    pub(super) async fn commit(
        &self,
        own: &TransactionLabel,
        version: &str,
    ) -> Result<(), Failure> {
        let Err(failed) = self.send_removal(own, version).await else {
            return Ok(());
        };
        if !failed.error.is_lost_swap() {
            return Err(self.failure(&failed.error));
        }
        // A run that takes over moved versions labels them before it removes this label. One that takes over before any
        // move may not have a label yet.
        if failed.maybe_applied && !self.has_other_label(None, own).await {
            return Ok(());
        }
        Err(Failure::new(
            Class::Conflict,
            "another run with `all-or-nothing` took this one for dead, and its place",
            "let that run end; then run again where this one's values are still wanted",
        ))
    }

    /// Whether this version, or for `None` any version of the secret, holds another transaction's label.
    pub(super) async fn has_other_label(
        &self,
        version: Option<&str>,
        own: &TransactionLabel,
    ) -> bool {
        let Ok(Some(secret)) = self.context.store.describe(self.id()).await else {
            return false;
        };
        secret
            .versions
            .iter()
            .filter(|(id, _)| version.is_none_or(|version| version == *id))
            .flat_map(|(_, labels)| labels)
            .any(|label| *label != own.label && is_transaction_label(label))
    }

    /// Moves AWSCURRENT from one version to another; `false` if it was there already.
    ///
    /// # Errors
    /// [`MoveError::Conflict`] if neither version holds it.
    pub(super) async fn move_current(&self, from: &str, to: &str) -> Result<bool, MoveError> {
        let Context { store, system, .. } = self.context;
        let id = self.id();
        let mut tries = Backoff::new(MAX_TRIES);
        let mut unknown = false;
        loop {
            let Err(error) = store.move_label(id, CURRENT, Some(from), to).await else {
                return Ok(true);
            };
            unknown = unknown || error.is_unknown_outcome() || error.attempts > 1;
            if !error.is_unknown_outcome() && !error.is_lost_swap() {
                return Err(self.move_failure(&error));
            }
            let secret = store.describe(id).await;
            let secret = secret.map_err(|error| self.move_failure(&error))?;
            match secret.as_ref().and_then(|secret| secret.holder(CURRENT)) {
                Some(holder) if holder == to => return Ok(unknown),
                Some(holder) if holder == from => {}
                _ => return Err(MoveError::Conflict),
            }
            if !system.wait(&mut tries).await {
                return Err(self.move_failure(&error));
            }
        }
    }

    async fn send_removal(&self, label: &TransactionLabel, version: &str) -> Result<(), CallError> {
        let (store, id) = (self.context.store, self.id());
        self.until_answered(async || store.remove_label(id, &label.label, version).await)
            .await
    }

    /// Sends a call until it is answered, a limited number of times.
    async fn until_answered<T>(&self, call: impl AsyncFn() -> Call<T>) -> Result<T, CallError> {
        let mut tries = Backoff::new(MAX_TRIES);
        let mut maybe_applied = false;
        loop {
            let error = match call().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            maybe_applied = maybe_applied || error.attempts > 1 || error.is_unknown_outcome();
            if !error.is_unknown_outcome() || !self.context.system.wait(&mut tries).await {
                return Err(CallError {
                    error,
                    maybe_applied,
                });
            }
        }
    }

    fn move_failure(&self, error: &StoreError) -> MoveError {
        MoveError::Failed(Box::new(self.failure(error)))
    }

    fn failure(&self, error: &StoreError) -> Failure {
        let target = &self.request.target;
        self.context.failure(error, target, &Attempt::default())
    }
}

/// Reports the remaining members as not tried.
pub(super) fn leave<S>(members: &[Member<'_, S>]) {
    for member in members {
        if let Some(guard) = member.guard.take() {
            guard.leave();
        }
    }
}
