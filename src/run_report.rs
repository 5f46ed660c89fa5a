//! The results of a run, secret by secret, one or thousands. The report of a secret is written when the secret is done, and also
//! when the run is cut short, so that everything known is reported. Holds no value and prints nothing.

use std::cell::{Cell, OnceCell, Ref, RefCell};

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::WriteLabel;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{ChangeKind, Outcome};

use crate::progress::Progress;

/// The number of consecutive failures for reasons outside the secrets that ends the run. As many secrets are processed at the
/// same time.
pub(crate) const HOPELESS: usize = 64;

/// The final status of a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// An error prevented the requested state.
    Failed,
    /// The secret is as requested, or in a plan would be.
    Done(ChangeKind),
    /// The run ended before the secret was processed.
    #[default]
    NotTried,
}

impl Status {
    /// Every status, in the order of a summary.
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

/// The report of one secret.
#[derive(Debug, Default)]
pub(crate) struct TargetReport {
    /// The name or ARN as given.
    pub(crate) name: String,
    /// The final status.
    pub(crate) status: Status,
    /// The ARN, once known.
    pub(crate) arn: Option<Box<str>>,
    /// The version that holds the value, once known.
    pub(crate) version_id: Option<Box<str>>,
    /// Absent for most secrets of a large run, to save memory.
    pub(crate) details: Option<Box<Details>>,
}

impl TargetReport {
    /// Whether the secret was changed, even if not everything was written.
    pub(crate) fn has_changed(&self) -> bool {
        match self.status {
            Status::Done(kind) => kind != ChangeKind::Unchanged,
            Status::Failed => {
                let details = self.details.as_ref();
                details.is_some_and(|details| details.outcome.has_lasting_change())
            }
            Status::NotTried => false,
        }
    }

    /// Whether a write without an answer may have changed the secret.
    pub(crate) fn may_have_changed(&self) -> bool {
        self.details
            .as_ref()
            .is_some_and(|details| details.is_uncertain)
    }

    /// The failure, if there is one.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.details.as_ref()?.failure.as_ref()
    }
}

/// Details about a secret that changed or failed, or that is the only one.
#[derive(Debug, Default)]
pub(crate) struct Details {
    /// The ids, changes and notices.
    pub(crate) outcome: Outcome,
    /// The failure, if there is one.
    pub(crate) failure: Option<Failure>,
    /// Whether a write may have been applied that the outcome does not name.
    pub(crate) is_uncertain: bool,
    /// The reason for waiting when the run was cut short.
    pub(crate) waiting: Option<String>,
    /// The holder of AWSCURRENT, if the run was cut short while it competed with concurrent writers.
    pub(crate) contended: Option<Option<String>>,
}

/// The kind of run, as far as it affects the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunKind {
    /// One secret, presented with flat outputs and a text of its own.
    pub(crate) single: bool,
    /// Nothing is written.
    pub(crate) plan_only: bool,
    /// Either all new versions become current or none.
    pub(crate) all_or_nothing: bool,
}

/// The reports of all secrets, in the order of the list.
pub(crate) struct RunReport {
    /// What kind of run this is.
    pub(crate) kind: RunKind,
    /// The status lines.
    pub(crate) progress: Progress,
    /// The region, once known.
    pub(crate) region: OnceCell<String>,
    targets: RefCell<Vec<TargetReport>>,
    notices: RefCell<Vec<(Level, String)>>,
    /// Private labels left behind by a run that was cut short, by the name or ARN of the secret.
    write_labels: RefCell<Vec<(String, WriteLabel)>>,
    failed: Cell<bool>,
    /// Consecutive failures for reasons outside the secrets.
    outside_failures: Cell<usize>,
    /// A failure of the run as a whole.
    run_failure: RefCell<Option<Failure>>,
}

impl RunReport {
    /// A report on these secrets, all of them not tried yet.
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

    /// Whether so many secrets in a row failed that the run should end: AWS cannot be reached, or the credentials are no
    /// longer valid.
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

    /// The notices about the run and its secrets.
    pub(crate) fn notices(&self) -> Vec<(Level, String)> {
        self.notices.borrow().clone()
    }

    /// The reports of the secrets.
    pub(crate) fn targets(&self) -> Ref<'_, [TargetReport]> {
        Ref::map(self.targets.borrow(), Vec::as_slice)
    }

    /// The number of secrets with this status.
    pub(crate) fn count(&self, status: Status) -> usize {
        let targets = self.targets();
        targets.iter().filter(|it| it.status == status).count()
    }

    /// The private labels that remain to be removed, each with the name or ARN of its secret.
    pub(crate) fn take_write_labels(&self) -> Vec<(String, WriteLabel)> {
        self.write_labels.take()
    }

    fn write(&self, index: usize, attempt: Attempt, ended: Result<(), Failure>, cut: bool) {
        let target = &mut self.targets.borrow_mut()[index];
        let is_uncertain = attempt.may_have_changed();
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
                is_uncertain: failure.is_some() && is_uncertain,
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

/// The report of a secret in progress. It is written in any case, by [`ReportGuard::end`] or on drop.
pub(crate) struct ReportGuard<'a> {
    index: usize,
    report: &'a RunReport,
    /// The state of the attempt so far.
    pub(crate) attempt: Attempt,
    /// Whether a secret without changes stays "not tried" on drop.
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

    /// Ends the report with a result.
    pub(crate) fn end(mut self, ended: Result<(), Failure>) {
        self.ended = Some(ended);
    }

    /// Leaves the secret as not tried: it has neither a result nor a failure of its own.
    pub(crate) fn leave(mut self) {
        // A created secret cannot be reverted, because this tool never deletes one.
        if self.attempt.outcome.kind() == ChangeKind::Created {
            self.ended = Some(Ok(()));
            return;
        }
        // Changes that were reverted are reported.
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
        let attempt = &mut self.attempt;
        let is_untouched = attempt.outcome.changes.is_empty() && attempt.cut_short.is_none();
        if self.quiet && self.ended.is_none() && is_untouched {
            return;
        }
        let cut = self.ended.is_none();
        let ended = self.ended.take().unwrap_or_else(|| {
            let failure = attempt.cut_short.clone();
            Err(failure.unwrap_or_else(|| {
                Failure::new(
                    Class::Unavailable,
                    "the run was cut short while it was worked on",
                    "run again: a write that arrived is found and kept",
                )
            }))
        });
        self.report
            .write(self.index, std::mem::take(&mut self.attempt), ended, cut);
    }
}
