//! The promises as invariants of each write and of the end of a path. Uses the tasks and the model, but must not depend on how
//! the program reaches its goals.

use std::cell::RefCell;
use std::collections::HashSet;

use sandbox_model::World;

use super::actor::Actor;
use super::scenario::{Invariants, Monitor, Scenario, Write};
use super::task::{Ending, Task};

mod end;
mod rerun;
mod step;

/// The kind of run that follows the last one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rerun {
    /// Another attempt of the same CI run, immediately.
    SameRun,
    /// A later run, after all private labels have expired.
    Later,
}

/// The promises made to the runs of a scenario.
pub(super) struct Promises<'a> {
    actors: &'a [Actor],
    start: &'a World,
    rerun: Rerun,
    /// End states from which re-runs were checked.
    checked: RefCell<HashSet<u64>>,
}

impl Invariants for Promises<'_> {
    fn after_write(&self, write: &Write<'_>, monitor: &mut Monitor) -> Result<(), String> {
        self.check_write(write, monitor)
    }

    fn at_end(
        &self,
        world: &World,
        endings: &[Option<Ending>],
        monitor: &Monitor,
    ) -> Result<(), String> {
        for (number, task) in self.tasks() {
            let Some(ending) = &endings[number] else {
                if monitor.crashed[number] {
                    continue;
                }
                return Err(format!("{} did not end", task.name));
            };
            let reached = &monitor.reached[number];
            let (each, at_once) = reached.split_at(reached.len() - 1);
            // Writers outside of transactions have no isolation.
            let isolated = task.all_or_nothing() && self.only_transactions();
            let reached = if isolated { at_once } else { each };
            if ending.class.is_none() && reached.contains(&false) {
                return Err(format!(
                    "{} succeeded, but never reached its goal",
                    task.name
                ));
            }
            self.check_status(number, task, ending, monitor)?;
            self.check_failure(number, task, ending, world, monitor)?;
        }
        let crashed = monitor.crashed.contains(&true);
        // AWS does not remove labels from a secret that is scheduled for deletion.
        let has_deleted = world.all_secrets().any(|(_, _, secret)| secret.deleted);
        if !crashed && !monitor.fault && !has_deleted {
            check_no_private_labels(world)?;
        }
        if !crashed {
            self.check_values(world, endings)?;
        }
        self.check_reruns(world, endings, monitor)
    }
}

impl<'a> Promises<'a> {
    pub(super) fn of(scenario: &'a Scenario, rerun: Rerun) -> Self {
        Self {
            actors: &scenario.actors,
            start: &scenario.world,
            rerun,
            checked: RefCell::default(),
        }
    }

    fn tasks(&self) -> impl Iterator<Item = (usize, &Task)> {
        self.actors
            .iter()
            .enumerate()
            .filter_map(|(number, actor)| match actor {
                Actor::Run(task, _) => Some((number, task)),
                Actor::Rival(..) => None,
            })
    }

    fn only_transactions(&self) -> bool {
        self.tasks().count() == self.actors.len()
            && self.tasks().all(|(_, task)| task.all_or_nothing())
    }

    fn is_transaction(&self, actor: usize) -> bool {
        matches!(&self.actors[actor], Actor::Run(task, _) if task.all_or_nothing())
    }
}

fn check_no_private_labels(world: &World) -> Result<(), String> {
    for (_, _, secret) in world.all_secrets() {
        let mut labels = secret.versions.iter().flat_map(|version| &version.stages);
        if let Some(label) = labels.find(|label| label.starts_with("upsert-secret-")) {
            return Err(format!("{} still has the label {label}", secret.name));
        }
    }
    Ok(())
}
