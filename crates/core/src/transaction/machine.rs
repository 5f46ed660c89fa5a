//! The transaction: a pure state machine. It prepares (stages every new version, the coordinator's with the commit record
//! first), moves AWSCURRENT, validates, commits by removing the record, and rolls back after a failure or a conflict. It makes
//! no calls and reads no clock.

use std::collections::BTreeSet;

use crate::failure::Failure;
use crate::labels::{CURRENT, PREVIOUS, TransactionLabel};
use crate::version_id::RunIdentity;

use super::ending::{Cause, changed_meanwhile, first_value_meanwhile, undecidable, written};
use super::goal::Goal;
use super::messages::{Command, Ending, Event, Labels, Look, Next, Observation, Round, Written};
use super::others::{Other, Record, others};
use super::recovery::Recovery;
use super::swap::{Swap, Swapped, Swaps};

/// What a transaction puts up with.
#[derive(Clone, Copy, Debug)]
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
#[derive(Debug)]
pub struct Transaction {
    pub(super) region: String,
    run: Option<RunIdentity>,
    timeout: u64,
    limits: Limits,
    pub(super) members: Vec<Member>,
    now: u64,
    unique: String,
    pub(super) own: Option<Own>,
    phase: Phase,
    pub(super) swaps: Swaps,
    /// Events of a round that are no part of `swaps`.
    events: Vec<Event>,
    pub(super) cause: Option<Cause>,
    attempts: u32,
    idle: u32,
    /// What other transactions had done at the last observation.
    activity: Vec<(Vec<String>, bool)>,
    /// Member labels of other transactions that this one no longer waits for.
    settled: BTreeSet<String>,
    /// Moves that wait for others of the same secret.
    queue: Vec<(usize, Swap)>,
    /// Whether what a killed run left behind has been rolled back.
    pub(super) has_recovered: bool,
}

/// This transaction's labels, and the secret with the commit record.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) label: TransactionLabel,
    /// Absent if no version is staged, because then nothing has to be decided.
    pub(super) coordinator: Option<usize>,
}

/// One secret.
#[derive(Debug)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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

#[derive(Clone, Debug)]
enum Phase {
    Observe,
    /// Completes the labels of secrets of which only the current version's are known.
    Complete,
    Recover(Recovery),
    /// Removes labels of transactions that have ended.
    Sweep,
    Stage,
    /// Gives labels to versions that existed before they were put.
    Attach,
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
            settled: BTreeSet::new(),
            queue: Vec::new(),
            has_recovered: false,
        }
    }

    /// Takes the observation that [`Next::Observe`] asked for.
    pub fn observed(&mut self, observation: Observation) -> Next {
        let Observation { looks, now, unique } = observation;
        let mut firsts = self.members.iter_mut().map(|member| member.first.take());
        let members = looks.into_iter().map(|look| Member {
            look,
            version: None,
            moved: Moved::No,
            first: firsts.next().flatten(),
            failure: None,
        });
        self.members = members.collect();
        (self.now, self.unique) = (now, unique);
        (self.own, self.cause) = (None, None);
        let has_labels = self.others().next().is_some();
        let incomplete = |member: &Member| !member.look.labels.is_complete;
        if has_labels && self.members.iter().any(incomplete) {
            self.phase = Phase::Complete;
            let incomplete = self.which(incomplete).into_iter();
            let commands = incomplete.map(Command::Describe).collect();
            return self.round("looked at", commands, false);
        }
        self.judge()
    }

    /// By secret: the version that this attempt has written, and what became of it.
    pub fn written(&self) -> Vec<Option<Written>> {
        self.members.iter().map(written).collect()
    }

    /// Takes the events of a round, one for each command.
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

    /// Ends the transaction where it is, because the run is cancelled. Takes the events of the round that was cut short.
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
                return self.end(matches!(ended, Some((_, Swapped::Applied))));
            }
            Phase::Release => return self.end(self.cause.is_none()),
            _ => {}
        }
        self.end(false)
    }

    fn advance(&mut self) -> Next {
        match self.phase.clone() {
            Phase::Observe | Phase::Ended => Next::Observe,
            Phase::Complete => self.after_complete(),
            Phase::Recover(recovery) => self.after_recovery(recovery),
            Phase::Sweep => self.sweep(),
            Phase::Stage => self.after_stage(),
            Phase::Attach => self.attach(),
            Phase::First => self.after_first(),
            Phase::Move => self.after_move(),
            Phase::Validate => self.after_validate(),
            Phase::Commit => self.after_commit(),
            Phase::Inquire => self.after_inquiry(),
            Phase::RollBack => self.after_roll_back(),
            Phase::Release => {
                self.swaps.take_ended();
                self.after_release()
            }
            Phase::FindRecord => self.after_find_record(),
            Phase::RemoveRecord => {
                self.swaps.take_ended();
                self.after_rollback_cleanup()
            }
        }
    }

    // Prepare.

    fn others(&self) -> impl Iterator<Item = Other> {
        let looks = self.members.iter().map(|member| &member.look);
        others(looks, &self.region, self.now, self.run.as_ref()).into_iter()
    }

    fn after_complete(&mut self) -> Next {
        for (member, labels) in self.take_described() {
            match labels {
                Ok(labels) => {
                    let look = &mut self.members[member].look;
                    let has_moved = labels.holder(CURRENT) != look.labels.holder(CURRENT);
                    look.labels = labels;
                    if has_moved {
                        self.phase = Phase::Observe;
                        return Next::WaitForTurn;
                    }
                }
                Err(failure) => {
                    self.members[member].failure = Some(failure);
                    return Next::End(self.end(false));
                }
            }
        }
        self.judge()
    }

    /// Decides what the transactions of other runs have come to: waits, recovers, or begins.
    fn judge(&mut self) -> Next {
        let others: Vec<Other> = self.others().collect();
        let is_awaited = |other: &&Other| {
            let matters = match other.record {
                Record::Undecided { .. } => true,
                Record::Elsewhere => other.is_current,
                Record::Aborted { .. } | Record::Ended => false,
            };
            matters && other.alive && !self.settled.contains(&other.label.member())
        };
        let awaited: Vec<String> = others
            .iter()
            .filter(is_awaited)
            .map(|other| other.label.member())
            .collect();
        if !awaited.is_empty() {
            let activity = self.members.iter().map(|member| activity(&member.look));
            let activity: Vec<_> = activity.collect();
            let progress = activity != self.activity;
            self.activity = activity;
            self.idle = if progress { 0 } else { self.idle + 1 };
            if self.idle < self.limits.idle {
                self.phase = Phase::Observe;
                return Next::WaitForOther { progress };
            }
            self.settled.extend(awaited);
        }
        for other in &others {
            let recovery = match &other.record {
                Record::Undecided {
                    coordinator,
                    version,
                } => Recovery::abort(other.label.clone(), *coordinator, version.clone()),
                Record::Aborted { coordinator } => {
                    Recovery::resume(other.label.clone(), *coordinator)
                }
                Record::Elsewhere | Record::Ended => continue,
            };
            return self.recover(recovery);
        }
        self.settled
            .extend(others.iter().map(|other| other.label.member()));
        let ended = others.iter().filter(|it| it.record == Record::Ended);
        let sweeps = ended.flat_map(|other| {
            let label = other.label.member();
            let members = other.members.iter();
            members.map(move |(member, version)| (*member, Swap::removal(&label, version)))
        });
        self.queue = sweeps.collect();
        self.sweep()
    }

    /// Removes labels of transactions that have ended. Best effort: what is left is removed by the next run.
    fn sweep(&mut self) -> Next {
        self.swaps.take_ended();
        let now = self.take_queue();
        if now.is_empty() {
            self.attempts += 1;
            return self.begin();
        }
        self.phase = Phase::Sweep;
        self.start_swaps("looked at", now, false)
    }

    /// The first move of each secret in the queue.
    fn take_queue(&mut self) -> Vec<(usize, Swap)> {
        let mut seen = BTreeSet::new();
        let queue = std::mem::take(&mut self.queue).into_iter();
        let (now, later) = queue.partition(|(member, _)| seen.insert(*member));
        self.queue = later;
        now
    }

    /// Chooses the coordinator, and stages its version.
    fn begin(&mut self) -> Next {
        let staged = self.which(|member| matches!(member.look.goal, Goal::Replace { .. }));
        let first = self.which(|member| member.look.goal == Goal::First);
        let (coordinator, first) = (staged.first().copied(), first.first().copied());
        let Some(named) = coordinator.or(first) else {
            return self.write_first();
        };
        let name = &self.members[named].look.name;
        let end = self.now + self.timeout;
        let label =
            TransactionLabel::until(end, name, &self.region, self.run.as_ref(), &self.unique);
        self.own = Some(Own { label, coordinator });
        match coordinator {
            Some(member) => {
                let put = self.put(member);
                self.phase = Phase::Stage;
                self.round("staged", vec![put], true)
            }
            None => self.write_first(),
        }
    }

    /// The put of a secret's new version, under the commit record as well if it is the coordinator.
    fn put(&self, member: usize) -> Command {
        let own = self.own.as_ref();
        let is_coordinator = own.is_some_and(|own| own.coordinator == Some(member));
        let labels = own.map(|own| &own.label).into_iter().flat_map(|label| {
            let record = is_coordinator.then(|| label.record());
            record.into_iter().chain([label.member()])
        });
        Command::Put {
            member,
            labels: labels.collect(),
        }
    }

    /// Stages the versions that are not staged yet. The coordinator's comes first: a member label without a record means
    /// that the transaction has ended.
    fn stage_rest(&mut self) -> Next {
        let rest = self.which(|member| {
            matches!(member.look.goal, Goal::Replace { .. }) && member.version.is_none()
        });
        let puts: Vec<Command> = rest.into_iter().map(|member| self.put(member)).collect();
        if puts.is_empty() {
            return self.write_first();
        }
        self.phase = Phase::Stage;
        self.round("staged", puts, true)
    }

    fn after_stage(&mut self) -> Next {
        self.record_puts();
        self.attach()
    }

    /// Records staged versions, and queues the labels that they lack.
    fn record_puts(&mut self) {
        let Some(own) = self.own.clone() else {
            return;
        };
        for event in std::mem::take(&mut self.events) {
            match event {
                Event::Put(member, version, labels) => {
                    let has = |label: &str| labels.iter().any(|held| held == label);
                    if has(CURRENT) {
                        // The token's version is current already: the value is there.
                        self.members[member].look.goal = Goal::Keep;
                        continue;
                    }
                    // The record first, so that the member label is never there without it.
                    let record = (own.coordinator == Some(member)).then(|| own.label.record());
                    let wanted = record.into_iter().chain([own.label.member()]);
                    let missing = wanted.filter(|label| !has(label));
                    let moves =
                        missing.map(|label| (member, Swap::new(&label, None, Some(&version))));
                    self.queue.extend(moves);
                    self.members[member].version = Some(version);
                }
                Event::WriteFailed(member, failure, version) => {
                    self.members[member].version = version;
                    self.fail(member, failure);
                }
                _ => {}
            }
        }
    }

    /// Gives staged versions the labels that they lack, because they existed before they were put.
    fn attach(&mut self) -> Next {
        for (member, ended) in self.swaps.take_ended() {
            self.fail_swap(member, ended);
        }
        if self.cause.is_some() {
            self.queue.clear();
            return self.roll_back();
        }
        let now = self.take_queue();
        if !now.is_empty() {
            self.phase = Phase::Attach;
            return self.start_swaps("staged", now, true);
        }
        let coordinator = self.own.as_ref().and_then(|own| own.coordinator);
        if coordinator.is_some_and(|member| self.members[member].version.is_none()) {
            // Nothing was staged there, so another secret coordinates.
            return self.begin();
        }
        self.stage_rest()
    }

    /// Writes first versions, as late as possible, because they stay.
    fn write_first(&mut self) -> Next {
        let first = self.which(|member| {
            matches!(member.look.goal, Goal::Create | Goal::First) && member.first.is_none()
        });
        let commands = first
            .into_iter()
            .map(|member| match self.members[member].look.goal {
                Goal::Create => Command::Create(member),
                _ => self.put(member),
            });
        let commands: Vec<Command> = commands.collect();
        self.phase = Phase::First;
        if commands.is_empty() {
            return self.after_first();
        }
        self.round("created", commands, true)
    }

    fn record_first(&mut self) {
        for event in std::mem::take(&mut self.events) {
            match event {
                Event::Created(member, version) => self.members[member].first = Some(version),
                Event::Put(member, version, labels) => {
                    let has = |label: &str| labels.iter().any(|held| held == label);
                    // Without an answer to the first call, another writer may have replaced the version since.
                    if has(CURRENT) || has(PREVIOUS) {
                        self.members[member].first = Some(version.clone());
                    }
                    if !has(CURRENT) {
                        self.conflict(member, first_value_meanwhile);
                    }
                    self.members[member].version = Some(version);
                }
                Event::Exists(member) => self.conflict(member, first_value_meanwhile),
                Event::WriteFailed(member, failure, version) => {
                    self.members[member].version = version;
                    self.fail(member, failure);
                }
                _ => {}
            }
        }
    }

    fn after_first(&mut self) -> Next {
        self.record_first();
        if self.cause.is_some() {
            return self.roll_back();
        }
        let moves = self.staged().map(|(member, version, base)| {
            (member, Swap::new(CURRENT, Some(&base), Some(&version)))
        });
        let moves: Vec<(usize, Swap)> = moves.collect();
        self.phase = Phase::Move;
        self.start_swaps("made current", moves, true)
    }

    // Commit.

    fn after_move(&mut self) -> Next {
        self.record_moves();
        if self.cause.is_some() {
            return self.roll_back();
        }
        // Members that need no write are part of the transaction: another one may have changed them since they were read.
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

    fn record_moves(&mut self) {
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

    fn after_validate(&mut self) -> Next {
        for event in std::mem::take(&mut self.events) {
            match event {
                Event::Read(member, Ok((is_met, labels))) => {
                    if !is_met || self.is_provisional(&labels) {
                        self.conflict(member, changed_meanwhile);
                    }
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

    /// Whether the current version is another transaction's that may still be rolled back.
    fn is_provisional(&self, labels: &Labels) -> bool {
        let mut current = labels
            .iter()
            .filter(|(_, version)| labels.holder(CURRENT) == Some(version));
        let own = self.own.as_ref().map(|own| own.label.member());
        current.any(|(label, _)| {
            TransactionLabel::parse_member(label).is_some()
                && Some(label) != own.as_deref()
                && !self.settled.contains(label)
        })
    }

    fn after_commit(&mut self) -> Next {
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
                self.round("looked at again", commands, false)
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

    /// Decides whether this run's removal of the record was applied, or another run aborted: that run moves every version
    /// back before it removes the record.
    fn after_inquiry(&mut self) -> Next {
        let (mut kept, mut moved_back) = (false, false);
        for (member, labels) in self.take_described() {
            let labels = match labels {
                Ok(labels) => labels,
                Err(failure) => return self.end_undecided(&failure),
            };
            let holder = labels.holder(CURRENT);
            kept |= holder == self.members[member].version.as_deref();
            moved_back |= holder == self.members[member].base();
        }
        if moved_back {
            self.cause = Some(Cause::Aborted);
            return self.roll_back();
        }
        if kept {
            return self.release();
        }
        self.end_undecided(&undecidable())
    }

    fn end_undecided(&mut self, failure: &Failure) -> Next {
        self.cause = Some(Cause::Undecided(failure.clone()));
        Next::End(self.end(false))
    }

    // Roll back.

    fn roll_back(&mut self) -> Next {
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

    fn record_rollbacks(&mut self) {
        for (member, ended) in self.swaps.take_ended() {
            let member = &mut self.members[member];
            member.moved = match ended {
                Swapped::Applied if member.moved == Moved::Maybe => Moved::No,
                Swapped::Applied => Moved::RolledBack,
                // A rollback without an answer may have been applied before another writer replaced the version.
                Swapped::Replaced => Moved::RolledBack,
                Swapped::Conflict { .. } => Moved::Replaced,
                Swapped::Rejected(failure) | Swapped::Unknown(failure) => Moved::Stuck(failure),
                Swapped::Skipped => continue,
            };
        }
    }

    fn after_roll_back(&mut self) -> Next {
        self.record_rollbacks();
        let is_stuck = |member: &Member| matches!(member.moved, Moved::Stuck(_));
        if self.members.iter().any(is_stuck) {
            // All labels stay, so that the next run can roll back.
            return Next::End(self.end(false));
        }
        self.release()
    }

    /// Removes the member labels, after the commit or after a rollback.
    fn release(&mut self) -> Next {
        self.phase = Phase::Release;
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

    fn after_release(&mut self) -> Next {
        if self.cause.is_none() {
            return Next::End(self.end(true));
        }
        let coordinator = self.own.as_ref().and_then(|own| own.coordinator);
        let version = coordinator.and_then(|member| self.members[member].version.clone());
        let (Some(coordinator), Some(own), Some(version)) = (coordinator, &self.own, version)
        else {
            return self.after_rollback_cleanup();
        };
        if let Some(Cause::Aborted) = self.cause {
            // The run that aborted has moved the record.
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

    fn after_find_record(&mut self) -> Next {
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

    fn after_rollback_cleanup(&mut self) -> Next {
        let can_repeat = self.cause.as_ref().is_some_and(Cause::is_conflict);
        if can_repeat && self.attempts < self.limits.attempts {
            self.phase = Phase::Observe;
            return Next::WaitForTurn;
        }
        Next::End(self.end(false))
    }

    // Shared.

    /// The indices of some members.
    fn which(&self, is: impl Fn(&Member) -> bool) -> Vec<usize> {
        let members = self.members.iter().enumerate();
        let which = members.filter(|(_, member)| is(member));
        which.map(|(index, _)| index).collect()
    }

    /// The staged versions: index, version, and the version to roll back to.
    fn staged(&self) -> impl Iterator<Item = (usize, String, String)> {
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

    fn swap_round(&self) -> Next {
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

    pub(super) fn observe_again(&mut self) -> Next {
        self.phase = Phase::Observe;
        Next::Observe
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

    fn fail(&mut self, member: usize, failure: Failure) {
        self.members[member].failure = Some(failure);
        self.cause = Some(Cause::Failure);
    }

    fn conflict(&mut self, member: usize, failure: fn(&str) -> Failure) {
        let failure = failure(&self.members[member].look.name);
        self.members[member].failure.get_or_insert(failure);
        self.cause.get_or_insert(Cause::Conflict);
    }

    fn fail_swap(&mut self, member: usize, ended: Swapped) {
        match ended {
            Swapped::Rejected(failure) | Swapped::Unknown(failure) => self.fail(member, failure),
            Swapped::Conflict { .. } | Swapped::Replaced => {
                self.conflict(member, changed_meanwhile);
            }
            Swapped::Applied | Swapped::Skipped => {}
        }
    }

    fn end(&mut self, committed: bool) -> Ending {
        self.phase = Phase::Ended;
        super::ending::ending(self, committed)
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

/// What transactions have done to a secret: their labels, and whether one of their versions is current. It differs only if
/// one of them has made progress, whatever other writers do.
fn activity(look: &Look) -> (Vec<String>, bool) {
    let labels = look
        .labels
        .iter()
        .filter(|(label, _)| crate::labels::is_transaction_label(label));
    let labels: Vec<_> = labels.collect();
    let current = look.labels.holder(CURRENT);
    let is_current = labels.iter().any(|(_, version)| current == Some(version));
    (
        labels
            .iter()
            .map(|(label, version)| format!("{label} {version}"))
            .collect(),
        is_current,
    )
}
