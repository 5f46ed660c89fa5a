//! A state of several runs: the secrets, the next steps of the runs, and facts about the path.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::labels::is_transaction_label;

use super::process::{Effect, Process};
use super::world::Secret;

/// The number of states per exploration in a normal test run.
pub(super) const STATES: usize = 20_000;
/// A large prime that selects open states in a scattered but deterministic order.
pub(super) const SPREAD: usize = 1_000_003;
/// The number of steps after which a run counts as non-terminating.
pub(super) const MAX_STEPS: u32 = 400;

/// A fault that may happen once to the first run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    At(Effect),
    Crash,
    Cancel,
}

#[derive(Clone)]
pub(super) struct State {
    pub(super) world: Vec<Secret>,
    pub(super) runs: Vec<Process>,
    /// By run: whether all its values were current at the same time.
    pub(super) reached: Vec<bool>,
    pub(super) dead: Vec<bool>,
    pub(super) fault_left: Vec<bool>,
    pub(super) has_failed: bool,
    /// The secret that another writer has yet to write.
    pub(super) rival: Option<usize>,
    /// Whether there is such a writer. Transactions are not isolated from it.
    pub(super) has_rival: bool,
    pub(super) writes: u32,
    pub(super) seen: Vec<u32>,
    pub(super) steps: u32,
    /// Whether a wait can end at any time, so that a run can seem dead.
    pub(super) is_eager: bool,
    /// The number of runs, from the first, that may meet a fault.
    pub(super) failing: usize,
    /// The runs that died undecided, with the commit record in place.
    pub(super) undecided: Vec<usize>,
    /// The commands so far, to report a violation.
    pub(super) path: Vec<String>,
}

impl State {
    pub(super) fn new(world: &[Secret], runs: Vec<Process>) -> Self {
        Self {
            reached: runs.iter().map(|run| holds(run, world)).collect(),
            dead: vec![false; runs.len()],
            fault_left: vec![false; runs.len()],
            seen: vec![0; runs.len()],
            world: world.to_vec(),
            runs,
            has_failed: false,
            rival: None,
            has_rival: false,
            writes: 0,
            steps: 0,
            is_eager: false,
            failing: 1,
            undecided: Vec::new(),
            path: Vec::new(),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = self.path.join("\n  ");
        for (index, secret) in self.world.iter().enumerate() {
            for version in &secret.versions {
                text += &format!(
                    "\n{index} {} {:?} {:?}",
                    version.id, version.value, version.labels
                );
            }
        }
        for run in &self.runs {
            text += &format!("\n{:?}", run.ending());
        }
        text
    }

    pub(super) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let stale: Vec<bool> = self.seen.iter().map(|seen| self.writes > *seen).collect();
        (
            &self.world,
            &self.reached,
            &self.dead,
            &self.fault_left,
            self.rival,
            stale,
            &self.undecided,
        )
            .hash(&mut hasher);
        self.runs.hash(&mut hasher);
        hasher.finish()
    }

    /// Whether all runs have the same secrets, so that none may write over another one that is undecided.
    pub(super) fn have_same_secrets(&self) -> bool {
        let secrets = |run: &Process| {
            let mut secrets: Vec<usize> = run.wants().iter().map(|(index, _)| *index).collect();
            secrets.sort_unstable();
            secrets
        };
        let mut all = self.runs.iter().map(secrets);
        let first = all.next();
        all.all(|it| Some(it) == first)
    }

    pub(super) fn is_over(&self, run: usize) -> bool {
        self.dead[run] || self.runs[run].ending().is_some()
    }

    pub(super) fn step(mut self, run: usize, effect: Effect) -> Self {
        let before = self.world.clone();
        self.path
            .push(format!("{run} {} {effect:?}", self.runs[run].doing_next()));
        let was_committed = self.runs[run].is_committed();
        self.runs[run].step(&mut self.world, effect);
        // A run that ends immediately has written nothing.
        let is_ongoing = self.runs[run].ending().is_none();
        let commits = !was_committed && is_ongoing && self.runs[run].is_committed();
        if commits && !self.has_rival && !self.has_failed && self.have_same_secrets() {
            assert!(
                self.runs[run].has_its_versions(&self.world),
                "committed without its versions: {}",
                self.text()
            );
        }
        self.steps += 1;
        self.after(&before);
        self.seen[run] = self.writes;
        self
    }

    pub(super) fn after(&mut self, before: &[Secret]) {
        self.writes += u32::from(before != self.world);
        for run in 0..self.runs.len() {
            self.reached[run] |= !self.is_over(run) && holds(&self.runs[run], &self.world);
            let ending = self.runs[run].ending();
            let committed = ending.is_some_and(|ending| ending.committed) && !self.dead[run];
            if committed && !self.has_rival {
                assert!(
                    self.reached[run],
                    "committed without reaching its goal: {}",
                    self.text()
                );
            }
        }
    }

    pub(super) fn next(&self, faults: &[Fault]) -> Vec<Self> {
        let mut next = Vec::new();
        let busy = |run: usize| !self.is_over(run) && !self.runs[run].is_waiting();
        let anyone_busy = (0..self.runs.len()).any(busy) || self.rival.is_some();
        for run in 0..self.runs.len() {
            let awake = self.is_eager || busy(run) || self.writes > self.seen[run] || !anyone_busy;
            if self.is_over(run) || !awake {
                continue;
            }
            next.push(self.clone().step(run, Effect::Applied));
            if !self.fault_left[run] {
                continue;
            }
            for fault in faults {
                let mut faulty = self.clone();
                faulty.fault_left[run] = false;
                faulty.has_failed = true;
                match fault {
                    Fault::At(effect) if self.runs[run].writes() => {
                        faulty = faulty.step(run, *effect);
                    }
                    Fault::At(_) => continue,
                    Fault::Crash => {
                        faulty.path.push(format!("{run} crashes"));
                        faulty.dead[run] = true;
                        let is_undecided = faulty.world.iter().any(has_record_of(name(run)));
                        if is_undecided {
                            faulty.undecided.push(run);
                        }
                    }
                    Fault::Cancel => faulty.runs[run].cancel(),
                }
                next.push(faulty);
            }
        }
        if let Some(index) = self.rival {
            let mut other = self.clone();
            other.rival = None;
            other.world[index].put("rival", "rival", &["AWSCURRENT".to_owned()]);
            other.after(&self.world);
            next.push(other);
        }
        next
    }
}

pub(super) fn holds(run: &Process, world: &[Secret]) -> bool {
    let mut wants = run.wants().iter();
    wants.all(|(index, wanted)| world[*index].current() == Some(wanted))
}

pub(super) fn has_labels(world: &[Secret]) -> bool {
    let versions = world.iter().flat_map(|secret| &secret.versions);
    versions
        .flat_map(|version| &version.labels)
        .any(|label| is_transaction_label(label))
}

/// Whether a run's commit record is on the run's own version of a secret.
pub(super) fn has_record_of(name: &'static str) -> impl Fn(&Secret) -> bool {
    move |secret| {
        secret.versions.iter().any(|version| {
            is_of(&version.id, name)
                && version
                    .labels
                    .iter()
                    .any(|label| label.starts_with("upsert-secret-commit-"))
        })
    }
}

pub(super) const fn name(number: usize) -> &'static str {
    ["x", "y", "x"][number]
}

/// Whether a run wrote a version.
pub(super) fn is_of(id: &str, name: &str) -> bool {
    id.trim_start_matches('0').starts_with(name)
}
