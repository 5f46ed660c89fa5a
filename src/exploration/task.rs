//! Defines what a run under exploration should do, and how it ended. A task is a list of jobs, each with a goal to reach.

use std::rc::Rc;
use std::time::Duration;

use sandbox_model::World;
use serde_json::json;
use upsert_secret_config::run::Action;
use upsert_secret_core::failure::Class;
use upsert_secret_core::request::Job;
use upsert_secret_core::store::SecretStore as _;
use upsert_secret_core::transaction::Limits;
use upsert_secret_core::version_id::RunIdentity;

use crate::batch::run_all;
use crate::engine::apply::swap::remove_write_label;
use crate::engine::context::Context;
use crate::engine::job::PreparedTarget;
use crate::engine::system::System;
use crate::progress::Progress;
use crate::run_report::{RunKind, RunReport};
use crate::testing::{Connection, ModelStore, job};
use crate::{report, transaction};

/// The time limit of every run, after which its private labels expire.
pub(super) const TIMEOUT: Duration = Duration::from_secs(300);

/// Low limits, to reduce the number of states.
const LIMITS: Limits = Limits {
    idle: 2,
    attempts: 2,
};

/// The state that a job must reach.
#[derive(Clone, Copy, Debug)]
pub(super) enum Want {
    /// The secret has this current value.
    Value(&'static str),
    /// The current document has this value for this key, written by compare-and-swap.
    Key(&'static str, &'static str),
    /// The secret has this current value, written only over this version.
    Over(&'static str, &'static str),
    /// The version with this label has this value.
    Staged(&'static str, &'static str),
    /// The version with the label `candidate` is current.
    Promoted,
    /// The previous version is current again.
    RolledBack,
    /// The first of these versions is current, instead of the second.
    Undone(&'static str, &'static str),
}

/// A job's secret and goal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal {
    pub(super) secret: &'static str,
    pub(super) want: Want,
}

impl Goal {
    /// Whether the goal only requires moving a label.
    pub(super) fn is_move(&self) -> bool {
        matches!(
            self.want,
            Want::Promoted | Want::RolledBack | Want::Undone(..)
        )
    }

    /// Whether the goal is reached.
    pub(super) fn holds(&self, world: &World) -> bool {
        let Some(secret) = world.secret(self.secret) else {
            return false;
        };
        let value = |label| secret.labeled(label).and_then(|it| it.string.as_deref());
        match self.want {
            Want::Value(wanted) | Want::Over(_, wanted) => value("AWSCURRENT") == Some(wanted),
            Want::Staged(label, wanted) => value(label) == Some(wanted),
            Want::Promoted => value("AWSCURRENT") == value("candidate"),
            Want::RolledBack => value("AWSCURRENT").is_some(),
            Want::Undone(to, _) => secret.current().is_some_and(|current| current.id == to),
            Want::Key(key, wanted) => value("AWSCURRENT").is_some_and(|text| {
                let document: Result<serde_json::Value, _> = serde_json::from_str(text);
                document.is_ok_and(|document| document[key].as_str() == Some(wanted))
            }),
        }
    }
}

/// A run: one job, several, or several as one transaction.
#[derive(Clone)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) goals: Vec<Goal>,
    jobs: Rc<Vec<PreparedTarget>>,
    kind: RunKind,
    /// Whether attempts of the same CI run recognize each other.
    pub(super) identity: Option<RunIdentity>,
}

/// A job's inputs and goal.
pub(super) type Entry<'a> = (Goal, Action, &'a [(&'a str, &'a str)]);

impl Task {
    /// A single-secret run.
    pub(super) fn single(name: &str, entry: Entry<'_>) -> Self {
        Self::of(
            name,
            &[entry],
            RunKind {
                single: true,
                ..RunKind::default()
            },
        )
    }

    /// A manifest run.
    pub(super) fn manifest(name: &str, all_or_nothing: bool, entries: &[Entry<'_>]) -> Self {
        Self::of(
            name,
            entries,
            RunKind {
                all_or_nothing,
                ..RunKind::default()
            },
        )
    }

    /// A manifest run that writes complete values.
    pub(super) fn values(
        name: &str,
        all_or_nothing: bool,
        values: &[(&'static str, &'static str)],
    ) -> Self {
        let pairs: Vec<_> = values
            .iter()
            .map(|&(secret, value)| (secret, value, [("NAME", secret), ("VALUE", value)]))
            .collect();
        let entries: Vec<Entry<'_>> = pairs
            .iter()
            .map(|(secret, value, inputs)| {
                (
                    Goal {
                        secret,
                        want: Want::Value(value),
                    },
                    Action::Upsert,
                    &inputs[..],
                )
            })
            .collect();
        Self::manifest(name, all_or_nothing, &entries)
    }

    fn of(name: &str, entries: &[Entry<'_>], kind: RunKind) -> Self {
        let jobs = entries.iter().map(|(goal, action, inputs)| {
            let mut inputs = inputs.to_vec();
            inputs.retain(|(input, _)| *input != "NAME");
            let release = match goal.want {
                Want::Undone(to, from) => {
                    let moved = json!({"secret_version_id": from, "previous_version_id": to});
                    Some(json!({goal.secret: moved}).to_string())
                }
                _ => None,
            };
            inputs.push(match &release {
                Some(release) => ("RELEASE", release),
                None => ("NAME", goal.secret),
            });
            let mut job = job(*action, &inputs);
            if let (Job::Move(label_move), false) = (&mut job, kind.single) {
                label_move.reads = *action == Action::Promote;
            }
            Ok(job)
        });
        Self {
            name: name.to_owned(),
            goals: entries.iter().map(|(goal, ..)| *goal).collect(),
            jobs: Rc::new(jobs.collect()),
            kind,
            identity: None,
        }
    }

    /// The same task in a CI run with this ID.
    pub(super) fn in_run(mut self, id: &str) -> Self {
        let parts = vec!["acme/models".to_owned(), id.to_owned()];
        self.identity = Some(RunIdentity { parts });
        self
    }

    /// Whether the task is one transaction.
    pub(super) fn all_or_nothing(&self) -> bool {
        self.kind.all_or_nothing
    }

    /// Whether all goals are reached.
    pub(super) fn holds(&self, world: &World) -> bool {
        self.goals.iter().all(|goal| goal.holds(world))
    }

    /// Which goals are reached, and whether all of them are.
    pub(super) fn reached(&self, world: &World) -> Vec<bool> {
        let mut reached: Vec<bool> = self.goals.iter().map(|goal| goal.holds(world)).collect();
        reached.push(reached.iter().all(|reached| *reached));
        reached
    }

    /// The goal for a secret.
    pub(super) fn goal(&self, secret: &str) -> Option<&Goal> {
        self.goals.iter().find(|goal| goal.secret == secret)
    }

    /// Runs the task.
    pub(super) async fn run<C: Connection>(
        self,
        store: ModelStore<C>,
        system: impl System,
    ) -> Ending {
        let names = self.goals.iter().map(|goal| goal.secret.to_owned());
        let report = RunReport::new(names, self.kind, Progress::silent());
        let context = Context {
            store: &store,
            system: &system,
            run: self.identity.as_ref(),
            timeout: TIMEOUT,
            progress: &report.progress,
        };
        if self.kind.all_or_nothing {
            transaction::run(&self.jobs, context, LIMITS, &report).await;
        } else {
            run_all(&self.jobs, context, false, &report).await;
        }
        for (name, label) in report.take_write_labels() {
            remove_write_label(&name, &label, &store).await;
        }
        let mut ending = Ending::of(&report);
        if store.is_cancelled() {
            ending.class = Some(Class::Terminated);
        }
        ending
    }
}

/// The result of a run, as seen by its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// The class of the failure; `None` for success.
    pub(super) class: Option<Class>,
    pub(super) targets: Vec<TargetEnding>,
    pub(super) text: String,
}

/// The result of a run for one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TargetEnding {
    pub(super) status: &'static str,
    pub(super) changes: Vec<String>,
}

impl TargetEnding {
    /// Whether the secret matches the request.
    pub(super) fn is_done(&self) -> bool {
        ["created", "updated", "unchanged"].contains(&self.status)
    }

    /// Whether a change is reported that was not rolled back.
    pub(super) fn has_lasting_change(&self) -> bool {
        self.changes
            .iter()
            .any(|change| !change.starts_with("Reverted"))
    }
}

impl Ending {
    fn of(report: &RunReport) -> Self {
        let failure = report::failure(report);
        let targets = report.targets();
        let targets = targets.iter().map(|target| {
            let details = target.details.as_deref();
            let changes = details
                .into_iter()
                .flat_map(|details| &details.outcome.changes);
            TargetEnding {
                status: target.status.word(),
                changes: changes.map(|change| format!("{change:?}")).collect(),
            }
        });
        Self {
            class: failure.as_ref().map(|failure| failure.class),
            targets: targets.collect(),
            text: failure
                .map(|failure| format!("{failure:?}"))
                .unwrap_or_default(),
        }
    }
}
