//! Rolls back after a failure or a conflict, and removes labels after a rollback or a commit. Must never revert a later write
//! by another writer.

use crate::labels::CURRENT;

use super::messages::{Command, Next};
use super::state::{Cause, Member, Moved, Phase, Transaction};
use super::swap::{Swap, Swapped};

impl Transaction {
    pub(super) fn roll_back(&mut self) -> Next {
        self.phase = Phase::RollBack;
        let moves = self.staged().filter_map(|(member, version, base)| {
            let back = Swap::new(CURRENT, Some(&version), Some(&base));
            match self.members[member].moved {
                Moved::Yes => Some((member, back)),
                Moved::Maybe => Some((member, back.after_read())),
                _ => None,
            }
        });
        let moves: Vec<(usize, Swap)> = moves.collect();
        self.start_swaps("rolled back", moves, false)
    }

    pub(super) fn record_rollbacks(&mut self) {
        for (member, ended) in self.swaps.take_ended() {
            let member = &mut self.members[member];
            member.moved = match ended {
                Swapped::Applied if member.moved == Moved::Maybe => Moved::No,
                Swapped::Applied => Moved::RolledBack,
                // A rollback without a response may have been applied before another writer replaced the version.
                Swapped::Replaced => Moved::RolledBack,
                Swapped::Conflict { .. } => Moved::Replaced,
                Swapped::Rejected(failure) | Swapped::Unknown(failure) => Moved::Stuck(failure),
                Swapped::Skipped => continue,
            };
        }
    }

    pub(super) fn after_roll_back(&mut self) -> Next {
        self.record_rollbacks();
        let is_stuck = |member: &Member| matches!(member.moved, Moved::Stuck(_));
        if self.members.iter().any(is_stuck) {
            // Keeps all labels, so that the next run can roll back.
            return Next::End(self.end(false));
        }
        self.release()
    }

    /// Removes the member labels, after a commit or a rollback.
    pub(super) fn release(&mut self) -> Next {
        self.phase = Phase::Release;
        self.committed = self.cause.is_none();
        let Some(own) = &self.own else {
            return self.after_release();
        };
        let label = own.label.member();
        let labeled = self.members.iter().enumerate();
        let removals = labeled.filter_map(|(member, it)| {
            let version = it.version.as_deref()?;
            Some((member, Swap::removal(&label, version)))
        });
        let removals: Vec<(usize, Swap)> = removals.collect();
        self.start_swaps("done", removals, false)
    }

    /// Records the labels that could not be removed. The next run removes them.
    pub(super) fn record_removals(&mut self) {
        let ended = self.swaps.take_ended().into_iter();
        let failed = ended.filter(|(_, ended)| *ended != Swapped::Applied);
        self.labeled.extend(failed.map(|(member, _)| member));
        self.labeled.sort_unstable();
        self.labeled.dedup();
    }

    pub(super) fn after_release(&mut self) -> Next {
        if self.committed {
            return Next::End(self.end(true));
        }
        let coordinator = self.own.as_ref().and_then(|own| own.coordinator);
        let version = coordinator.and_then(|member| self.members[member].version.clone());
        let (Some(coordinator), Some(own), Some(version)) = (coordinator, &self.own, version)
        else {
            return self.after_rollback_cleanup();
        };
        if let Some(Cause::Aborted) = self.cause {
            // The run that aborted the transaction has moved the record.
            self.phase = Phase::FindRecord;
            return self.round("rolled back", vec![Command::Describe(coordinator)], false);
        }
        let record = own.label.record();
        self.phase = Phase::RemoveRecord;
        self.start_swaps(
            "rolled back",
            vec![(coordinator, Swap::removal(&record, &version))],
            false,
        )
    }

    pub(super) fn after_find_record(&mut self) -> Next {
        let Some(own) = self.own.clone() else {
            return self.after_rollback_cleanup();
        };
        let record = own.label.record();
        let found = self
            .take_described()
            .into_iter()
            .find_map(|(member, labels)| {
                let holder = labels.ok()?.holder(&record)?.to_owned();
                Some((member, Swap::removal(&record, &holder)))
            });
        self.phase = Phase::RemoveRecord;
        self.start_swaps("rolled back", found.into_iter().collect(), false)
    }

    pub(super) fn after_rollback_cleanup(&mut self) -> Next {
        let can_repeat = self.cause.as_ref().is_some_and(Cause::is_conflict);
        if can_repeat && self.attempts < self.limits.attempts {
            self.phase = Phase::Observe;
            return Next::WaitForTurn;
        }
        Next::End(self.end(false))
    }
}
