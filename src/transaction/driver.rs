//! What the phases of a transaction share: concurrent work on the members, the coordinator, and the removal of labels. It
//! does not know the order of the phases.

use std::cell::Cell;
use std::future::Future;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::TransactionLabel;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::Leftover;

use super::member::Member;
use crate::batch::CONCURRENT_SECRETS;
use crate::engine::context::Context;
use crate::run_report::RunReport;

/// A transaction over the secrets of a run.
pub(super) struct Transaction<'a, S> {
    pub(super) context: Context<'a, S>,
    pub(super) report: &'a RunReport,
}

impl<S: SecretStore> Transaction<'_, S> {
    /// Waits for a future and shows the progress periodically.
    pub(super) async fn with_progress<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.report.progress.tick() => {}
            }
        }
    }

    /// Runs an action on each item, many at a time. Boxed, so that the code that waits for many exists once.
    pub(super) async fn for_each<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        act: impl AsyncFn(T),
    ) {
        let work = items.into_iter().map(|item| act(item).boxed_local());
        let work = stream::iter(work).for_each_concurrent(CONCURRENT_SECRETS, |act| act);
        self.with_progress(work).await;
    }

    /// Runs an action on some of the members, many at a time; returns whether all succeeded. After a failure it starts no
    /// further action, and waits for those in progress.
    pub(super) async fn try_for_each<'r>(
        &self,
        verb: &'static str,
        members: &mut [Member<'r, S>],
        which: impl Fn(&Member<'r, S>) -> bool,
        act: impl AsyncFn(&mut Member<'r, S>) -> Result<(), Failure>,
    ) -> bool {
        let some: Vec<_> = members.iter_mut().filter(|member| which(member)).collect();
        if some.is_empty() {
            return true;
        }
        self.report.progress.start_phase(verb, some.len());
        let succeeded = Cell::new(true);
        self.for_each(some, async |member| {
            if !succeeded.get() {
                return;
            }
            match act(member).await {
                Ok(()) => self.report.progress.step(),
                Err(failure) => {
                    member.fail(failure);
                    succeeded.set(false);
                }
            }
        })
        .await;
        succeeded.get()
    }

    /// The coordinator, whose label is the commit record, and its versions.
    pub(super) fn coordinator<'m, 'r>(
        members: &'m [Member<'r, S>],
        own: &TransactionLabel,
    ) -> Option<(&'m Member<'r, S>, &'m (String, String))> {
        let member = members.iter().find(|member| member.coordinates(own))?;
        Some((member, member.versions.as_ref()?))
    }

    /// Removes this transaction's label from all members, from the coordinator last.
    pub(super) async fn remove_labels(&self, members: &[Member<'_, S>], own: &TransactionLabel) {
        self.for_each(members, async |member| {
            Self::remove_own_label(member, own).await;
        })
        .await;
        if let Some((member, (version, _))) = Self::coordinator(members, own) {
            member.remove_label(own, version).await;
        }
    }

    /// Removes this transaction's label from a member, unless it is the coordinator.
    pub(super) async fn remove_own_label(member: &Member<'_, S>, own: &TransactionLabel) {
        if let Some((version, _)) = &member.versions
            && !member.coordinates(own)
        {
            member.remove_label(own, version).await;
        }
    }

    /// Removes labels of other transactions that have ended. Those of a coordinator outside this run are left to a run that
    /// includes it.
    pub(super) async fn sweep(member: &Member<'_, S>, leftovers: &[Leftover]) {
        for (label, version) in &member.snapshot.labels {
            let over = |leftover: &Leftover| leftover.label == *label && leftover.is_ours_to_judge;
            if leftovers.iter().any(over) {
                member.remove_label(label, version).await;
            }
        }
    }
}
