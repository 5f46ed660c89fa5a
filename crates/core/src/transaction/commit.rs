//! Moves AWSCURRENT, validates secrets that need no write, and commits. Decides whether the transaction commits. Must not move
//! a label back.

use crate::failure::Failure;
use crate::labels::{CURRENT, PREVIOUS, TransactionLabel};

use super::conflicts::{changed_meanwhile, undecidable};
use super::goal::Goal;
use super::messages::{Command, Event, Labels, Next};
use super::state::{Cause, Moved, Phase, Transaction};
use super::swap::{Swap, Swapped};

impl Transaction {
    pub(super) fn after_move(&mut self) -> Next {
        self.record_moves();
        if self.cause.is_some() {
            return self.roll_back();
        }
        // Members that need no write are part of the transaction: another transaction may have changed them since they were
        // read.
        let wrote = self
            .members
            .iter()
            .any(|it| it.moved == Moved::Yes || it.first.is_some());
        let kept = self.which(|member| member.look.goal == Goal::Keep);
        let reads: Vec<Command> = kept.into_iter().map(Command::Read).collect();
        self.phase = Phase::Validate;
        if !wrote || reads.is_empty() {
            return self.after_validate();
        }
        self.round("read again", reads, true)
    }

    pub(super) fn record_moves(&mut self) {
        for (member, ended) in self.swaps.take_ended() {
            match ended {
                Swapped::Applied => self.members[member].moved = Moved::Yes,
                ended => {
                    match ended {
                        Swapped::Unknown(_) => self.members[member].moved = Moved::Maybe,
                        Swapped::Replaced => self.members[member].moved = Moved::Replaced,
                        _ => {}
                    }
                    self.fail_swap(member, ended);
                }
            }
        }
    }

    pub(super) fn after_validate(&mut self) -> Next {
        for event in std::mem::take(&mut self.events) {
            match event {
                Event::Read(member, Ok((is_met, labels)))
                    if !is_met || self.is_provisional(&labels) =>
                {
                    self.conflict(member, changed_meanwhile);
                }
                Event::Read(member, Err(failure)) => self.fail(member, failure),
                _ => {}
            }
        }
        if self.cause.is_some() {
            return self.roll_back();
        }
        self.phase = Phase::Commit;
        let own = self.own.clone();
        let record = own.and_then(|own| {
            let coordinator = own.coordinator?;
            let version = self.members[coordinator].version.as_deref()?;
            let record = Swap::new(&own.label.record(), Some(version), None);
            Some((coordinator, record))
        });
        self.start_swaps("committed", record.into_iter().collect(), true)
    }

    /// Whether the current version belongs to another transaction and may still be rolled back.
    pub(super) fn is_provisional(&self, labels: &Labels) -> bool {
        let mut current = labels
            .iter()
            .filter(|(_, version)| labels.holder(CURRENT) == Some(version));
        let own = self.own.as_ref().map(|own| own.label.member());
        current.any(|(label, _)| {
            TransactionLabel::parse_member(label).is_some()
                && Some(label) != own.as_deref()
                && !self.settled.iter().any(|settled| settled == label)
        })
    }

    pub(super) fn after_commit(&mut self) -> Next {
        match self.swaps.take_ended().pop() {
            None | Some((_, Swapped::Applied)) => self.release(),
            Some((
                _,
                Swapped::Conflict {
                    maybe_applied: true,
                    holder: None,
                },
            )) => {
                self.phase = Phase::Inquire;
                let moved = self.which(|member| member.moved == Moved::Yes);
                let commands = moved.into_iter().map(Command::Describe).collect();
                self.round("observed again", commands, false)
            }
            Some((_, Swapped::Conflict { .. } | Swapped::Replaced)) => {
                self.cause = Some(Cause::Aborted);
                self.roll_back()
            }
            Some((member, Swapped::Rejected(failure))) => {
                self.fail(member, failure);
                self.roll_back()
            }
            Some((_, Swapped::Unknown(failure))) => self.end_undecided(&failure),
            Some((_, Swapped::Skipped)) => Next::End(self.end(false)),
        }
    }

    /// Decides whether this run's removal of the record was applied, or another run aborted: that run moves every version back
    /// before it removes the record.
    pub(super) fn after_inquiry(&mut self) -> Next {
        let (mut all_kept, mut moved_back) = (true, false);
        for (member, labels) in self.take_described() {
            let labels = match labels {
                Ok(labels) => labels,
                Err(failure) => return self.end_undecided(&failure),
            };
            let member = &self.members[member];
            let (version, base) = (member.version.as_deref(), member.base());
            let holder = labels.holder(CURRENT);
            moved_back |= holder == base;
            // Another writer has replaced this version directly, not the one before it.
            let is_replaced = holder != base && labels.holder(PREVIOUS) == version;
            all_kept &= holder == version || is_replaced;
        }
        if moved_back {
            self.cause = Some(Cause::Aborted);
            return self.roll_back();
        }
        if all_kept {
            return self.release();
        }
        self.end_undecided(&undecidable())
    }

    pub(super) fn end_undecided(&mut self, failure: &Failure) -> Next {
        self.cause = Some(Cause::Undecided(failure.clone()));
        Next::End(self.end(false))
    }
}
