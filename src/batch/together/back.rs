//! The way back: what was made current is taken back where it still is, and labels come off. Must never undo what
//! somebody else has written.

use std::cell::Cell;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::super::AT_ONCE;
use super::moves::Lost;
use super::{Member, Together, leave};
use crate::outcome::Change;
use crate::pact::Pact;
use crate::plan::together::Left;
use crate::redact::Level;

impl Together<'_> {
    /// Takes back what was made current, where it still is, and every label; the witness's last, and only where all
    /// else is as it was: otherwise the next run goes on from here.
    pub(super) async fn undo(
        &self,
        members: &[Member<'_>],
        own: &Pact,
        left: &[Left],
        taken_over: bool,
    ) {
        self.board.meter.phase("looked at again", members.len());
        let sound = &Cell::new(true);
        let work = stream::iter(members)
            .map(|member| async move {
                if let Some((version, base)) = member.pair.as_ref().filter(|_| member.flipped) {
                    // What another run has marked is that run's to finish or to take back: this very version. One that it has
                    // put beside it says nothing: it may have looked when there was nothing to take over.
                    let spared = taken_over
                        && self
                            .moves
                            .has_marked(member.id(), version, &own.label)
                            .await;
                    if !spared && !self.take_back(member, version, base).await {
                        sound.set(false);
                    }
                }
                self.board.meter.step();
            })
            .buffer_unordered(AT_ONCE)
            .collect::<()>();
        self.ticking(work).await;
        if sound.get() {
            for member in members {
                self.sweep(member, left).await;
            }
            self.unmark(members, own).await;
        }
        leave(members);
    }

    pub(super) async fn take_back(&self, member: &Member<'_>, version: &str, base: &str) -> bool {
        let id = member.id();
        match self.moves.flip(id, version, base).await {
            Ok(moved) => {
                if moved {
                    member.did(Change::TakenBack(version.to_owned()));
                }
                true
            }
            Err(Lost::Elsewhere | Lost::Unclear) => {
                self.board.note(
                    Level::Warning,
                    format!("{id} was written by somebody else meanwhile: theirs stays"),
                );
                true
            }
            Err(Lost::Failed(failure)) => {
                self.board.note(
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

    /// Every label of this run, the witness's last.
    pub(super) async fn unmark(&self, members: &[Member<'_>], own: &Pact) {
        let work = stream::iter(members)
            .map(|member| async move {
                if let Some((version, _)) = &member.pair
                    && !own.is_witnessed_by(&member.stand.name, self.region())
                {
                    let _ = self.moves.unmark(member.id(), &own.label, version).await;
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect::<()>();
        self.ticking(work).await;
        if let Some((member, (version, _))) = self.witness(members, own) {
            let _ = self.moves.unmark(member.id(), &own.label, version).await;
        }
    }

    /// Labels of other runs that are over. What is about other secrets is for the runs of those to judge.
    pub(super) async fn sweep(&self, member: &Member<'_>, left: &[Left]) {
        for (pact, version) in &member.stand.marks {
            let over = |left: &Left| left.pact == *pact && left.is_ours_to_judge;
            if left.iter().any(over) {
                let _ = self.moves.unmark(member.id(), &pact.label, version).await;
            }
        }
    }
}
