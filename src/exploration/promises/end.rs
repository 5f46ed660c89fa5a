//! The promises that must hold at the end of a path: the reports match what was written, and no confirmed write is lost.

use std::collections::BTreeSet;

use sandbox_model::{SecretView, World};
use upsert_secret_core::failure::Class;

use super::super::actor::Actor;
use super::super::scenario::Monitor;
use super::super::task::{Ending, Goal, Task, Want};
use super::Promises;

impl Promises<'_> {
    /// Checks that the statuses match what was written.
    pub(super) fn check_status(
        &self,
        number: usize,
        task: &Task,
        ending: &Ending,
        monitor: &Monitor,
    ) -> Result<(), String> {
        for (goal, target) in task.goals.iter().zip(&ending.targets) {
            let mut changed = monitor.changed[number].keys();
            let has_changed = changed.any(|(secret, _)| secret == goal.secret);
            let agrees = match target.status {
                // Without a response, a move that had nothing to do looks like one that was applied.
                "created" | "updated" => has_changed || monitor.fault && goal.is_move(),
                "unchanged" | "not_tried" => !has_changed,
                _ => has_changed == target.has_lasting_change() || monitor.is_uncertain,
            };
            if !agrees {
                return Err(format!(
                    "{}: {} is reported as {:?}, changed: {has_changed}",
                    task.name, goal.secret, target
                ));
            }
        }
        Ok(())
    }

    /// Checks that a failed transaction has made nothing current except first versions.
    pub(super) fn check_failure(
        &self,
        number: usize,
        task: &Task,
        ending: &Ending,
        world: &World,
        monitor: &Monitor,
    ) -> Result<(), String> {
        if !task.all_or_nothing() || ending.class.is_none() {
            return Ok(());
        }
        if matches!(ending.class, Some(Class::Terminated | Class::Interrupted)) {
            return Ok(());
        }
        for (goal, target) in task.goals.iter().zip(&ending.targets) {
            let secret = world.secret(goal.secret);
            let current = secret.as_ref().and_then(SecretView::current);
            let had_value = self
                .start
                .secret(goal.secret)
                .is_some_and(|it| it.current().is_some());
            let key = (goal.secret.to_owned(), "AWSCURRENT".to_owned());
            let is_left = if goal.is_move() {
                monitor.changed[number].contains_key(&key)
            } else {
                current.is_some_and(|it| monitor.origins.get(&it.id) == Some(&number))
            };
            // AWS rejects moving the label back, and the run reports it.
            let is_stuck = monitor.fault || secret.is_some_and(|secret| secret.deleted);
            let is_reported = target.status == "failed" && !target.changes.is_empty();
            if had_value && is_left && !(is_stuck && is_reported) {
                return Err(format!(
                    "{} failed, but its version of {} is current",
                    task.name, goal.secret
                ));
            }
        }
        Ok(())
    }

    /// Checks that the final current value is the original one, or one written by a successful run or another writer.
    pub(super) fn check_values(
        &self,
        world: &World,
        endings: &[Option<Ending>],
    ) -> Result<(), String> {
        let names: BTreeSet<&str> = self
            .tasks()
            .flat_map(|(_, task)| task.goals.iter().map(|goal| goal.secret))
            .collect();
        let has_rival = self
            .actors
            .iter()
            .any(|actor| matches!(actor, Actor::Rival(..)));
        for name in names {
            let succeeded: Vec<&Goal> = self
                .tasks()
                .filter_map(|(number, task)| {
                    let goal = task.goals.iter().position(|goal| goal.secret == name)?;
                    let ending = endings[number].as_ref()?;
                    let is_done = ending.class.is_none()
                        || !task.all_or_nothing() && ending.targets[goal].is_done();
                    is_done.then_some(&task.goals[goal])
                })
                .collect();
            let keys = succeeded
                .iter()
                .filter(|goal| matches!(goal.want, Want::Key(..)));
            let whole = succeeded
                .iter()
                .any(|goal| !matches!(goal.want, Want::Key(..) | Want::Staged(..)));
            if !has_rival
                && !whole
                && let Some(lost) = keys.into_iter().find(|goal| !goal.holds(world))
            {
                return Err(format!("{lost:?} was lost"));
            }
            if !has_rival
                && !succeeded.is_empty()
                && !succeeded.iter().any(|goal| goal.holds(world))
            {
                return Err(format!("{name} holds the value of no run that succeeded"));
            }
        }
        Ok(())
    }
}
