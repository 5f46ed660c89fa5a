//! The state of a transaction, and the steps that its phases share. It decides nothing about the order of the phases.

use crate::failure::Failure;
use crate::labels::TransactionLabel;
use crate::version_id::RunIdentity;

use super::conflicts::changed_meanwhile;
use super::goal::Goal;
use super::messages::{Command, Event, Labels, Look, Next, Round};
use super::swap::{Swap, Swapped, Swaps};

/// Limits of waiting and of repeated attempts.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Limits {
    /// Observations of another transaction without progress before its run counts as killed.
    pub idle: u32,
    /// Attempts that end in a conflict. Each may cost a version of each secret.
    pub attempts: u32,
}

impl Default for Limits {
    /// About ten seconds, and five attempts.
    fn default() -> Self {
        Self {
            idle: 10,
            attempts: 5,
        }
    }
}

/// An all-or-nothing transaction over the secrets of a run.
#[derive(Clone, Debug, Hash)]
pub struct Transaction {
    pub(super) region: String,
    pub(super) run: Option<RunIdentity>,
    pub(super) timeout: u64,
    pub(super) limits: Limits,
    pub(super) members: Vec<Member>,
    pub(super) now: u64,
    pub(super) unique: String,
    pub(super) own: Option<Own>,
    pub(super) phase: Phase,
    pub(super) swaps: Swaps,
    /// Events of a round that do not belong to `swaps`.
    pub(super) events: Vec<Event>,
    pub(super) cause: Option<Cause>,
    pub(super) attempts: u32,
    pub(super) idle: u32,
    /// What other transactions had done at the last observation.
    pub(super) activity: Vec<(Vec<String>, bool)>,
    /// Member labels of other transactions that this one no longer waits for.
    pub(super) settled: Vec<String>,
    /// Moves that wait for others of the same secret.
    pub(super) queue: Vec<(usize, Swap)>,
    pub(super) committed: bool,
    /// Secrets from which private labels of this transaction could not be removed.
    pub(super) labeled: Vec<usize>,
    /// Whether what a killed run left behind has been rolled back.
    pub(super) has_recovered: bool,
    /// Whether a killed run had more secrets than this one, so that some may still have its values.
    pub(super) has_left_others: bool,
}

/// This transaction's labels, and the secret with the commit record.
#[derive(Clone, Debug, Hash)]
pub(super) struct Own {
    pub(super) label: TransactionLabel,
    /// Absent if no version is staged, because then nothing has to be decided.
    pub(super) coordinator: Option<usize>,
}

/// One secret.
#[derive(Clone, Debug, Hash)]
pub(super) struct Member {
    pub(super) look: Look,
    /// The version that this transaction wrote, and that may hold its label.
    pub(super) version: Option<String>,
    pub(super) moved: Moved,
    /// A first version that this run has written, in this attempt or an earlier one.
    pub(super) first: Option<String>,
    pub(super) failure: Option<Failure>,
}

/// Whether AWSCURRENT has moved to the new version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Moved {
    No,
    Yes,
    /// A call without an answer may have moved it.
    Maybe,
    /// It was moved, and moved back.
    RolledBack,
    /// It was moved, and then another writer moved it on.
    Replaced,
    /// It could not be moved back.
    Stuck(Failure),
}

#[derive(Clone, Debug, Hash)]
pub(super) enum Phase {
    Observe,
    /// Completes the labels of secrets of which only the current version's are known.
    Complete,
    Recover(Recovery),
    /// Reads again the coordinators of transactions that seem to have ended.
    Confirm,
    /// Removes labels of transactions that have ended.
    Sweep,
    Stage,
    First,
    Move,
    Validate,
    Commit,
    /// Finds out whether a removal of the record without an answer, or another run's, ended the transaction.
    Inquire,
    RollBack,
    /// Removes the member labels.
    Release,
    FindRecord,
    RemoveRecord,
    Ended,
}

/// Why a transaction does not commit.
#[derive(Clone, Debug, Hash)]
pub(super) enum Cause {
    /// A call failed.
    Failure,
    /// Another writer has changed a secret.
    Conflict,
    /// Another run treated this one as dead and aborted it.
    Aborted,
    /// Whether it has committed is not known.
    Undecided(Failure),
    /// The transaction of a killed run cannot be recovered by this one.
    Incomplete(Failure),
}

impl Cause {
    /// Whether another attempt can succeed.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict | Self::Aborted)
    }
}

/// The recovery of one transaction.
#[derive(Clone, Debug, Hash)]
pub(super) struct Recovery {
    pub(super) label: TransactionLabel,
    pub(super) coordinator: usize,
    /// The coordinator's new version, which held the record.
    pub(super) version: Option<String>,
    pub(super) step: RecoveryStep,
}

#[derive(Clone, Copy, Debug, Hash)]
pub(super) enum RecoveryStep {
    /// Moves the record to another version of the coordinator, so that its run can no longer commit.
    Abort,
    /// Describes all secrets.
    Describe,
    /// Moves AWSCURRENT back.
    RollBack,
    /// Removes the member labels.
    Release,
    /// Removes the record.
    RemoveRecord,
}

impl Recovery {
    /// The recovery of an undecided transaction.
    pub(super) fn abort(label: TransactionLabel, coordinator: usize, version: String) -> Self {
        Self {
            label,
            coordinator,
            version: Some(version),
            step: RecoveryStep::Abort,
        }
    }

    /// The recovery of a transaction that is aborted already.
    pub(super) fn resume(label: TransactionLabel, coordinator: usize) -> Self {
        Self {
            label,
            coordinator,
            version: None,
            step: RecoveryStep::Describe,
        }
    }
}

impl Transaction {
    /// The indices of some members.
    pub(super) fn which(&self, is: impl Fn(&Member) -> bool) -> Vec<usize> {
        let members = self.members.iter().enumerate();
        let which = members.filter(|(_, member)| is(member));
        which.map(|(index, _)| index).collect()
    }

    /// The staged versions: index, version, and the version to roll back to.
    pub(super) fn staged(&self) -> impl Iterator<Item = (usize, String, String)> {
        self.members
            .iter()
            .enumerate()
            .filter_map(|(index, member)| {
                Some((index, member.version.clone()?, member.base()?.to_owned()))
            })
    }

    pub(super) fn round(
        &mut self,
        verb: &'static str,
        commands: Vec<Command>,
        stops: bool,
    ) -> Next {
        self.events.clear();
        Next::Round(Round {
            verb,
            commands,
            stops,
            is_retry: false,
        })
    }

    pub(super) fn start_swaps(
        &mut self,
        verb: &'static str,
        moves: Vec<(usize, Swap)>,
        stops: bool,
    ) -> Next {
        self.events.clear();
        self.swaps = Swaps::new(moves, verb, stops);
        if self.swaps.is_done() {
            return self.advance();
        }
        self.swap_round()
    }

    pub(super) fn swap_round(&self) -> Next {
        Next::Round(self.swaps.round())
    }

    pub(super) fn take_described(&mut self) -> Vec<(usize, Result<Labels, Failure>)> {
        let events = std::mem::take(&mut self.events).into_iter();
        let described = events.filter_map(|event| match event {
            Event::Described(member, labels) => Some((member, labels)),
            _ => None,
        });
        described.collect()
    }

    pub(super) fn set_recovery(&mut self, recovery: Recovery) {
        self.phase = Phase::Recover(recovery);
    }

    pub(super) fn observe_next_turn(&mut self) -> Next {
        self.phase = Phase::Observe;
        Next::WaitForTurn
    }

    /// Ends because another transaction could not be recovered. Its labels stay, so that the next run can do it.
    pub(super) fn end_recovery(&mut self, member: usize, failure: Failure) -> Next {
        self.fail(member, failure);
        Next::End(self.end(false))
    }

    pub(super) fn fail(&mut self, member: usize, failure: Failure) {
        self.members[member].failure = Some(failure);
        self.cause = Some(Cause::Failure);
    }

    pub(super) fn conflict(&mut self, member: usize, failure: fn(&str) -> Failure) {
        let failure = failure(&self.members[member].look.name);
        self.members[member].failure.get_or_insert(failure);
        self.cause.get_or_insert(Cause::Conflict);
    }

    pub(super) fn fail_swap(&mut self, member: usize, ended: Swapped) {
        match ended {
            Swapped::Rejected(failure) | Swapped::Unknown(failure) => self.fail(member, failure),
            Swapped::Conflict { .. } | Swapped::Replaced => {
                self.conflict(member, changed_meanwhile);
            }
            Swapped::Applied | Swapped::Skipped => {}
        }
    }
}

impl Member {
    /// The version that was current before.
    pub(super) fn base(&self) -> Option<&str> {
        match &self.look.goal {
            Goal::Replace { base } => Some(base),
            _ => None,
        }
    }
}
