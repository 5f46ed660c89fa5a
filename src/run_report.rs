//! What a run found and did, secret by secret, one or thousands. A secret's report is written when it is done, and also when
//! the run is cut short while it is worked on, so that what is known is reported. Holds no value and prints nothing.

use std::cell::{Cell, OnceCell, Ref, RefCell};

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::WriteLabel;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{ChangeKind, Outcome};

use crate::progress::Progress;

/// So many failures in a row for reasons outside the secrets end the run: as many as are worked on at the same time.
pub(crate) const HOPELESS: usize = 64;

/// How a secret ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// It did not reach its goal.
    Failed,
    /// It is as requested, or in a plan would be.
    Done(ChangeKind),
    /// The run ended before it was worked on.
    #[default]
    NotTried,
}

impl Status {
    /// All of them, in the order of a summary.
    pub(crate) const ALL: [Self; 5] = [
        Self::Done(ChangeKind::Created),
        Self::Done(ChangeKind::Updated),
        Self::Done(ChangeKind::Unchanged),
        Self::Failed,
        Self::NotTried,
    ];

    /// The word in outputs and reports.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Done(kind) => kind.word(),
            Self::NotTried => "not_tried",
        }
    }
}

/// One secret.
#[derive(Debug, Default)]
pub(crate) struct TargetReport {
    /// The name or ARN as given.
    pub(crate) name: String,
    /// How it ended.
    pub(crate) status: Status,
    /// The ARN, once known.
    pub(crate) arn: Option<Box<str>>,
    /// The version that holds the value, once known.
    pub(crate) version_id: Option<Box<str>>,
    /// What most secrets of a large run do not have.
    pub(crate) details: Option<Box<Details>>,
}

impl TargetReport {
    /// Whether it was created or updated.
    pub(crate) fn has_changed(&self) -> bool {
        matches!(self.status, Status::Done(kind) if kind != ChangeKind::Unchanged)
    }

    /// Why it failed.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.details.as_ref()?.failure.as_ref()
    }
}

/// What there is to report of a secret that changed, failed, or is the only one.
#[derive(Debug, Default)]
pub(crate) struct Details {
    /// What was found and done.
    pub(crate) outcome: Outcome,
    /// Why it failed.
    pub(crate) failure: Option<Failure>,
    /// What the run was waiting for when it was cut short.
    pub(crate) waiting: Option<String>,
    /// Whether others kept writing when the run was cut short, and who held AWSCURRENT then.
    pub(crate) contended: Option<Option<String>>,
}

/// The kind of run, as far as its report differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunKind {
    /// One secret, presented with flat outputs and a text of its own.
    pub(crate) single: bool,
    /// Only what would be done was requested.
    pub(crate) plan_only: bool,
    /// All secrets were to become current, or none.
    pub(crate) all_or_nothing: bool,
}

/// The reports of all secrets, in the order of the list.
pub(crate) struct RunReport {
    /// What kind of run this is.
    pub(crate) kind: RunKind,
    /// How far the run is.
    pub(crate) progress: Progress,
    /// The region, once known.
    pub(crate) region: OnceCell<String>,
    targets: RefCell<Vec<TargetReport>>,
    notices: RefCell<Vec<(Level, String)>>,
    /// Private labels that a run which was cut short left behind, and the names of their secrets.
    write_labels: RefCell<Vec<(String, WriteLabel)>>,
    failed: Cell<bool>,
    /// Consecutive failures for reasons outside the secrets.
    outside_failures: Cell<usize>,
    /// A failure of the run as a whole.
    run_failure: RefCell<Option<Failure>>,
}

impl RunReport {
    /// A report on secrets of these names.
    pub(crate) fn new(
        names: impl IntoIterator<Item = String>,
        kind: RunKind,
        progress: Progress,
    ) -> Self {
        let targets = names.into_iter().map(|name| TargetReport {
            name,
            ..TargetReport::default()
        });
        Self {
            kind,
            progress,
            region: OnceCell::new(),
            targets: RefCell::new(targets.collect()),
            notices: RefCell::default(),
            write_labels: RefCell::default(),
            failed: Cell::new(false),
            outside_failures: Cell::new(0),
            run_failure: RefCell::default(),
        }
    }

    /// Records a failure of the run as a whole.
    pub(crate) fn fail(&self, failure: Failure) {
        self.failed.set(true);
        self.run_failure.replace(Some(failure));
    }

    /// The failure of the run as a whole.
    pub(crate) fn run_failure(&self) -> Option<Failure> {
        self.run_failure.borrow().clone()
    }

    /// Whether anything has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.get()
    }

    /// Whether nothing has worked for so long that going on makes no sense: AWS cannot be reached, or the credentials are
    /// no longer valid.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.outside_failures.get() >= HOPELESS
    }

    /// Adds a notice about the run, once.
    pub(crate) fn note(&self, level: Level, text: impl Into<String>) {
        let notice = (level, text.into());
        let mut notices = self.notices.borrow_mut();
        if !notices.contains(&notice) {
            notices.push(notice);
        }
    }

    /// Adds a notice about one secret, which names it where there are others.
    pub(crate) fn note_target(&self, name: &str, level: Level, text: &str) {
        if self.kind.single {
            self.note(level, text);
        } else {
            self.note(level, format!("{name}: {text}"));
        }
    }

    /// What people should know.
    pub(crate) fn notices(&self) -> Vec<(Level, String)> {
        self.notices.borrow().clone()
    }

    /// The reports of the secrets.
    pub(crate) fn targets(&self) -> Ref<'_, [TargetReport]> {
        Ref::map(self.targets.borrow(), Vec::as_slice)
    }

    /// How many secrets have this status.
    pub(crate) fn count(&self, status: Status) -> usize {
        let targets = self.targets();
        targets.iter().filter(|it| it.status == status).count()
    }

    /// Private labels that are still to be removed, and the secrets that have them, by name or ARN as given.
    pub(crate) fn take_write_labels(&self) -> Vec<(String, WriteLabel)> {
        self.write_labels.take()
    }

    fn write(&self, index: usize, attempt: Attempt, ended: Result<(), Failure>, cut: bool) {
        let target = &mut self.targets.borrow_mut()[index];
        if let Some(label) = attempt.write_label
            && label.on.is_some()
        {
            let left_behind = (target.name.clone(), label);
            self.write_labels.borrow_mut().push(left_behind);
        }
        let outcome = attempt.outcome;
        for (level, text) in &outcome.notices {
            self.note_target(&target.name, *level, text);
        }
        target.arn = outcome.arn.as_deref().map(Into::into);
        let version = outcome.version.as_ref();
        target.version_id = version.map(|version| version.id.as_str().into());
        let failure = ended.err();
        target.status = if failure.is_some() {
            self.failed.set(true);
            Status::Failed
        } else {
            Status::Done(outcome.kind())
        };
        let outside_failures = match failure.as_ref().map(|failure| failure.class) {
            Some(Class::Unavailable | Class::Credentials) => self.outside_failures.get() + 1,
            _ => 0,
        };
        self.outside_failures.set(outside_failures);
        let preview = outcome.preview.as_ref();
        let is_planned = preview.is_some_and(|preview| !preview.steps.is_empty());
        if self.kind.single || !outcome.changes.is_empty() || is_planned || failure.is_some() {
            target.details = Some(Box::new(Details {
                outcome,
                failure,
                waiting: attempt.waiting.filter(|_| cut),
                contended: (cut && attempt.contended).then_some(attempt.holder),
            }));
        }
        if !self.kind.all_or_nothing {
            self.progress.step();
        }
    }
}

/// A secret that is worked on. Its report is written in any case, by [`ReportGuard::end`] or when this is dropped.
pub(crate) struct ReportGuard<'a> {
    index: usize,
    report: &'a RunReport,
    /// What is found and done.
    pub(crate) attempt: Attempt,
    /// Whether a secret without changes stays "not tried" when this is dropped.
    pub(crate) quiet: bool,
    ended: Option<Result<(), Failure>>,
}

impl<'a> ReportGuard<'a> {
    pub(crate) fn new(index: usize, report: &'a RunReport) -> Self {
        Self {
            index,
            report,
            attempt: Attempt::default(),
            quiet: false,
            ended: None,
        }
    }

    /// Writes the report of a secret that is done.
    pub(crate) fn end(mut self, ended: Result<(), Failure>) {
        self.ended = Some(ended);
    }

    /// Leaves the secret as not tried: nothing came of it, and nothing was its fault.
    pub(crate) fn leave(mut self) {
        // A secret that was created stays, because this tool never deletes one.
        if self.attempt.outcome.kind() == ChangeKind::Created {
            self.ended = Some(Ok(()));
            return;
        }
        // What was changed and reverted is reported all the same.
        let outcome = std::mem::take(&mut self.attempt.outcome);
        if !outcome.changes.is_empty() {
            let target = &mut self.report.targets.borrow_mut()[self.index];
            target.arn = outcome.arn.as_deref().map(Into::into);
            target.details = Some(Box::new(Details {
                outcome,
                ..Details::default()
            }));
        }
        self.quiet = true;
    }
}

impl Drop for ReportGuard<'_> {
    fn drop(&mut self) {
        if self.quiet && self.ended.is_none() && self.attempt.outcome.changes.is_empty() {
            return;
        }
        let cut = self.ended.is_none();
        let ended = self.ended.take().unwrap_or_else(|| {
            Err(Failure::new(
                Class::Unavailable,
                "the run was cut short while it was worked on",
                "run again: a write that arrived is found and kept",
            ))
        });
        self.report
            .write(self.index, std::mem::take(&mut self.attempt), ended, cut);
    }
}
