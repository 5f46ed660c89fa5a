//! The way back: what was made current is moved back where it still is, and labels come off. Must never revert what someone
//! else has written.

use std::cell::Cell;

use upsert_secret_core::labels::TransactionLabel;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::Change;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::Leftover;

use super::driver::Transaction;
use super::member::{Member, MoveError, leave};

impl<S: SecretStore> Transaction<'_, S> {
    /// Moves AWSCURRENT back where this run's version still holds it, and removes every label; the coordinator's last, and
    /// only where everything else is as it was: otherwise the next run goes on from here.
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
                // What another run has marked is that run's to finish or to take back: this very version. One that it has
                // put beside it says nothing: it may have looked when there was nothing to take over.
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
                        "{id} could not be taken back, and version {version} is current there: {}; the next run with                          `all-or-nothing` goes on from here",
                        failure.what
                    ),
                );
                false
            }
        }
    }
}
