//! The phases of a transaction that succeeds: first versions, staged versions, the moves of AWSCURRENT, and the work after
//! the commit. The calls are in `member`.

use upsert_secret_core::labels::{CURRENT, TransactionLabel};
use upsert_secret_core::outcome::{Change, VersionRef};
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::{Goal, Leftover};

use super::driver::Transaction;
use super::member::Member;
use crate::engine::upsert::upsert;

impl<S: SecretStore> Transaction<'_, S> {
    /// Writes first versions, which AWS makes current at once, by the engine.
    pub(super) async fn first_versions(&self, members: &mut [Member<'_, S>]) -> bool {
        let is_first = |member: &Member<'_, S>| member.goal == Goal::First;
        self.try_for_each("created", members, is_first, async |member| {
            let Some(mut guard) = member.guard.take() else {
                return Ok(());
            };
            let ended = upsert(
                member.request,
                self.context,
                false,
                None,
                &mut guard.attempt,
            )
            .await;
            member.guard.replace(Some(guard));
            ended
        })
        .await
    }

    /// Stages every new version.
    pub(super) async fn stage(
        &self,
        members: &mut [Member<'_, S>],
        own: &TransactionLabel,
    ) -> bool {
        let stage = async |member: &mut Member<'_, S>| member.stage(own).await;
        self.try_for_each("staged", members, Member::is_staged, stage)
            .await
    }

    /// Moves AWSCURRENT to every staged version.
    pub(super) async fn move_all(&self, members: &mut [Member<'_, S>]) -> bool {
        self.try_for_each("made current", members, Member::is_staged, async |member| {
            let Some((version, base)) = &member.versions else {
                return Ok(());
            };
            // Even if the answer is lost: the rollback observes the holder again.
            member.moved = true;
            let moved = member.move_current(base, version).await;
            moved.map_err(|error| error.into_failure(member.id()))?;
            Ok(())
        })
        .await
    }

    /// After the commit: removes labels, and writes everything except the values.
    pub(super) async fn finish(
        &self,
        members: &[Member<'_, S>],
        own: Option<&TransactionLabel>,
        leftovers: &[Leftover],
    ) {
        self.report.progress.start_phase("done", members.len());
        self.for_each(members, async |member| {
            if let Some(own) = own {
                Self::remove_own_label(member, own).await;
            }
            Self::sweep(member, leftovers).await;
            self.finish_member(member).await;
        })
        .await;
    }

    /// Reports the value, and writes the metadata by the engine, which finds the value stored.
    async fn finish_member(&self, member: &Member<'_, S>) {
        let Some(mut guard) = member.guard.take() else {
            return;
        };
        let attempt = &mut guard.attempt;
        if member.is_staged()
            && let Some((version, base)) = &member.versions
        {
            attempt.outcome.record(Change::Version {
                id: version.clone(),
                label: CURRENT.to_owned(),
            });
            attempt.outcome.moved_from = Some(base.clone());
            attempt.outcome.version = Some(VersionRef {
                id: version.clone(),
                stages: vec![CURRENT.to_owned()],
            });
            // The engine recognizes the version by its id if it may not read the value.
            attempt.overtaken = Some(version.clone());
            attempt.own = Some(version.clone());
        }
        let mut ended = Ok(());
        if member.has_more && member.goal != Goal::First {
            ended = upsert(member.request, self.context, false, None, attempt).await;
        }
        guard.end(ended);
    }
}
