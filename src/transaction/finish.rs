//! The end of a transaction: reports the result for each secret and, after a commit, writes everything except the values. Must
//! not move labels.

use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::Change;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::{Ending, MemberEnding, Written};

use super::calls::{record_current, record_rollback};
use super::driver::{Driver, Member};
use crate::engine::upsert::upsert;

impl<S: SecretStore> Driver<'_, S> {
    pub(super) async fn finish(&self, members: Vec<Member<'_>>, ending: Ending) {
        if ending.recovered {
            self.report.note(
                Level::Notice,
                "an earlier run with `all-or-nothing` had not ended: the versions that it had made current were rolled back",
            );
        }
        if ending.left_others {
            self.report.note(
                Level::Warning,
                "an earlier run with `all-or-nothing` had not ended, and had secrets that are not part of this run: they may \
                 still have its values",
            );
        }
        if let Some(failure) = ending.failure {
            self.report.fail(failure);
        }
        if let Some(first) = ending.labeled.first() {
            let (count, name) = (ending.labeled.len(), members[*first].id());
            self.report.note(
                Level::Notice,
                format!(
                    "private labels could not be removed from {count} of the secrets, {name} among them: the next run that writes \
                     these secrets removes them"
                ),
            );
        }
        let committed = ending.committed;
        self.report.progress.start_phase("done", members.len());
        let ends = members.into_iter().zip(ending.members);
        self.for_each(ends, async |(member, ending)| {
            if committed {
                self.finish_member(member, ending).await;
            } else {
                abandon(member, ending);
            }
            self.report.progress.step();
        })
        .await;
    }

    /// Reports the value, and writes the metadata with the engine, which finds the value already stored.
    async fn finish_member(&self, mut member: Member<'_>, ending: MemberEnding) {
        record_written(&mut member, ending.written);
        let request = member.request();
        let attempt = &mut member.guard.attempt;
        let version = attempt.outcome.version.as_ref();
        // The engine keeps this version whether or not it may read the value, and does not overwrite any other.
        attempt.overtaken = version.map(|version| version.id.clone());
        attempt.own = attempt.overtaken.clone();
        let mut ended = Ok(());
        if let Some(request) = request.filter(|_| member.has_more) {
            ended = upsert(request, self.context, false, None, attempt).await;
        }
        member.guard.end(ended);
    }
}

/// Records the result for a version that this run wrote. It may have been unknown until then because of calls without a
/// response.
pub(super) fn record_written(member: &mut Member<'_>, written: Option<Written>) {
    // The result is known now.
    member.guard.attempt.cut_short = None;
    let outcome = &mut member.guard.attempt.outcome;
    match written {
        Some(Written::Current { id, from }) => {
            record_current(outcome, member.job, &id, Some(from));
        }
        Some(Written::Replaced { id, from }) => {
            outcome.moved_from = Some(from);
            outcome.record_overtaken(&id, CURRENT, Vec::new());
        }
        Some(Written::RolledBack(id)) => record_rollback(outcome, id),
        Some(Written::First(_)) | None => {}
    }
}

/// Reports a secret of a transaction that has not committed.
fn abandon(mut member: Member<'_>, ending: MemberEnding) {
    let is_first = matches!(ending.written, Some(Written::First(_)));
    record_written(&mut member, ending.written);
    match ending.failure {
        Some(failure) => member.guard.end(Err(failure)),
        // It cannot be rolled back, because this tool never deletes anything.
        None if is_first => member.guard.end(Ok(())),
        None => leave_one(member),
    }
}

/// Reports a secret without a failure of its own. A secret with a change that the rollback leaves, such as a KMS key or a
/// restore, does not count as "not tried".
fn leave_one(member: Member<'_>) {
    let outcome = &member.guard.attempt.outcome;
    if !outcome.has_lasting_change() {
        return member.guard.leave();
    }
    // Only the change of a first version stays: the rollback removes those of other versions.
    let is_first =
        |change: &Change| matches!(change, Change::Created { .. } | Change::Version { .. });
    if outcome.changes.iter().any(is_first) {
        return member.guard.end(Ok(()));
    }
    let failure = Failure::new(
        Class::Unavailable,
        format!(
            "{} was changed, but the transaction was not committed",
            member.id()
        ),
        "run again once the cause is fixed",
    );
    member.guard.end(Err(failure));
}

/// Reports the secrets of a transaction that could not be observed. Nothing has been written, except for restores.
pub(super) fn leave(members: Vec<Member<'_>>, is_cancelled: bool) {
    for member in members {
        match member.failure {
            Some(failure) if !is_cancelled => member.guard.end(Err(failure)),
            _ => leave_one(member),
        }
    }
}
