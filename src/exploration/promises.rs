//! The promises as invariants of each write and of the end of a path. Uses the tasks and the model, but must not depend on how
//! the program reaches its goals.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use sandbox_model::{SecretView, VersionView, World};
use serde_json::Value;
use upsert_secret_core::failure::Class;

use super::actor::Actor;
use super::explorer::hash_world;
use super::scenario::{Invariants, Monitor, Scenario, Write};
use super::task::{Ending, Goal, Task, Want};
use crate::testing::{FakeSystem, MemoryStore, block_on};

const MOVE: &str = "UpdateSecretVersionStage";

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
        let Actor::Run(task, _) = &self.actors[write.actor] else {
            return Ok(());
        };
        let (before, after) = (
            write.before.secret(write.secret),
            write.after.secret(write.secret),
        );
        for version in after.iter().flat_map(|after| &after.versions) {
            let is_known = before
                .as_ref()
                .is_some_and(|it| it.version(&version.id).is_some());
            if !is_known {
                monitor.origins.insert(version.id.clone(), write.actor);
            }
        }
        let is_back = self.goes_back(write, after.as_ref(), monitor);
        self.track_changes(write, before.as_ref(), after.as_ref(), monitor);
        // A rollback also removes the record, without reaching the goals.
        let has_lost_record = has_record(before.as_ref()) && !has_record(after.as_ref());
        monitor.committed[write.actor] |= has_lost_record && task.holds(write.after);
        let Some(goal) = task.goal(write.secret) else {
            return Err(format!("{} is no secret of this run", write.secret));
        };
        let (Some(before), Some(after)) = (&before, &after) else {
            return Ok(());
        };
        let (Some(old), Some(new)) = (before.current(), after.current()) else {
            return Ok(());
        };
        if old.id == new.id {
            return Ok(());
        }
        let origin = |version: &VersionView| monitor.origins.get(&version.id).copied();
        let own = Some(write.actor);
        if monitor.committed[write.actor] && origin(old) == own {
            return Err(format!(
                "version {} was rolled back after the commit",
                old.id
            ));
        }
        if task.all_or_nothing() && write.operation == "PutSecretValue" {
            return Err(format!(
                "a transaction overwrote version {} without a guard",
                old.id
            ));
        }
        // Returns to the version before one written by this run, or by a transaction that it recovers.
        if monitor.committed[write.actor] && goal.is_move() {
            return Err(format!("{} moved after the commit", write.secret));
        }
        if task.all_or_nothing() && is_back {
            return Ok(());
        }
        let reverts = task.all_or_nothing()
            && origin(old).is_some_and(|by| Some(by) == own || self.is_transaction(by))
            && index(after, &new.id) < index(after, &old.id);
        if reverts {
            return Ok(());
        }
        match goal.want {
            Want::Key(key, wanted) => {
                let wanted = with_key(old, key, wanted);
                let stored = new
                    .string
                    .as_deref()
                    .and_then(|text| serde_json::from_str(text).ok());
                if stored != wanted {
                    return Err(format!(
                        "version {} is not version {} with the key set",
                        new.id, old.id
                    ));
                }
            }
            Want::RolledBack
                if before
                    .labeled("AWSPREVIOUS")
                    .is_none_or(|previous| previous.id != new.id) =>
            {
                return Err(format!("version {} was not the previous one", new.id));
            }
            // Another writer may have moved the label since this run read it.
            Want::Promoted if !self.was_staged(write.secret, &new.id) => {
                return Err(format!("version {} was not staged", new.id));
            }
            Want::Undone(to, from) if (new.id.as_str(), old.id.as_str()) != (to, from) => {
                return Err(format!("version {} replaced version {}", new.id, old.id));
            }
            Want::Over(expected, _) if old.id != expected => {
                return Err(format!(
                    "version {} was replaced instead of {expected}",
                    old.id
                ));
            }
            Want::Value(_) if !task.all_or_nothing() && write.operation == MOVE => {
                let later = origin(old).is_none_or(|by| Some(by) != own)
                    && origin(new) == own
                    && index(after, &old.id) > index(after, &new.id);
                if later {
                    return Err(format!("a later write, version {}, was reverted", old.id));
                }
            }
            _ => {}
        }
        Ok(())
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

    fn was_staged(&self, secret: &str, version: &str) -> bool {
        let secret = self.start.secret(secret);
        secret.is_some_and(|secret| {
            secret
                .labeled("candidate")
                .is_some_and(|staged| staged.id == version)
        })
    }

    /// Whether a write moves AWSCURRENT back to its holder before a transaction moved it.
    fn goes_back(&self, write: &Write<'_>, after: Option<&SecretView>, monitor: &Monitor) -> bool {
        let holder = after.and_then(SecretView::current).map(|it| &it.id);
        let key = (write.secret.to_owned(), "AWSCURRENT".to_owned());
        let mut changes = monitor.changed.iter().enumerate();
        changes.any(|(actor, changed)| {
            let before = changed.get(&key).and_then(Option::as_ref);
            self.is_transaction(actor) && before.is_some() && before == holder
        })
    }

    /// Records changes that are visible to users. A label that is back at its previous holder counts as unchanged if the
    /// process itself moved it back or a transaction recovered it.
    fn track_changes(
        &self,
        write: &Write<'_>,
        before: Option<&SecretView>,
        after: Option<&SecretView>,
        monitor: &mut Monitor,
    ) {
        let (before, after) = (visible(before), visible(after));
        let recovers = match &self.actors[write.actor] {
            Actor::Run(task, _) => task.all_or_nothing() && write.operation == MOVE,
            Actor::Rival(..) => false,
        };
        for aspect in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            let (old, new) = (before.get(aspect), after.get(aspect));
            if old == new {
                continue;
            }
            let key = (write.secret.to_owned(), aspect.clone());
            let mut is_back = false;
            for (actor, changed) in monitor.changed.iter_mut().enumerate() {
                let first = changed
                    .get(&key)
                    .filter(|_| actor == write.actor || recovers);
                if first.is_some_and(|first| first.as_ref() == new) {
                    changed.remove(&key);
                    is_back = true;
                }
            }
            if !is_back {
                let changed = &mut monitor.changed[write.actor];
                changed.entry(key).or_insert(old.cloned());
            }
        }
    }

    /// Checks that the statuses match what was written.
    fn check_status(
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
    fn check_failure(
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
    fn check_values(&self, world: &World, endings: &[Option<Ending>]) -> Result<(), String> {
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

    /// Checks that a re-run converges and that a third run writes nothing.
    fn check_reruns(
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

fn has_record(secret: Option<&SecretView>) -> bool {
    let versions = secret.into_iter().flat_map(|secret| &secret.versions);
    let mut labels = versions.flat_map(|version| &version.stages);
    labels.any(|label| label.starts_with("upsert-secret-commit-"))
}

/// The holder of each public label and, under `rest`, everything else that users see.
fn visible(secret: Option<&SecretView>) -> BTreeMap<String, String> {
    let Some(secret) = secret else {
        return BTreeMap::new();
    };
    let labels = secret.versions.iter().flat_map(|version| {
        let labels = version
            .stages
            .iter()
            .map(|label| (label.clone(), version.id.clone()));
        labels.filter(|(label, _)| !label.starts_with("upsert-secret-") && label != "AWSPREVIOUS")
    });
    let rest = format!(
        "{:?} {:?} {}",
        secret.description, secret.tags, secret.deleted
    );
    labels.chain([("rest".to_owned(), rest)]).collect()
}

fn index(secret: &SecretView, id: &str) -> Option<usize> {
    secret.versions.iter().position(|version| version.id == id)
}

fn with_key(version: &VersionView, key: &str, value: &str) -> Option<Value> {
    let mut document: Value = serde_json::from_str(version.string.as_deref()?).ok()?;
    document[key] = Value::from(value);
    Some(document)
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

/// Checks that a transaction leaves none of its labels on its secrets.
fn check_no_private_labels_of(world: &World, task: &Task) -> Result<(), String> {
    if task.all_or_nothing() {
        check_no_private_labels(world)
    } else {
        Ok(())
    }
}
