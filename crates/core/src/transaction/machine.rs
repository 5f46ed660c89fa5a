//! The entry point of the transaction: receives observations and events, and passes them to the current phase. Must not make
//! decisions of its own.

use crate::version_id::RunIdentity;

use super::conflicts::cut_short_while_committing;
use super::ending::written;
use super::messages::{Ending, Event, Next, Written};
use super::state::{Cause, Limits, Moved, Phase, Transaction};
use super::swap::{Swapped, Swaps};

impl Transaction {
    /// A transaction of secrets in a region, by a run with a time limit in seconds.
    pub fn new(region: &str, run: Option<&RunIdentity>, timeout: u64, limits: Limits) -> Self {
        Self {
            region: region.to_owned(),
            run: run.cloned(),
            timeout,
            limits,
            members: Vec::new(),
            now: 0,
            unique: String::new(),
            own: None,
            phase: Phase::Observe,
            swaps: Swaps::default(),
            events: Vec::new(),
            cause: None,
            attempts: 0,
            idle: 0,
            activity: Vec::new(),
            settled: Vec::new(),
            queue: Vec::new(),
            committed: false,
            labeled: Vec::new(),
            has_recovered: false,
            has_left_others: false,
        }
    }

    /// Whether it has committed, so that versions are no longer rolled back.
    pub fn is_committed(&self) -> bool {
        self.committed
    }

    /// By secret: the version that this attempt wrote, and its outcome.
    pub fn written(&self) -> Vec<Option<Written>> {
        self.members.iter().map(written).collect()
    }

    /// Handles the events of a round, one per command.
    pub fn next(&mut self, events: Vec<Event>) -> Next {
        for event in events {
            match event {
                Event::Label(..) | Event::Described(..) | Event::Skipped(_)
                    if !self.swaps.is_done() =>
                {
                    self.swaps.handle(event);
                }
                event => self.events.push(event),
            }
        }
        self.swaps.settle();
        if !self.swaps.is_done() {
            return self.swap_round();
        }
        self.advance()
    }

    /// Ends the transaction in its current state, because the run is canceled. Handles the events of the round that was cut
    /// short.
    pub fn cut_short(&mut self, events: Vec<Event>) -> Ending {
        for event in events {
            match event {
                Event::Label(..) | Event::Described(..) => self.swaps.handle(event),
                event => self.events.push(event),
            }
        }
        let members = 0..self.members.len();
        let uncertain: Vec<usize> = members.filter(|it| self.swaps.maybe_applied(*it)).collect();
        match self.phase {
            Phase::Stage => self.record_puts(),
            Phase::First => self.record_first(),
            Phase::Move => {
                self.record_moves();
                for member in uncertain {
                    self.members[member].moved = Moved::Maybe;
                }
            }
            Phase::RollBack => {
                self.record_rollbacks();
                for member in uncertain {
                    self.members[member].moved = Moved::Maybe;
                }
            }
            Phase::Commit => {
                let ended = self.swaps.take_ended().pop();
                if ended.is_none() && !uncertain.is_empty() {
                    self.cause = Some(Cause::Undecided(cut_short_while_committing()));
                }
                return self.end(matches!(ended, Some((_, Swapped::Applied))));
            }
            Phase::Inquire => self.cause = Some(Cause::Undecided(cut_short_while_committing())),
            Phase::Release => return self.end(self.committed),
            _ => {}
        }
        self.end(false)
    }

    pub(super) fn advance(&mut self) -> Next {
        match self.phase.clone() {
            Phase::Observe | Phase::Ended => Next::Observe,
            Phase::Complete => self.after_complete(),
            Phase::Recover(recovery) => self.after_recovery(recovery),
            Phase::Confirm => self.after_confirm(),
            Phase::Sweep => self.sweep(),
            Phase::Stage => self.after_stage(),
            Phase::First => self.after_first(),
            Phase::Move => self.after_move(),
            Phase::Validate => self.after_validate(),
            Phase::Commit => self.after_commit(),
            Phase::Inquire => self.after_inquiry(),
            Phase::RollBack => self.after_roll_back(),
            Phase::Release => {
                self.record_removals();
                self.after_release()
            }
            Phase::FindRecord => self.after_find_record(),
            Phase::RemoveRecord => {
                self.record_removals();
                self.after_rollback_cleanup()
            }
        }
    }
}
