//! The first phases: waits for other transactions, recovers or sweeps them, stages every new version, and writes first versions. The
//! coordinator's version is staged before any other, with the commit record: a member label without a record means that the
//! transaction has ended.

use crate::labels::{CURRENT, PREVIOUS, TransactionLabel, is_transaction_label};

use super::conflicts::{
    changed_meanwhile, first_value_meanwhile, incomplete, unfinished_elsewhere,
};
use super::goal::Goal;
use super::messages::{Command, Event, Look, Next, Observation};
use super::others::{Other, Record, others};
use super::state::{Cause, Member, Moved, Own, Phase, Recovery, Transaction};
use super::swap::Swap;

impl Transaction {
    /// Takes the observation that [`Next::Observe`] asked for.
    pub fn observed(&mut self, observation: Observation) -> Next {
        let Observation { looks, now, unique } = observation;
        let mut firsts = self.members.iter_mut().map(|member| member.first.take());
        let members = looks.into_iter().map(|look| Member {
            version: None,
            moved: Moved::No,
            // A first version that is gone, since the secret was deleted, has to be written again.
            first: firsts
                .next()
                .flatten()
                .filter(|_| !matches!(look.goal, Goal::Create | Goal::First)),
            failure: None,
            look,
        });
        self.members = members.collect();
        (self.now, self.unique) = (now, unique);
        (self.own, self.cause) = (None, None);
        let has_labels = !self.others().is_empty();
        let incomplete = |member: &Member| !member.look.labels.is_complete;
        if has_labels && self.members.iter().any(incomplete) {
            self.phase = Phase::Complete;
            let incomplete = self.which(incomplete).into_iter();
            let commands = incomplete.map(Command::Describe).collect();
            return self.round("looked at", commands, false);
        }
        self.handle_others()
    }

    fn others(&self) -> Vec<Other> {
        let looks: Vec<&Look> = self.members.iter().map(|member| &member.look).collect();
        others(&looks, &self.region, self.now, self.run.as_ref())
    }

    pub(super) fn after_complete(&mut self) -> Next {
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
        self.handle_others()
    }

    /// Handles the transactions of other runs: waits for them, recovers them, or begins.
    pub(super) fn handle_others(&mut self) -> Next {
        let others = self.others();
        let is_awaited = |other: &&Other| {
            let matters = match other.record {
                Record::Undecided { .. } => true,
                Record::Elsewhere => other.is_current,
                // A run with all of its secrets may be rolling it back.
                Record::Aborted { .. } => other.label.secrets() > self.members.len(),
                Record::Ended => false,
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
            // It cannot be aborted from here, and might still commit.
            let elsewhere = others.iter().filter(is_awaited);
            let mut elsewhere = elsewhere.filter(|other| other.record == Record::Elsewhere);
            let is_current = |(member, version): &&(usize, String)| {
                self.members[*member].look.labels.holder(CURRENT) == Some(version)
            };
            let found = elsewhere.find_map(|other| other.members.iter().find(is_current));
            if let Some((member, _)) = found {
                let failure = unfinished_elsewhere(&self.members[*member].look.name);
                self.fail(*member, failure);
                return Next::End(self.end(false));
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
            if other.label.secrets() > self.members.len() {
                // Recovering these secrets only would leave the others as the killed run left them. But no run has to wait
                // forever for one with all of them.
                if !other.label.has_expired(self.now) {
                    return self.end_incomplete(other.label.secrets());
                }
                self.has_left_others = true;
            }
            return self.recover(recovery);
        }
        let ended = others.iter().filter(|it| it.record == Record::Ended);
        let mut coordinators: Vec<usize> = ended.filter_map(|other| other.coordinator).collect();
        coordinators.sort_unstable();
        coordinators.dedup();
        if coordinators.is_empty() {
            return self.sweep_ended();
        }
        // The secrets were not read at one moment: a transaction can have begun after its coordinator was read.
        self.phase = Phase::Confirm;
        let commands = coordinators.into_iter().map(Command::Describe).collect();
        self.round("looked at", commands, false)
    }

    /// Sweeps the transactions that have ended, unless one of them has only begun.
    pub(super) fn after_confirm(&mut self) -> Next {
        let before = self.others();
        for (member, labels) in self.take_described() {
            match labels {
                Ok(labels) => self.members[member].look.labels = labels,
                Err(failure) => return self.end_recovery(member, failure),
            }
        }
        let now = self.others();
        let ended = before.iter().filter(|it| it.record == Record::Ended);
        let has_begun = ended.into_iter().any(|other| {
            let known = now.iter().find(|it| it.label == other.label);
            known.is_some_and(|it| it.record != Record::Ended)
        });
        if has_begun {
            return self.observe_next_turn();
        }
        self.sweep_ended()
    }

    fn sweep_ended(&mut self) -> Next {
        let others = self.others();
        // Not the living ones that are staged here and coordinated elsewhere: they may still move, and move back.
        let settled = others
            .iter()
            .filter(|other| other.record == Record::Ended || !other.alive);
        self.settled
            .extend(settled.map(|other| other.label.member()));
        let ended = others.iter().filter(|it| it.record == Record::Ended);
        let sweeps = ended.flat_map(|other| {
            let label = other.label.member();
            let members = other.members.iter();
            members.map(move |(member, version)| (*member, Swap::removal(&label, version)))
        });
        self.queue = sweeps.collect();
        self.sweep()
    }

    /// Ends because the transaction of a killed run has more secrets than this one.
    fn end_incomplete(&mut self, secrets: usize) -> Next {
        self.cause = Some(Cause::Incomplete(incomplete(secrets, self.members.len())));
        Next::End(self.end(false))
    }

    /// Removes labels of transactions that have ended. Best effort: what is left is removed by the next run.
    pub(super) fn sweep(&mut self) -> Next {
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
    pub(super) fn take_queue(&mut self) -> Vec<(usize, Swap)> {
        let (mut now, mut later) = (Vec::<(usize, Swap)>::new(), Vec::new());
        for (member, swap) in std::mem::take(&mut self.queue) {
            let is_later = now.iter().any(|(other, _)| *other == member);
            let moves = if is_later { &mut later } else { &mut now };
            moves.push((member, swap));
        }
        self.queue = later;
        now
    }

    /// Chooses the coordinator, and stages its version.
    pub(super) fn begin(&mut self) -> Next {
        let staged = self.which(|member| matches!(member.look.goal, Goal::Replace { .. }));
        let first = self.which(|member| member.look.goal == Goal::First);
        let (coordinator, first) = (staged.first().copied(), first.first().copied());
        let Some(named) = coordinator.or(first) else {
            self.own = None;
            return self.write_first();
        };
        let name = &self.members[named].look.name;
        let end = self.now + self.timeout;
        let (run, secrets) = (self.run.as_ref(), self.members.len());
        let label = TransactionLabel::until(end, name, &self.region, run, secrets, &self.unique);
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
    pub(super) fn put(&self, member: usize) -> Command {
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
    pub(super) fn stage_rest(&mut self) -> Next {
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

    pub(super) fn after_stage(&mut self) -> Next {
        self.record_puts();
        if self.cause.is_some() {
            return self.roll_back();
        }
        let coordinator = self.own.as_ref().and_then(|own| own.coordinator);
        if coordinator.is_some_and(|member| self.members[member].version.is_none()) {
            // Nothing was staged there, so another secret coordinates.
            return self.begin();
        }
        self.stage_rest()
    }

    /// Records staged versions.
    pub(super) fn record_puts(&mut self) {
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
                    let record = (own.coordinator == Some(member)).then(|| own.label.record());
                    let mut wanted = record.into_iter().chain([own.label.member()]);
                    if !wanted.all(|label| has(&label)) {
                        // The version existed before, so that the put gave it no label.
                        self.conflict(member, changed_meanwhile);
                    }
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

    /// Writes first versions, as late as possible, because they stay.
    pub(super) fn write_first(&mut self) -> Next {
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

    pub(super) fn record_first(&mut self) {
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

    pub(super) fn after_first(&mut self) -> Next {
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
}

/// What transactions have done to a secret: their labels, and whether one of their versions is current. It differs only if
/// one of them has made progress, whatever other writers do.
fn activity(look: &Look) -> (Vec<String>, bool) {
    let labels = look
        .labels
        .iter()
        .filter(|(label, _)| is_transaction_label(label));
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
