//! Compare-and-swap of labels on several secrets concurrently. Interprets the responses, and reads back or resends a call
//! without a response. Must not depend on why a label moves.

use crate::failure::Failure;
use crate::labels::{CURRENT, PREVIOUS};

use super::messages::{Answer, Command, Event, Labels, Round};

/// The number of times a call without effect is resent.
const MAX_RETRIES: u32 = 2;

/// The move of one label.
#[derive(Clone, Debug, Hash)]
pub(super) struct Swap {
    label: String,
    from: Option<String>,
    to: Option<String>,
    retries: u32,
    /// Whether a call without a response may have been applied.
    maybe_applied: bool,
    /// Whether the labels have to be read next.
    reads: bool,
    /// Whether it does not matter who removed the label.
    is_cleanup: bool,
    /// Whether another writer can have moved the label to the same version, which does not count as this move.
    is_shared: bool,
    failure: Option<Failure>,
}

/// The result of a move.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Swapped {
    /// The label is at its target.
    Applied,
    /// Another version holds the label, or none does.
    Conflict {
        /// The version that holds it.
        holder: Option<String>,
        /// Whether this move may have been applied before the conflict.
        maybe_applied: bool,
    },
    /// AWSCURRENT was moved, and another writer has moved it again since: the version holds AWSPREVIOUS.
    Replaced,
    /// It was not applied.
    Rejected(Failure),
    /// It is unknown whether it was applied.
    Unknown(Failure),
    /// It was not sent.
    Skipped,
}

impl Swap {
    /// A move from the version that must hold the label; `to` is `None` to remove it.
    pub(super) fn new(label: &str, from: Option<&str>, to: Option<&str>) -> Self {
        Self {
            label: label.to_owned(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            retries: 0,
            maybe_applied: false,
            reads: false,
            is_cleanup: false,
            is_shared: false,
            failure: None,
        }
    }

    /// The same move, to a version that other writers may use as well.
    pub(super) fn shared(mut self) -> Self {
        self.is_shared = true;
        self
    }

    /// The removal of a label that may already be gone.
    pub(super) fn removal(label: &str, from: &str) -> Self {
        Self {
            is_cleanup: true,
            ..Self::new(label, Some(from), None)
        }
    }

    /// The same move, but reads the labels first, because the move may be unnecessary.
    pub(super) fn after_read(mut self) -> Self {
        self.reads = true;
        self
    }

    fn command(&self, member: usize) -> Command {
        if self.reads {
            return Command::Describe(member);
        }
        Command::Label {
            member,
            label: self.label.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
        }
    }

    fn answered(&mut self, answer: Answer) -> Option<Swapped> {
        match answer {
            Answer::Applied => return Some(Swapped::Applied),
            Answer::Lost { .. } if self.is_cleanup => return Some(Swapped::Applied),
            Answer::NoAnswer(failure) if self.is_cleanup => {
                self.retries += 1;
                let is_last = self.retries > MAX_RETRIES;
                return is_last.then_some(Swapped::Unknown(failure));
            }
            Answer::Rejected(failure) if !self.maybe_applied => {
                return Some(Swapped::Rejected(failure));
            }
            Answer::Rejected(failure) => {
                self.retries = MAX_RETRIES;
                self.failure = Some(failure);
            }
            Answer::NoAnswer(failure) => {
                self.maybe_applied = true;
                self.failure = Some(failure);
            }
            Answer::Lost { retried, failure } => {
                self.maybe_applied |= retried;
                self.failure = Some(failure);
            }
        }
        self.reads = true;
        None
    }

    fn described(&mut self, labels: Result<Labels, Failure>) -> Option<Swapped> {
        let labels = match labels {
            Ok(labels) => labels,
            Err(failure) if self.maybe_applied => return Some(Swapped::Unknown(failure)),
            Err(failure) => return Some(Swapped::Rejected(failure)),
        };
        let holder = labels.holder(&self.label);
        if self.to.is_some() && holder == self.to.as_deref() {
            return Some(if self.is_shared && !self.maybe_applied {
                Swapped::Conflict {
                    holder: holder.map(str::to_owned),
                    maybe_applied: false,
                }
            } else {
                Swapped::Applied
            });
        }
        if holder != self.from.as_deref() {
            // AWSCURRENT is never removed, so there is always a version to compare with.
            let is_previous = labels.holder(PREVIOUS) == self.to.as_deref();
            if self.maybe_applied && self.label == CURRENT && is_previous {
                return Some(Swapped::Replaced);
            }
            return Some(Swapped::Conflict {
                holder: holder.map(str::to_owned),
                maybe_applied: self.maybe_applied,
            });
        }
        if self.retries >= MAX_RETRIES {
            // There is no failure before a first call, which is sent now.
            if let Some(failure) = self.failure.take() {
                return Some(Swapped::Rejected(failure));
            }
        }
        self.retries += 1;
        self.reads = false;
        None
    }
}

/// Label moves, at most one per secret.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Swaps {
    /// In the order of the secrets.
    running: Vec<(usize, Swap)>,
    ended: Vec<(usize, Swapped)>,
    verb: &'static str,
    /// Whether to stop sending after a move that was not applied.
    stops: bool,
}

impl Swaps {
    pub(super) fn new(moves: Vec<(usize, Swap)>, verb: &'static str, stops: bool) -> Self {
        let mut running = moves;
        running.sort_unstable_by_key(|(member, _)| *member);
        Self {
            running,
            ended: Vec::new(),
            verb,
            stops,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.running.is_empty()
    }

    /// The next command of each move that has not ended.
    pub(super) fn round(&self) -> Round {
        // Move nothing else until the results of the moves that are being read back are known.
        let only_reads = self.stops && self.running.iter().any(|(_, swap)| swap.reads);
        let next = self.running.iter();
        let next = next.filter(|(_, swap)| swap.reads || !only_reads);
        Round {
            verb: self.verb,
            is_retry: next
                .clone()
                .any(|(_, swap)| swap.retries > 0 && !swap.reads),
            commands: next.map(|(member, swap)| swap.command(*member)).collect(),
            stops: self.stops,
        }
    }

    pub(super) fn handle(&mut self, event: Event) {
        let member = match &event {
            Event::Label(member, _) | Event::Described(member, _) => *member,
            // A skipped move was not sent. Whether to send it is decided after the round.
            _ => return,
        };
        let Some(at) = self.find(member) else {
            return;
        };
        let swap = &mut self.running[at].1;
        let ended = match event {
            Event::Label(_, answer) => swap.answered(answer),
            Event::Described(_, labels) => swap.described(labels),
            _ => None,
        };
        if let Some(ended) = ended {
            self.running.remove(at);
            self.ended.push((member, ended));
        }
    }

    /// After a round, ends the moves that would still be sent although another one failed.
    pub(super) fn settle(&mut self) {
        let mut ended = self.ended.iter();
        if self.stops && ended.any(|(_, ended)| *ended != Swapped::Applied) {
            let unsent = self.running.iter().filter(|(_, swap)| !swap.reads);
            let unsent = unsent.map(|(member, _)| (*member, Swapped::Skipped));
            self.ended.extend(unsent.collect::<Vec<_>>());
            self.running.retain(|(_, swap)| swap.reads);
        }
    }

    /// Whether a pending move may have been applied.
    pub(super) fn maybe_applied(&self, member: usize) -> bool {
        self.find(member)
            .is_some_and(|at| self.running[at].1.maybe_applied)
    }

    fn find(&self, member: usize) -> Option<usize> {
        let found = self
            .running
            .binary_search_by_key(&member, |(other, _)| *other);
        found.ok()
    }

    pub(super) fn take_ended(&mut self) -> Vec<(usize, Swapped)> {
        std::mem::take(&mut self.ended)
    }
}
