//! The way forward: first versions, staged versions, the moves of AWSCURRENT, the commit, and what is left to do after it.
//! Owns the order within each phase; the calls are in `calls`.

use futures_util::StreamExt as _;
use futures_util::stream;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::{CURRENT, TransactionLabel};
use upsert_secret_core::outcome::{Change, VersionRef};
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::{Goal, Leftover};

use super::calls::MoveError;
use super::driver::Transaction;
use super::member::Member;
use crate::batch::CONCURRENT_SECRETS;
use crate::engine::upsert::upsert;

impl<S: SecretStore> Transaction<'_, S> {
    /// Secrets without a version, by the loop of one secret.
    pub(super) async fn first_versions(&self, members: &mut [Member<'_>]) -> bool {
        let first = |member: &Member<'_>| member.goal == Goal::First;
        self.each(
            "created",
            members,
            first,
            |member: &mut Member<'_>| async move {
                let Some(mut guard) = member.guard.take() else {
                    return true;
                };
                let ended = upsert(
                    member.request,
                    self.single_context(),
                    None,
                    &mut guard.attempt,
                )
                .await;
                let succeeded = ended.is_ok();
                member.guard.replace(Some(guard));
                if let Err(failure) = ended {
                    member.end(Err(failure));
                }
                succeeded
            },
        )
        .await
    }

    /// Puts every version beside the current one.
    pub(super) async fn stage(&self, members: &mut [Member<'_>], own: &TransactionLabel) -> bool {
        self.each(
            "staged",
            members,
            Member::is_staged,
            |member: &mut Member<'_>| async move {
                match self.calls.stage(member, own).await {
                    // Its token's version is current already: there is nothing to flip, and nothing to take back.
                    Ok(staged) if staged.current => member.goal = Goal::Same,
                    Ok(staged) => member.pair = Some((staged.version, staged.base)),
                    Err(failure) => {
                        member.end(Err(failure));
                        return false;
                    }
                }
                true
            },
        )
        .await
    }

    /// Makes every staged version current.
    pub(super) async fn move_all(&self, members: &mut [Member<'_>]) -> bool {
        self.each(
            "made current",
            members,
            Member::is_staged,
            |member: &mut Member<'_>| async move {
                let Some((version, base)) = &member.pair else {
                    return true;
                };
                // Also where the answer never comes: it is looked at again before it is taken back.
                member.moved = true;
                match self.calls.move_current(member.id(), base, version).await {
                    Ok(_) => true,
                    Err(error) => {
                        member.end(Err(error.into_failure(member.id())));
                        false
                    }
                }
            },
        )
        .await
    }

    /// Removes the commit record, the label on the coordinator: from then on all are current, whatever happens.
    pub(super) async fn commit(
        &self,
        members: &[Member<'_>],
        own: &TransactionLabel,
    ) -> Result<(), Failure> {
        let Some((member, (version, _))) = self.coordinator(members, own) else {
            return Ok(());
        };
        match self.calls.commit(member.id(), &own.label, version).await {
            Ok(()) => Ok(()),
            Err(MoveError::Failed(failure)) => Err(*failure),
            Err(MoveError::Elsewhere | MoveError::Unclear) => Err(Failure::new(
                Class::Conflict,
                "another run with `all-or-nothing` took this one for dead, and its place",
                "let that run end; then run again where this one's values are still wanted",
            )),
        }
    }

    /// After the commit: labels are removed, and everything but the values is written.
    pub(super) async fn finish(
        &self,
        members: &[Member<'_>],
        own: Option<&TransactionLabel>,
        left: &[Leftover],
    ) {
        self.report.progress.start_phase("done", members.len());
        let work = stream::iter(members)
            .map(|member| async move {
                if let (Some(own), Some((version, _))) = (own, &member.pair)
                    && !own.is_coordinated_by(&member.snapshot.name, self.region())
                {
                    // Best effort, like all of these: the next run finds it as well.
                    let _ = self
                        .calls
                        .remove_label(member.id(), &own.label, version)
                        .await;
                }
                self.sweep(member, left).await;
                self.finish_member(member).await;
            })
            .buffer_unordered(CONCURRENT_SECRETS)
            .collect::<()>();
        self.with_progress(work).await;
    }

    /// Description, tags and the like, by the loop of one secret, which finds its value there.
    async fn finish_member(&self, member: &Member<'_>) {
        let Some(mut guard) = member.guard.take() else {
            return;
        };
        let attempt = &mut guard.attempt;
        if let (true, Some((version, base))) = (member.is_staged(), &member.pair) {
            attempt.outcome.record(Change::Version {
                id: version.clone(),
                label: CURRENT.to_owned(),
            });
            attempt.outcome.moved_from = Some(base.clone());
            attempt.outcome.version = Some(VersionRef {
                id: version.clone(),
                stages: vec![CURRENT.to_owned()],
            });
            // Where it may not be read, it is known by its id.
            attempt.overtaken = Some(version.clone());
            attempt.own = Some(version.clone());
        }
        let ended = if member.more && member.goal != Goal::First {
            upsert(member.request, self.single_context(), None, attempt).await
        } else {
            Ok(())
        };
        guard.end(ended);
    }
}
