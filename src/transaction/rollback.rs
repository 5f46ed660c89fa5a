//! The way back: what was made current is moved back where it still is, and labels come off. Must never revert what someone
//! else has written.

use std::cell::Cell;

use futures_util::StreamExt as _;
use futures_util::stream;
use upsert_secret_core::labels::TransactionLabel;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::Change;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::Leftover;

use super::calls::MoveError;
use super::driver::Transaction;
use super::member::{Member, leave};
use crate::batch::CONCURRENT_SECRETS;

impl<S: SecretStore> Transaction<'_, S> {
    /// Moves AWSCURRENT back where this run's version still holds it, and removes every label; the coordinator's last, and
    /// only where everything else is as it was: otherwise the next run goes on from here.
    pub(super) async fn roll_back(
        &self,
        members: &[Member<'_>],
        own: &TransactionLabel,
        left: &[Leftover],
        taken_over: bool,
    ) {
        self.report
            .progress
            .start_phase("looked at again", members.len());
        let succeeded = &Cell::new(true);
        let work = stream::iter(members)
            .map(|member| async move {
                if let Some((version, base)) = member.pair.as_ref().filter(|_| member.moved) {
                    // What another run has marked is that run's to finish or to take back: this very version. One that it has
                    // put beside it says nothing: it may have looked when there was nothing to take over.
                    let spared = taken_over
                        && self
                            .calls
                            .has_marked(member.id(), version, &own.label)
                            .await;
                    if !spared && !self.move_back(member, version, base).await {
                        succeeded.set(false);
                    }
                }
                self.report.progress.step();
            })
            .buffer_unordered(CONCURRENT_SECRETS)
            .collect::<()>();
        self.with_progress(work).await;
        if succeeded.get() {
            for member in members {
                self.sweep(member, left).await;
            }
            self.remove_labels(members, own).await;
        }
        leave(members);
    }

    pub(super) async fn move_back(&self, member: &Member<'_>, version: &str, base: &str) -> bool {
        let id = member.id();
        match self.calls.move_current(id, version, base).await {
            Ok(moved) => {
                if moved {
                    member.record(Change::Reverted(version.to_owned()));
                }
                true
            }
            Err(MoveError::Elsewhere | MoveError::Unclear) => {
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
