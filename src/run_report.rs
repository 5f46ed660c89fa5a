//! The results of a run, secret by secret, from one to thousands. Completes the report of a secret when the secret is done or
//! when the run is cut short, so that everything known is reported. Must not hold values or print.

use std::cell::{Cell, OnceCell, Ref, RefCell};
use std::collections::HashSet;

use upsert_secret_aws::PendingCall;
use upsert_secret_config::spelling::Spelling;
use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::WriteLabel;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::ChangeKind;

use crate::progress::Progress;
use crate::written::after_writes;

mod target;
mod withheld;

pub(crate) use target::{Details, Status, TargetReport};

/// The number of consecutive failures for reasons outside the secrets after which the run ends. Also the number of secrets
/// processed concurrently.
pub(crate) const HOPELESS: usize = 64;

/// The kind of run, as far as it affects the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunKind {
    /// One secret, presented with flat outputs and its own text.
    pub(crate) single: bool,
    /// Nothing is written.
    pub(crate) plan_only: bool,
    /// Either all new versions become current or none.
    pub(crate) all_or_nothing: bool,
}

/// The reports of all secrets, in list order.
pub(crate) struct RunReport {
    /// What kind of run this is.
    pub(crate) kind: RunKind,
    /// The status lines.
    pub(crate) progress: Progress,
    /// How the user's platform spells the names of inputs.
    pub(crate) spelling: Spelling,
    /// The region, once known.
    pub(crate) region: OnceCell<String>,
    targets: RefCell<Vec<TargetReport>>,
    notices: RefCell<Vec<(Level, String)>>,
    /// The notices as a set, for fast lookup among thousands.
    noted: RefCell<HashSet<(Level, String)>>,
    /// Private labels left behind by a run that was cut short, with the name or ARN of the secret.
    write_labels: RefCell<Vec<(String, WriteLabel)>>,
    failed: Cell<bool>,
    /// Whether anything was written to AWS, or may have been.
    has_written: Cell<bool>,
    /// Consecutive failures for reasons outside the secrets.
    outside_failures: Cell<usize>,
    /// A failure of the run as a whole.
    run_failure: RefCell<Option<Failure>>,
    /// What the run as a whole is waiting for, besides responses to calls.
    waiting: Cell<Option<&'static str>>,
    /// The calls without a response when the time limit was reached.
    pending: RefCell<Vec<PendingCall>>,
}

impl RunReport {
    /// A report on these secrets, with all of them not tried yet.
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
            spelling: Spelling::default(),
            region: OnceCell::new(),
            targets: RefCell::new(targets.collect()),
            notices: RefCell::default(),
            noted: RefCell::default(),
            write_labels: RefCell::default(),
            failed: Cell::new(false),
            has_written: Cell::new(false),
            outside_failures: Cell::new(0),
            run_failure: RefCell::default(),
            waiting: Cell::new(None),
            pending: RefCell::default(),
        }
    }

    /// Records a failure of the run as a whole.
    pub(crate) fn fail(&self, failure: Failure) {
        self.failed.set(true);
        self.run_failure.replace(Some(self.spell(failure)));
    }

    /// The failure of the run as a whole.
    pub(crate) fn run_failure(&self) -> Option<Failure> {
        self.run_failure.borrow().clone()
    }

    /// Records what the run as a whole is waiting for, a noun phrase.
    pub(crate) fn set_waiting(&self, what: Option<&'static str>) {
        self.waiting.set(what);
    }

    /// What the run as a whole is waiting for.
    pub(crate) fn waiting(&self) -> Option<&'static str> {
        self.waiting.get()
    }

    /// Records the calls without a response when the time limit is reached.
    pub(crate) fn set_pending(&self, calls: Vec<PendingCall>) {
        self.pending.replace(calls);
    }

    /// The calls without a response when the time limit was reached.
    pub(crate) fn pending(&self) -> Vec<PendingCall> {
        self.pending.borrow().clone()
    }

    /// Whether anything was written to AWS, or may have been: a write without a response counts.
    pub(crate) fn has_written(&self) -> bool {
        self.has_written.get()
    }

    /// The failure that ends the run. It is not bad input if anything was written to AWS, perhaps to another secret.
    pub(crate) fn conclude(&self, failure: Failure) -> Failure {
        let failure = self.spell(failure);
        if failure.class != Class::Input || !self.has_written.get() {
            return failure;
        }
        let mut written = Vec::new();
        for target in self.targets().iter() {
            let outcome = target.details.as_ref().map(|details| &details.outcome);
            for change in outcome.iter().flat_map(|outcome| &outcome.changes) {
                written.push(if self.kind.single {
                    change.to_string()
                } else {
                    format!("{}: {change}", target.name)
                });
            }
        }
        after_writes(failure, &written)
    }

    fn spell(&self, failure: Failure) -> Failure {
        failure.map_text(|text| self.spelling.spell(text))
    }

    /// Whether anything has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.get()
    }

    /// Whether so many secrets in a row failed that the run should end: AWS cannot be reached, or the credentials are no longer
    /// valid.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.outside_failures.get() >= HOPELESS
    }

    /// Adds a notice about the run, once.
    pub(crate) fn note(&self, level: Level, text: impl Into<String>) {
        let notice = (level, self.spelling.spell(&text.into()));
        if self.noted.borrow_mut().insert(notice.clone()) {
            self.notices.borrow_mut().push(notice);
        }
    }

    /// Adds a notice about one secret. The notice names the secret if there are others.
    pub(crate) fn note_target(&self, name: &str, level: Level, text: &str) {
        let names_it = text.split(' ').next() == Some(name);
        if self.kind.single || names_it {
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

    /// The number of secrets that a dry run would change.
    pub(crate) fn count_planned(&self) -> usize {
        let targets = self.targets();
        let details = targets.iter().filter_map(|target| target.details.as_ref());
        let previews = details.filter_map(|details| details.outcome.preview.as_ref());
        previews.filter(|preview| !preview.steps.is_empty()).count()
    }

    /// The private labels that still have to be removed, each with the name or ARN of its secret.
    pub(crate) fn take_write_labels(&self) -> Vec<(String, WriteLabel)> {
        self.write_labels.take()
    }

    fn write(&self, index: usize, attempt: Attempt, ended: Result<(), Failure>, cut: bool) {
        let target = &mut self.targets.borrow_mut()[index];
        let is_uncertain = attempt.may_have_changed();
        let has_written = attempt.has_written();
        if let Some(label) = attempt.write_label
            && label.on.is_some()
        {
            let left_behind = (target.name.clone(), label);
            self.write_labels.borrow_mut().push(left_behind);
        }
        let mut outcome = attempt.outcome;
        for step in outcome
            .preview
            .iter_mut()
            .flat_map(|preview| &mut preview.steps)
        {
            step.what = self.spelling.spell(&step.what);
            step.why = self.spelling.spell(&step.why);
        }
        for (level, text) in &outcome.notices {
            self.note_target(&target.name, *level, text);
        }
        target.arn = outcome.arn.as_deref().map(Into::into);
        let version = outcome.version.as_ref();
        target.version_id = version.map(|version| version.id.as_str().into());
        let failure = ended.err().map(|failure| {
            let failure = self.spell(failure);
            if !has_written {
                return failure;
            }
            let changes = outcome.changes.iter().map(ToString::to_string);
            after_writes(failure, &changes.collect::<Vec<_>>())
        });
        target.status = if failure.is_some() {
            self.failed.set(true);
            Status::Failed
        } else {
            Status::Done(outcome.kind())
        };
        if let (Some(_), Some((from, to)), false) = (&failure, attempt.moving, self.kind.single)
            && outcome.moved_from.is_none()
        {
            target.version_id = Some(to.as_str().into());
            outcome.moved_from = Some(from);
        }
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
                is_cut: cut && attempt.cut_short.is_none(),
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

/// The report of a secret in progress. It is always completed, either by [`ReportGuard::end`] or on drop.
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

    /// Completes the report with a result.
    pub(crate) fn end(mut self, ended: Result<(), Failure>) {
        self.ended = Some(ended);
    }

    /// Leaves the secret as not tried, with neither a result nor a failure of its own.
    pub(crate) fn leave(mut self) {
        // A created secret cannot be rolled back, because this tool never deletes secrets.
        if self.attempt.outcome.kind() == ChangeKind::Created {
            self.ended = Some(Ok(()));
            return;
        }
        self.record_writes();
        // Reports changes that were rolled back.
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

    fn record_writes(&self) {
        let has_written = &self.report.has_written;
        has_written.set(has_written.get() || self.attempt.has_written());
    }
}

impl Drop for ReportGuard<'_> {
    fn drop(&mut self) {
        self.record_writes();
        let attempt = &mut self.attempt;
        let is_untouched = attempt.outcome.changes.is_empty() && attempt.cut_short.is_none();
        if self.quiet && self.ended.is_none() && is_untouched {
            return;
        }
        let cut = self.ended.is_none();
        let ended = self.ended.take().unwrap_or_else(|| {
            let failure = attempt.cut_short.clone();
            Err(failure.unwrap_or_else(|| {
                let next = if attempt.has_written() {
                    "run again: a write that arrived is found and kept"
                } else {
                    "run again"
                };
                let what = "the run ended before this secret was done";
                let ended = Failure::new(Class::Unavailable, what, next);
                match &attempt.waiting {
                    Some(wait) => ended.because(format!("it was waiting for {}", wait.what)),
                    None => ended,
                }
            }))
        });
        self.report
            .write(self.index, std::mem::take(&mut self.attempt), ended, cut);
    }
}
