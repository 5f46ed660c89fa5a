//! What all phases of a transaction share: the loop over members, labels that come off, and the coordinator.

use std::cell::Cell;
use std::future::Future;

use futures_util::StreamExt as _;
use futures_util::stream;
use upsert_secret_core::labels::TransactionLabel;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::Leftover;

use super::calls::Calls;
use super::member::Member;
use crate::batch::CONCURRENT_SECRETS;
use crate::engine::context::Context;
use crate::progress::Progress;
use crate::run_report::RunReport;

/// A transaction over the secrets of a run.
pub(super) struct Transaction<'a, S> {
    pub(super) context: Context<'a, S>,
    pub(super) report: &'a RunReport,
    pub(super) calls: Calls<'a, S>,
    pub(super) silent: Progress,
}

impl<S: SecretStore> Transaction<'_, S> {
    pub(super) fn region(&self) -> &str {
        self.context.store.region()
    }

    /// The context for one member among many: its own progress is not shown.
    pub(super) fn single_context(&self) -> Context<'_, S> {
        Context {
            progress: &self.silent,
            ..self.context
        }
    }

    /// Waits for some work and shows now and then how far it is.
    pub(super) async fn with_progress<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.report.progress.tick() => {}
            }
        }
    }

    /// Does something to each of some members, many at a time. After a failure no further one is begun; what is under
    /// way is waited for.
    pub(super) async fn each<'m, 'r: 'm, F, W>(
        &self,
        verb: &'static str,
        members: &'m mut [Member<'r>],
        which: impl Fn(&Member<'r>) -> bool,
        act: F,
    ) -> bool
    where
        F: Fn(&'m mut Member<'r>) -> W,
        W: Future<Output = bool>,
    {
        let some: Vec<&'m mut Member<'r>> =
            members.iter_mut().filter(|member| which(member)).collect();
        if some.is_empty() {
            return true;
        }
        self.report.progress.start_phase(verb, some.len());
        let succeeded = Cell::new(true);
        let (succeeded, act) = (&succeeded, &act);
        let work = stream::iter(some)
            .map(|member| async move {
                if succeeded.get() {
                    if act(member).await {
                        self.report.progress.step();
                    } else {
                        succeeded.set(false);
                    }
                }
            })
            .buffer_unordered(CONCURRENT_SECRETS)
            .collect::<()>();
        self.with_progress(work).await;
        succeeded.get()
    }

    pub(super) fn coordinator<'m, 'r>(
        &self,
        members: &'m [Member<'r>],
        own: &TransactionLabel,
    ) -> Option<(&'m Member<'r>, &'m (String, String))> {
        let member = members
            .iter()
            .find(|member| own.is_coordinated_by(&member.snapshot.name, self.region()))?;
        Some((member, member.pair.as_ref()?))
    }

    /// Removes every label of this run, the coordinator's last.
    pub(super) async fn remove_labels(&self, members: &[Member<'_>], own: &TransactionLabel) {
        let work = stream::iter(members)
            .map(|member| async move {
                if let Some((version, _)) = &member.pair
                    && !own.is_coordinated_by(&member.snapshot.name, self.region())
                {
                    let _ = self
                        .calls
                        .remove_label(member.id(), &own.label, version)
                        .await;
                }
            })
            .buffer_unordered(CONCURRENT_SECRETS)
            .collect::<()>();
        self.with_progress(work).await;
        if let Some((member, (version, _))) = self.coordinator(members, own) {
            let _ = self
                .calls
                .remove_label(member.id(), &own.label, version)
                .await;
        }
    }

    /// Removes labels of other runs that are over. Where their coordinator is another secret, a run that includes it does
    /// that.
    pub(super) async fn sweep(&self, member: &Member<'_>, left: &[Leftover]) {
        for (label, version) in &member.snapshot.labels {
            let over = |left: &Leftover| left.label == *label && left.is_ours_to_judge;
            if left.iter().any(over) {
                let _ = self
                    .calls
                    .remove_label(member.id(), &label.label, version)
                    .await;
            }
        }
    }
}
