//! The rollback: moves AWSCURRENT back by compare-and-swap and removes labels. It must never revert a later write of another
//! writer.

use std::cell::Cell;

use upsert_secret_core::labels::TransactionLabel;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::Change;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::Leftover;

use super::driver::Transaction;
use super::member::{Member, MoveError, leave};

impl<S: SecretStore> Transaction<'_, S> {
    /// Moves AWSCURRENT back wherever this run's version still holds it. If that succeeds, removes every label, the
    /// coordinator's last; otherwise the labels stay, and the next run continues.
    pub(super) async fn roll_back(
        &self,
        members: &[Member<'_, S>],
        own: &TransactionLabel,
        leftovers: &[Leftover],
        taken_over: bool,
    ) {
        self.report
            .progress
            .start_phase("looked at again", members.len());
        let succeeded = Cell::new(true);
        self.for_each(members, async |member| {
            if let Some((version, base)) = member.versions.as_ref().filter(|_| member.moved) {
                // A run that takes over labels the moved version, and finishes or rolls back that move itself. Its label on
                // another version shows nothing: it may have observed the secret before the move.
                let claimed = taken_over && member.has_other_label(Some(version), own).await;
                if !claimed && !self.move_back(member, version, base).await {
                    succeeded.set(false);
                }
            }
            self.report.progress.step();
        })
        .await;
        if succeeded.get() {
            for member in members {
                Self::sweep(member, leftovers).await;
            }
            self.remove_labels(members, own).await;
        }
        leave(members);
    }

    async fn move_back(&self, member: &Member<'_, S>, version: &str, base: &str) -> bool {
        let id = member.id();
        match member.move_current(version, base).await {
            Ok(moved) => {
                if let (true, Some(guard)) = (moved, member.guard.borrow_mut().as_mut()) {
                    let reverted = Change::Reverted(version.to_owned());
                    guard.attempt.outcome.record(reverted);
                }
                true
            }
            Err(MoveError::Conflict | MoveError::Unknown) => {
                self.report.note(
                    Level::Warning,
                    format!("{id} was written by somebody else meanwhile: theirs stays"),
                );
                true
            }
            Err(MoveError::Failed(failure)) => {
                self.report.note(
                    Level::Error,
                    format!(
                        "{id} could not be taken back, and version {version} is current there: {}; the next run with `all-or-nothing` goes on from here",
                        failure.what
                    ),
                );
                false
            }
        }
    }
}
