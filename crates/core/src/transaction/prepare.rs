//! The first phases: waits for other transactions, and recovers them or removes their labels. Must not stage versions.

use crate::labels::{CURRENT, is_transaction_label};

use super::conflicts::{incomplete, unfinished_elsewhere};
use super::goal::Goal;
use super::messages::{Command, Look, Next, Observation};
use super::others::{Other, Record, others};
use super::state::{Cause, Member, Moved, Phase, Recovery, Transaction};
use super::swap::Swap;

impl Transaction {
    /// Handles the observation that [`Next::Observe`] requested.
    pub fn observed(&mut self, observation: Observation) -> Next {
        let Observation { looks, now, unique } = observation;
        let mut firsts = self.members.iter_mut().map(|member| member.first.take());
        let members = looks.into_iter().map(|look| Member {
            version: None,
            moved: Moved::No,
            // A first version that disappeared because the secret was deleted has to be written again.
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
            return self.round("observed", commands, false);
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

    /// Handles the transactions of other runs: waits for them, recovers them, or starts this one.
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
                // Recovering only these secrets would leave the others as the killed run left them. However, no run has to wait
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
        // The secrets were not read at the same moment: a transaction may have started after its coordinator was read.
        self.phase = Phase::Confirm;
        let commands = coordinators.into_iter().map(Command::Describe).collect();
        self.round("observed", commands, false)
    }

    /// Removes the labels of transactions that have ended, unless one of them has only just started.
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
        // Excludes active transactions that are staged here and coordinated elsewhere: their versions may still move, and move
        // back.
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

    /// Ends because the transaction of a killed run has secrets that this run does not have.
    fn end_incomplete(&mut self, secrets: usize) -> Next {
        self.cause = Some(Cause::Incomplete(incomplete(secrets, self.members.len())));
        Next::End(self.end(false))
    }

    /// Removes labels of transactions that have ended. Best effort: the next run removes the remaining ones.
    pub(super) fn sweep(&mut self) -> Next {
        self.swaps.take_ended();
        let now = self.take_queue();
        if now.is_empty() {
            self.attempts += 1;
            return self.begin();
        }
        self.phase = Phase::Sweep;
        self.start_swaps("observed", now, false)
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
}

/// The effects of transactions on a secret: their labels, and whether one of their versions is current. It changes only if one
/// of them makes progress, regardless of other writers.
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
