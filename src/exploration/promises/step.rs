//! The promises that each write must keep.

use std::collections::{BTreeMap, BTreeSet};

use sandbox_model::{SecretView, VersionView};
use serde_json::Value;

use super::super::actor::Actor;
use super::super::scenario::{Monitor, Write};
use super::super::task::Want;
use super::Promises;

const MOVE: &str = "UpdateSecretVersionStage";

impl Promises<'_> {
    pub(super) fn check_write(
        &self,
        write: &Write<'_>,
        monitor: &mut Monitor,
    ) -> Result<(), String> {
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
