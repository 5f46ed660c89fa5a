//! The promises to runs that follow: a re-run converges, and a third run writes nothing.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use sandbox_model::World;

use super::super::description::hash_world;
use super::super::scenario::Monitor;
use super::super::task::{Ending, Goal, Task, Want};
use super::{Promises, Rerun, check_no_private_labels};
use crate::testing::{FakeSystem, MemoryStore, block_on};

impl Promises<'_> {
    /// Checks that a re-run converges and that a third run writes nothing.
    pub(super) fn check_reruns(
        &self,
        world: &World,
        endings: &[Option<Ending>],
        monitor: &Monitor,
    ) -> Result<(), String> {
        for (number, task) in self.tasks() {
            // If a guard or a move has lost its base, the user has to repeat it.
            let has_staged = |goal: &Goal| {
                let secret = world.secret(goal.secret);
                secret.is_some_and(|secret| secret.labeled("candidate").is_some())
            };
            let is_alone = self.actors.len() == 1;
            let repeatable = task.goals.iter().all(|goal| match goal.want {
                Want::Value(_) | Want::Key(..) | Want::Staged(..) => true,
                Want::Promoted | Want::Undone(..) => is_alone && has_staged(goal),
                Want::RolledBack | Want::Over(..) => false,
            });
            let crashed = monitor.crashed.iter().filter(|crashed| **crashed).count();
            if !repeatable || crashed > 0 && endings[number].is_some() {
                continue;
            }
            if world
                .names()
                .iter()
                .any(|name| world.secret(name).is_some_and(|it| it.deleted))
            {
                continue;
            }
            let mut hasher = DefaultHasher::new();
            hash_world(world, &mut hasher);
            number.hash(&mut hasher);
            if !self.checked.borrow_mut().insert(hasher.finish()) {
                continue;
            }
            let mut world = world.clone();
            let task = match self.rerun {
                Rerun::SameRun => task.clone(),
                Rerun::Later => {
                    world.advance(Duration::from_hours(12));
                    task.clone().in_run("another")
                }
            };
            let store = MemoryStore::new(world);
            let run = || {
                let writes = store.calls().len();
                let system = FakeSystem::new(&store);
                let ending = block_on(task.clone().run(store.clone(), system));
                let calls = store.calls().split_off(writes);
                (ending, calls)
            };
            let (second, _) = run();
            if second.class.is_some() || !task.holds(&store.world()) {
                return Err(format!(
                    "a re-run of {} does not converge: {second:?}",
                    task.name
                ));
            }
            // Labels of two dead runs: this task's run removes its own labels, and others' on the secrets it writes.
            if crashed < 2 {
                check_no_private_labels_of(&store.world(), &task)?;
            }
            let (third, calls) = run();
            if third.class.is_some()
                || calls.iter().any(|call| {
                    !call.starts_with("Get")
                        && !call.starts_with("Describe")
                        && !call.starts_with("Batch")
                })
            {
                return Err(format!(
                    "a third run of {} writes: {calls:?} {third:?}",
                    task.name
                ));
            }
        }
        Ok(())
    }
}

/// Checks that a transaction leaves none of its labels on its secrets.
fn check_no_private_labels_of(world: &World, task: &Task) -> Result<(), String> {
    if task.all_or_nothing() {
        check_no_private_labels(world)
    } else {
        Ok(())
    }
}
