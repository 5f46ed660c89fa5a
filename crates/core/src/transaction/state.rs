//! The state of a transaction, and the steps shared by its phases. Must not decide the order of the phases.

use crate::failure::Failure;
use crate::labels::TransactionLabel;
use crate::version_id::RunIdentity;

use super::conflicts::changed_meanwhile;
use super::messages::{Command, Event, Labels, Look, Next, Round};
use super::swap::{Swap, Swapped, Swaps};

/// Limits for waits and repeated attempts.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Limits {
    /// The number of observations of another transaction without progress before its run counts as killed.
    pub idle: u32,
    /// The maximum number of attempts that end in a conflict. Each may cost one version per secret.
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
    /// Events of a round that are not results of `swaps`.
    pub(super) events: Vec<Event>,
    pub(super) cause: Option<Cause>,
    pub(super) attempts: u32,
    pub(super) idle: u32,
    /// The effects of other transactions at the last observation.
    pub(super) activity: Vec<(Vec<String>, bool)>,
    /// Member labels of other transactions that this one no longer waits for.
    pub(super) settled: Vec<String>,
    /// Moves that wait for other moves of the same secret.
    pub(super) queue: Vec<(usize, Swap)>,
    pub(super) committed: bool,
    /// Secrets from which private labels of this transaction could not be removed.
    pub(super) labeled: Vec<usize>,
    /// Whether the changes of a killed run have been rolled back.
    pub(super) has_recovered: bool,
    /// Whether a killed run had secrets that this run does not have, so that some may still have its values.
    pub(super) has_left_others: bool,
}

/// This transaction's labels, and the secret with the commit record.
#[derive(Clone, Debug, Hash)]
pub(super) struct Own {
    pub(super) label: TransactionLabel,
    /// Absent if no version is staged, because then there is nothing to decide.
    pub(super) coordinator: Option<usize>,
}

/// One secret.
#[derive(Clone, Debug, Hash)]
pub(super) struct Member {
    pub(super) look: Look,
    /// The version that this transaction wrote, which may hold its label.
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
    /// A call without a response may have moved it.
    Maybe,
    /// It was moved and then moved back.
    RolledBack,
    /// It was moved, and then another writer moved it again.
    Replaced,
    /// It could not be moved back.
    Stuck(Failure),
}

#[derive(Clone, Debug, Hash)]
pub(super) enum Phase {
    Observe,
    /// Reads all labels of secrets for which only the current version's labels are known.
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
    /// Finds out whether the transaction was ended by a removal of the record that got no response, or by another run.
    Inquire,
    RollBack,
    /// Removes the member labels.
    Release,
    FindRecord,
    RemoveRecord,
    Ended,
}

/// The reason a transaction does not commit.
#[derive(Clone, Debug, Hash)]
pub(super) enum Cause {
    /// A call failed.
    Failure,
    /// Another writer has changed a secret.
    Conflict,
    /// Another run treated this one as dead and aborted it.
    Aborted,
    /// It is unknown whether it has committed.
    Undecided(Failure),
    /// This run cannot recover the transaction of a killed run.
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
    /// The indices of the members that match.
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

    /// Ends because another transaction could not be recovered. Its labels stay, so that the next run can recover it.
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
        self.look.goal.base()
    }
}
