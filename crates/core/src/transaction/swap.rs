//! Compare-and-swap of labels on several secrets at once. It interprets the answers, and reads
//! back or resends a call whose answer did not arrive. It does not know why a label moves.

use crate::failure::Failure;
use crate::labels::{CURRENT, PREVIOUS};

use super::messages::{Answer, Command, Event, Labels, Round};

/// How often a call without effect is sent again.
const MAX_RETRIES: u32 = 2;

/// A move of one label.
#[derive(Clone, Debug, Hash)]
pub(super) struct Swap {
    label: String,
    from: Option<String>,
    to: Option<String>,
    retries: u32,
    /// Whether a call without an answer may have been applied.
    maybe_applied: bool,
    /// Whether the labels are read next.
    reads: bool,
    /// Whether it does not matter who removed the label.
    is_cleanup: bool,
    failure: Option<Failure>,
}

/// The result of a move.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Swapped {
    /// The label is where it was to go.
    Applied,
    /// The label is on another version, or on none.
    Conflict {
        /// The version that holds it.
        holder: Option<String>,
        /// Whether this move may have been applied before.
        maybe_applied: bool,
    },
    /// AWSCURRENT was moved, and another writer has moved it on since: the version holds AWSPREVIOUS.
    Replaced,
    /// It was not applied.
    Rejected(Failure),
    /// Whether it was applied is not known.
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
            failure: None,
        }
    }

    /// The removal of a label that may be gone already.
    pub(super) fn removal(label: &str, from: &str) -> Self {
        Self {
            is_cleanup: true,
            ..Self::new(label, Some(from), None)
        }
    }

    /// The same move, which reads the labels before it is sent, because its effect is not known to be needed.
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
            return Some(Swapped::Applied);
        }
        if holder != self.from.as_deref() {
            let is_previous = self.to.is_some() && labels.holder(PREVIOUS) == self.to.as_deref();
            if self.maybe_applied && self.label == CURRENT && is_previous {
                return Some(Swapped::Replaced);
            }
            return Some(Swapped::Conflict {
                holder: holder.map(str::to_owned),
                maybe_applied: self.maybe_applied,
            });
        }
        if self.retries >= MAX_RETRIES {
            // Before a first call there is none: then it is sent.
            if let Some(failure) = self.failure.take() {
                return Some(Swapped::Rejected(failure));
            }
        }
        self.retries += 1;
        self.reads = false;
        None
    }
}

/// Moves of labels, at most one for each secret.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Swaps {
    /// In the order of the secrets.
    running: Vec<(usize, Swap)>,
    ended: Vec<(usize, Swapped)>,
    verb: &'static str,
    /// Whether nothing more is sent after a move that was not applied.
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
        // Nothing more is moved before it is known what became of the moves that are being read back.
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
            // A skipped move was not sent. Whether it is to be sent is decided when the round has ended.
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

    /// After a round: ends the moves that would be sent although another one failed.
    pub(super) fn settle(&mut self) {
        let mut ended = self.ended.iter();
        if self.stops && ended.any(|(_, ended)| *ended != Swapped::Applied) {
            let unsent = self.running.iter().filter(|(_, swap)| !swap.reads);
            let unsent = unsent.map(|(member, _)| (*member, Swapped::Skipped));
            self.ended.extend(unsent.collect::<Vec<_>>());
            self.running.retain(|(_, swap)| swap.reads);
        }
    }

    /// Whether a move that has not ended may have been applied.
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
