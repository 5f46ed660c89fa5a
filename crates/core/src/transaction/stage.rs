//! The staging phases: chooses the coordinator, stages versions with private labels, and writes first versions. Stages the
//! coordinator's version before any other, with the commit record: a member label without a record means that the transaction
//! has ended. Must not move AWSCURRENT.

use crate::labels::{CURRENT, PREVIOUS, TransactionLabel};

use super::conflicts::{changed_meanwhile, first_value_meanwhile};
use super::goal::Goal;
use super::messages::{Command, Event, Next};
use super::state::{Own, Phase, Transaction};
use super::swap::Swap;

impl Transaction {
    /// Chooses the coordinator, and stages its version.
    pub(super) fn begin(&mut self) -> Next {
        let staged = self.which(|member| member.base().is_some());
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
                let stage = self.stage(member);
                self.phase = Phase::Stage;
                self.round("staged", vec![stage], true)
            }
            None => self.write_first(),
        }
    }

    /// The command that writes a secret's new version or labels an existing one. The coordinator's version also gets the commit
    /// record.
    pub(super) fn stage(&self, member: usize) -> Command {
        let own = self.own.as_ref();
        let is_coordinator = own.is_some_and(|own| own.coordinator == Some(member));
        let labels = own.map(|own| &own.label).into_iter().flat_map(|label| {
            let record = is_coordinator.then(|| label.record());
            record.into_iter().chain([label.member()])
        });
        let labels = labels.collect();
        match &self.members[member].look.goal {
            Goal::Promote { to, .. } => Command::Attach {
                member,
                version: to.clone(),
                labels,
            },
            _ => Command::Put { member, labels },
        }
    }

    /// Stages the versions that are not staged yet. The coordinator's comes first: a member label without a record means that
    /// the transaction has ended.
    pub(super) fn stage_rest(&mut self) -> Next {
        let rest = self.which(|member| member.base().is_some() && member.version.is_none());
        let commands = rest.into_iter().map(|member| self.stage(member));
        let commands: Vec<Command> = commands.collect();
        if commands.is_empty() {
            return self.write_first();
        }
        self.phase = Phase::Stage;
        self.round("staged", commands, true)
    }

    pub(super) fn after_stage(&mut self) -> Next {
        self.record_puts();
        if self.cause.is_some() {
            return self.roll_back();
        }
        let coordinator = self.own.as_ref().and_then(|own| own.coordinator);
        if coordinator.is_some_and(|member| self.members[member].version.is_none()) {
            // Nothing was staged there, so another secret becomes the coordinator.
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
                    let exists = matches!(self.members[member].look.goal, Goal::Promote { .. });
                    if exists && (has(CURRENT) || self.is_claimed(&labels)) {
                        // Another writer has made it current, or is about to.
                        self.conflict(member, changed_meanwhile);
                    } else if has(CURRENT) {
                        // The token's version is already current, so the value is stored.
                        self.members[member].look.goal = Goal::Keep;
                        continue;
                    }
                    let record = (own.coordinator == Some(member)).then(|| own.label.record());
                    let mut wanted = record.into_iter().chain([own.label.member()]);
                    if !wanted.all(|label| has(&label)) {
                        // The version already existed, so the put did not label it.
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

    /// Whether another transaction that may still move the version has labeled it. Both label it before they check, so at least
    /// one of them sees the other.
    fn is_claimed(&self, labels: &[String]) -> bool {
        let own = self.own.as_ref().map(|own| own.label.member());
        labels.iter().any(|label| {
            TransactionLabel::parse_member(label).is_some()
                && Some(label) != own.as_ref()
                && !self.settled.contains(label)
        })
    }

    /// Writes first versions as late as possible, because they cannot be rolled back.
    pub(super) fn write_first(&mut self) -> Next {
        let first = self.which(|member| {
            matches!(member.look.goal, Goal::Create | Goal::First) && member.first.is_none()
        });
        let commands = first
            .into_iter()
            .map(|member| match self.members[member].look.goal {
                Goal::Create => Command::Create(member),
                _ => self.stage(member),
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
                    // If the first call got no response, another writer may have replaced the version since.
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
            let swap = Swap::new(CURRENT, Some(&base), Some(&version));
            match self.members[member].look.goal {
                Goal::Promote { .. } => (member, swap.shared()),
                _ => (member, swap),
            }
        });
        let moves: Vec<(usize, Swap)> = moves.collect();
        self.phase = Phase::Move;
        self.start_swaps("made current", moves, true)
    }
}
