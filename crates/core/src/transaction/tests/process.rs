//! A run of a transaction, one command at a time, so that anything can happen between two commands.

use crate::failure::Class;
use crate::labels::CURRENT;
use crate::transaction::messages::{
    Answer, Command, Ending, Event, Labels, Look, Next, Observation, Written,
};
use crate::transaction::{Goal, Limits, Transaction};
use crate::version_id::RunIdentity;

use super::world::{Secret, failure};

/// The time at which every run starts, in seconds since 1970.
pub(super) const NOW: u64 = 1_800_000_000;
/// The time limit of a run, in seconds.
pub(super) const TIMEOUT: u64 = 100;

/// What happens to one command.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(super) enum Effect {
    Applied,
    /// It is applied, and its response is lost.
    LostAnswer,
    /// It is not applied and gets no response.
    LostCall,
    /// It is rejected.
    Rejected,
    /// It is applied, its response is lost, and the call is retried before the run notices.
    Retried,
}

/// A run.
#[derive(Clone, Debug, Hash)]
pub(super) struct Process {
    machine: Transaction,
    /// The index of each secret, and the value that the run wants to set.
    wants: Vec<(usize, &'static str)>,
    /// Makes the version IDs of this run differ from those of others.
    name: &'static str,
    now: u64,
    /// Whether the versions of a secret have one ID per base, as in a CI run. A version that an earlier attempt has written is
    /// not reused.
    repeats_ids: bool,
    /// Whether the run promotes an existing version that holds the value, instead of writing a new one.
    promotes: bool,
    /// By member: the version that was current when it was last observed.
    bases: Vec<Option<String>>,
    count: u32,
    next: Doing,
}

#[derive(Clone, Debug, Hash)]
enum Doing {
    Observe(Vec<Look>),
    Wait,
    Round {
        commands: Vec<Command>,
        events: Vec<Event>,
        stops: bool,
    },
    Ended(Ending),
}

impl Process {
    pub(super) fn new(name: &'static str, wants: &[(usize, &'static str)], now: u64) -> Self {
        let limits = Limits {
            idle: 1,
            attempts: 2,
        };
        let run = RunIdentity {
            parts: vec![name.to_owned()],
        };
        Self {
            machine: Transaction::new("eu-west-1", Some(&run), TIMEOUT, limits),
            wants: wants.to_vec(),
            name,
            now,
            repeats_ids: false,
            promotes: false,
            bases: vec![None; wants.len()],
            count: 0,
            next: Doing::Observe(Vec::new()),
        }
    }

    /// The same with one version ID per base of a secret.
    pub(super) fn repeating_ids(mut self) -> Self {
        self.repeats_ids = true;
        self
    }

    /// The same, but promoting existing versions.
    pub(super) fn promoting(mut self) -> Self {
        self.promotes = true;
        self
    }

    /// The same, but with limits at which no other run seems dead.
    pub(super) fn patient(mut self) -> Self {
        let limits = Limits {
            idle: 20,
            attempts: 2,
        };
        let run = RunIdentity {
            parts: vec![self.name.to_owned()],
        };
        self.machine = Transaction::new("eu-west-1", Some(&run), TIMEOUT, limits);
        self
    }

    pub(super) fn is_committed(&self) -> bool {
        self.machine.is_committed()
    }

    /// Whether every version that the machine considers current is current.
    pub(super) fn has_its_versions(&self, world: &[Secret]) -> bool {
        let mut written = self.wants.iter().zip(self.machine.written());
        written.all(|((index, _), written)| match written {
            Some(Written::Current { id, .. }) => {
                world[*index].holder(CURRENT).is_some_and(|it| it.id == id)
            }
            _ => true,
        })
    }

    /// Whether the next step is the put of a version, so that earlier transactions have been handled.
    pub(super) fn puts(&self) -> bool {
        match &self.next {
            Doing::Round { commands, .. } => matches!(
                commands.first(),
                Some(Command::Put { .. } | Command::Create(_))
            ),
            _ => false,
        }
    }

    pub(super) fn wants(&self) -> &[(usize, &'static str)] {
        &self.wants
    }

    pub(super) fn ending(&self) -> Option<&Ending> {
        match &self.next {
            Doing::Ended(ending) => Some(ending),
            _ => None,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.next, Doing::Wait)
    }

    /// Whether the next step is a write.
    pub(super) fn writes(&self) -> bool {
        let command = match &self.next {
            Doing::Round { commands, .. } => commands.first(),
            _ => None,
        };
        command.is_some_and(|it| !matches!(it, Command::Describe(_) | Command::Read(_)))
    }

    /// Cancels the run while a command is pending: the command is applied, but its response does not arrive.
    pub(super) fn cancel_while_pending(&mut self, world: &mut [Secret]) {
        if let Doing::Round { commands, .. } = self.next.clone() {
            let event = self.run(commands[0].clone(), world, Effect::LostAnswer);
            self.next = Doing::Ended(self.machine.cut_short(vec![event]));
        }
    }

    /// The next command, to report a violation.
    pub(super) fn doing_next(&self) -> String {
        match &self.next {
            Doing::Observe(looks) if looks.len() == self.wants.len() => "decides".to_owned(),
            Doing::Observe(looks) => format!("looks at {}", self.wants[looks.len()].0),
            Doing::Wait => "waits".to_owned(),
            Doing::Round { commands, .. } => match &commands[0] {
                Command::Label {
                    member,
                    label,
                    from,
                    to,
                } => {
                    format!(
                        "{} {} {from:?} -> {to:?}",
                        self.wants[*member].0,
                        &label[..label.len().min(20)]
                    )
                }
                Command::Put { member, .. } => format!("puts {}", self.wants[*member].0),
                Command::Attach { member, .. } => format!("labels {}", self.wants[*member].0),
                Command::Describe(member) => format!("describes {}", self.wants[*member].0),
                Command::Read(member) => format!("reads {}", self.wants[*member].0),
                Command::Create(member) => format!("creates {}", self.wants[*member].0),
            },
            Doing::Ended(_) => "ended".to_owned(),
        }
    }

    /// Makes one step.
    pub(super) fn step(&mut self, world: &mut [Secret], effect: Effect) {
        let doing = std::mem::replace(&mut self.next, Doing::Wait);
        self.next = match doing {
            Doing::Observe(looks) if looks.len() == self.wants.len() => {
                let observation = Observation {
                    looks,
                    now: self.now,
                    unique: self.unique(),
                };
                let next = self.machine.observed(observation);
                self.doing(next)
            }
            Doing::Observe(mut looks) => {
                let look = self.look(world, looks.len());
                looks.push(look);
                Doing::Observe(looks)
            }
            Doing::Wait => Doing::Observe(Vec::new()),
            Doing::Round {
                mut commands,
                mut events,
                stops,
            } => {
                let command = commands.remove(0);
                let failed = events.iter().any(Event::is_failure);
                let event = if failed && stops {
                    Event::Skipped(command.member())
                } else {
                    self.run(command, world, effect)
                };
                events.push(event);
                if commands.is_empty() {
                    let next = self.machine.next(events);
                    self.doing(next)
                } else {
                    Doing::Round {
                        commands,
                        events,
                        stops,
                    }
                }
            }
            ended @ Doing::Ended(_) => ended,
        };
    }

    /// Cancels the run before the next command.
    pub(super) fn cancel(&mut self) {
        if let Doing::Round { events, .. } = &mut self.next {
            let events = std::mem::take(events);
            self.next = Doing::Ended(self.machine.cut_short(events));
        }
    }

    fn doing(&self, next: Next) -> Doing {
        match next {
            Next::Observe => Doing::Observe(Vec::new()),
            Next::WaitForOther { .. } | Next::WaitForTurn => Doing::Wait,
            Next::Round(round) => Doing::Round {
                commands: round.commands,
                events: Vec::new(),
                stops: round.stops,
            },
            Next::End(ending) => Doing::Ended(ending),
        }
    }

    /// What BatchGetSecretValue or DescribeSecret returns, and the resulting goal.
    fn look(&mut self, world: &[Secret], member: usize) -> Look {
        let (index, wanted) = self.wants[member];
        let secret = &world[index];
        let current = secret.holder(CURRENT);
        self.bases[member] = current.map(|version| version.id.clone());
        let (labels, goal) = match current {
            Some(version) if version.value == wanted => {
                (Labels::of_current(&version.id, &version.labels), Goal::Keep)
            }
            Some(version) => {
                let base = version.id.clone();
                let mut staged = secret.versions.iter();
                let goal = match staged.find(|version| version.value == wanted) {
                    Some(staged) if self.promotes => Goal::Promote {
                        base,
                        to: staged.id.clone(),
                    },
                    _ => Goal::Replace { base },
                };
                (Labels::all(secret.labels()), goal)
            }
            None if secret.exists => (Labels::all(secret.labels()), Goal::First),
            None => (Labels::all(secret.labels()), Goal::Create),
        };
        Look {
            name: index.to_string(),
            labels,
            goal,
        }
    }

    fn run(&mut self, command: Command, world: &mut [Secret], effect: Effect) -> Event {
        let member = command.member();
        let (index, wanted) = self.wants[member];
        let secret = &mut world[index];
        let denied = || failure(Class::Denied, "denied");
        let no_answer = || failure(Class::Unavailable, "no answer");
        match command {
            Command::Describe(_) => Event::Described(member, Ok(Labels::all(secret.labels()))),
            Command::Read(_) => {
                let current = secret.holder(CURRENT).unwrap();
                let labels = Labels::of_current(&current.id, &current.labels);
                Event::Read(member, Ok((current.value == wanted, labels)))
            }
            Command::Put { labels, .. } => {
                let repeated = self.bases[member]
                    .as_ref()
                    .filter(|_| self.repeats_ids)
                    .map(|base| format!("{}-{index}-over-{base}", self.name))
                    .filter(|id| secret.versions.iter().all(|version| version.id != *id));
                let id = repeated.unwrap_or_else(|| self.unique());
                let secret = &mut world[index];
                match effect {
                    Effect::Rejected => Event::WriteFailed(member, denied(), None),
                    Effect::LostCall => Event::WriteFailed(member, no_answer(), Some(id)),
                    Effect::Applied | Effect::Retried => {
                        let labels = secret.put(&id, wanted, &labels);
                        Event::Put(member, id, labels)
                    }
                    Effect::LostAnswer => {
                        secret.put(&id, wanted, &labels);
                        Event::WriteFailed(member, no_answer(), Some(id))
                    }
                }
            }
            Command::Attach {
                version, labels, ..
            } => {
                if effect == Effect::Rejected {
                    return Event::WriteFailed(member, denied(), None);
                }
                if effect != Effect::LostCall {
                    for label in &labels {
                        secret.move_label(label, None, Some(&version));
                    }
                }
                if matches!(effect, Effect::LostCall | Effect::LostAnswer) {
                    return Event::WriteFailed(member, no_answer(), Some(version));
                }
                let labels = secret.labels().remove(&version).unwrap_or_default();
                Event::Put(member, version, labels)
            }
            Command::Create(_) if secret.exists => Event::Exists(member),
            Command::Create(_) => {
                let id = self.unique();
                if effect == Effect::Rejected {
                    return Event::WriteFailed(member, denied(), None);
                }
                secret.put(&id, wanted, &[CURRENT.to_owned()]);
                Event::Created(member, id)
            }
            Command::Label {
                label, from, to, ..
            } => {
                if effect == Effect::Rejected {
                    return Event::Label(member, Answer::Rejected(denied()));
                }
                let mut send = || secret.move_label(&label, from.as_deref(), to.as_deref());
                if effect == Effect::Retried {
                    send();
                }
                let applied = effect != Effect::LostCall && send();
                Event::Label(
                    member,
                    match (effect, applied) {
                        (Effect::Applied | Effect::Retried, true) => Answer::Applied,
                        (Effect::Applied | Effect::Retried, false) => Answer::Lost {
                            retried: effect == Effect::Retried,
                            failure: failure(Class::Unavailable, "lost"),
                        },
                        _ => Answer::NoAnswer(no_answer()),
                    },
                )
            }
        }
    }

    fn unique(&mut self) -> String {
        self.count += 1;
        format!("{:0>36}", format!("{}{}", self.name, self.count))
    }
}
