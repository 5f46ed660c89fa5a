//! Recovers a transaction that a killed run left undecided: aborts it and rolls it back. All runs that see it may do so
//! concurrently. The commit record stays on another version until everything is moved back, so that the next run can finish an
//! interrupted recovery.

use crate::labels::{CURRENT, PREVIOUS};

use super::messages::{Command, Next};
use super::state::{Recovery, RecoveryStep as Step, Transaction};
use super::swap::{Swap, Swapped};

impl Transaction {
    /// Starts a recovery.
    pub(super) fn recover(&mut self, recovery: Recovery) -> Next {
        let labels = &self.members[recovery.coordinator].look.labels;
        let version = recovery.version.as_deref();
        let other = [CURRENT, PREVIOUS].map(|label| labels.holder(label));
        let other = other.into_iter().flatten().find(|id| Some(*id) != version);
        let abort = version.zip(other).map(|(from, to)| {
            let swap = Swap::new(&recovery.label.record(), Some(from), Some(to));
            (recovery.coordinator, swap)
        });
        match abort {
            Some(abort) => self.step_recovery(recovery, Step::Abort, vec![abort]),
            None => self.describe_all(recovery),
        }
    }

    pub(super) fn after_recovery(&mut self, recovery: Recovery) -> Next {
        match recovery.step {
            Step::Abort => match self.swaps.take_ended().pop() {
                None | Some((_, Swapped::Applied)) => self.describe_all(recovery),
                // The transaction has committed, or another run has aborted it.
                Some((_, Swapped::Conflict { .. } | Swapped::Replaced | Swapped::Skipped)) => {
                    self.observe_next_turn()
                }
                Some((member, Swapped::Rejected(failure) | Swapped::Unknown(failure))) => {
                    self.end_recovery(member, failure)
                }
            },
            Step::Describe => {
                for (member, labels) in self.take_described() {
                    match labels {
                        Ok(labels) => self.members[member].look.labels = labels,
                        Err(failure) => return self.end_recovery(member, failure),
                    }
                }
                let moves = self.holders(&recovery).filter_map(|(member, version)| {
                    let labels = &self.members[member].look.labels;
                    let previous = labels.holder(PREVIOUS)?;
                    (labels.holder(CURRENT) == Some(version))
                        .then(|| (member, Swap::new(CURRENT, Some(version), Some(previous))))
                });
                let moves = moves.collect();
                self.step_recovery(recovery, Step::RollBack, moves)
            }
            Step::RollBack => {
                for (member, ended) in self.swaps.take_ended() {
                    match ended {
                        Swapped::Applied | Swapped::Replaced => self.has_recovered = true,
                        // A later write stays current.
                        Swapped::Conflict { .. } | Swapped::Skipped => {}
                        Swapped::Rejected(failure) | Swapped::Unknown(failure) => {
                            return self.end_recovery(member, failure);
                        }
                    }
                }
                let label = recovery.label.member();
                let holders = self.holders(&recovery);
                let removals =
                    holders.map(|(member, version)| (member, Swap::removal(&label, version)));
                let removals = removals.collect();
                self.step_recovery(recovery, Step::Release, removals)
            }
            Step::Release => {
                let record = recovery.label.record();
                let labels = &self.members[recovery.coordinator].look.labels;
                let holder = labels.holder(&record);
                let removal =
                    holder.map(|version| (recovery.coordinator, Swap::removal(&record, version)));
                let removal = removal.into_iter().collect();
                self.step_recovery(recovery, Step::RemoveRecord, removal)
            }
            Step::RemoveRecord => match self.swaps.take_ended().pop() {
                Some((member, Swapped::Rejected(failure) | Swapped::Unknown(failure))) => {
                    self.end_recovery(member, failure)
                }
                // With a delay, so that a record that persists is not removed again and again.
                _ => self.observe_next_turn(),
            },
        }
    }

    fn step_recovery(&mut self, recovery: Recovery, step: Step, moves: Vec<(usize, Swap)>) -> Next {
        self.set_recovery(Recovery { step, ..recovery });
        self.start_swaps("observed", moves, false)
    }

    /// Everything observed before the transaction was aborted may be outdated.
    fn describe_all(&mut self, recovery: Recovery) -> Next {
        self.set_recovery(Recovery {
            step: Step::Describe,
            ..recovery
        });
        let all = (0..self.members.len()).map(Command::Describe).collect();
        self.round("observed", all, false)
    }

    /// The secrets with the member label, each with the version that holds the label.
    fn holders<'a>(&'a self, recovery: &Recovery) -> impl Iterator<Item = (usize, &'a str)> {
        let label = recovery.label.member();
        let members = self.members.iter().enumerate();
        members.filter_map(move |(index, member)| Some((index, member.look.labels.holder(&label)?)))
    }
}
