//! What came of each of many secrets. A row is written when a secret is done with, and also when the run is cut short
//! while it is worked on, so that what is known is told. Holds no value and prints nothing.

use std::cell::{Cell, RefCell};

use super::Meter;
use crate::failure::{Class, Failure};
use crate::lease::Lease;
use crate::outcome::{Change, Outcome, Result as Word};
use crate::plan::Planned;
use crate::redact::Level;

/// As many as are worked on at the same time.
const HOPELESS: usize = super::AT_ONCE;

/// How a secret ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It did not come to it.
    Failed,
    /// It did not exist.
    Created,
    /// Something was written.
    Updated,
    /// All was as asked.
    Unchanged,
    /// The run ended before it was looked at.
    NotTried,
}

impl Fate {
    /// As in outputs and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::NotTried => "not_tried",
        }
    }
}

/// One secret.
#[derive(Debug)]
pub struct Row {
    /// As it was asked for: name or ARN.
    pub name: String,
    /// How it ended.
    pub fate: Fate,
    /// Once known.
    pub arn: Option<Box<str>>,
    /// The version that holds the value, once known.
    pub version_id: Option<Box<str>>,
    /// What most secrets have nothing of.
    pub more: Option<Box<More>>,
}

/// What there is to tell of a secret that is not as it was, or not as it should be.
#[derive(Debug, Default)]
pub struct More {
    /// AWSCURRENT's holder before, if this run moved it.
    pub previous: Option<String>,
    /// It was scheduled for deletion, and taken back.
    pub restored: bool,
    /// What was changed.
    pub changes: Vec<Change>,
    /// What would be done.
    pub planned: Vec<Planned>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// How many ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Secrets in all.
    pub all: usize,
    /// See [`Fate::Created`].
    pub created: usize,
    /// See [`Fate::Updated`].
    pub updated: usize,
    /// See [`Fate::Unchanged`].
    pub unchanged: usize,
    /// See [`Fate::Failed`].
    pub failed: usize,
    /// See [`Fate::NotTried`].
    pub not_tried: usize,
}

/// The rows, in the order of the list.
pub struct Board {
    /// How far it is.
    pub meter: Meter,
    /// Once known.
    pub region: RefCell<Option<String>>,
    /// Only what would be done was asked for.
    pub preview: bool,
    /// All were to become current, or none.
    pub together: bool,
    rows: RefCell<Vec<Row>>,
    notices: RefCell<Vec<(Level, String)>>,
    /// Private labels that a run which was cut short left behind: the secret's place in the list, and the label.
    leases: RefCell<Vec<(usize, Lease)>>,
    failed: Cell<bool>,
    /// Secrets that failed one after the other for what is no fault of theirs.
    hopeless: Cell<usize>,
    /// What went wrong with none of them in particular.
    whole: RefCell<Option<Failure>>,
}

impl Board {
    /// A board for secrets of these names.
    #[must_use]
    pub fn new(
        names: impl IntoIterator<Item = String>,
        meter: Meter,
        preview: bool,
        together: bool,
    ) -> Self {
        let rows = names.into_iter().map(|name| Row {
            name,
            fate: Fate::NotTried,
            arn: None,
            version_id: None,
            more: None,
        });
        Self {
            meter,
            region: RefCell::default(),
            preview,
            together,
            rows: RefCell::new(rows.collect()),
            notices: RefCell::default(),
            leases: RefCell::default(),
            failed: Cell::new(false),
            hopeless: Cell::new(0),
            whole: RefCell::default(),
        }
    }

    /// Something went wrong with none of them in particular.
    pub(super) fn fail(&self, failure: Failure) {
        self.failed.set(true);
        self.whole.replace(Some(failure));
    }

    /// What went wrong with none of them in particular.
    #[must_use]
    pub fn whole(&self) -> Option<Failure> {
        self.whole.borrow().clone()
    }

    /// Whether some secret has failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.get()
    }

    /// Whether nothing has worked for so long that there is no sense in going on: AWS cannot be reached, or the
    /// credentials are no good any more.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.hopeless.get() >= HOPELESS
    }

    /// Tells people something about the whole run, once.
    pub fn note(&self, level: Level, text: impl Into<String>) {
        let notice = (level, text.into());
        let mut notices = self.notices.borrow_mut();
        if !notices.contains(&notice) {
            notices.push(notice);
        }
    }

    /// What people should know.
    #[must_use]
    pub fn notices(&self) -> Vec<(Level, String)> {
        self.notices.borrow().clone()
    }

    /// Looks at the rows.
    pub fn read<R>(&self, look: impl FnOnce(&[Row]) -> R) -> R {
        look(&self.rows.borrow())
    }

    /// Private labels that are still to be taken off.
    #[must_use]
    pub fn take_leases(&self) -> Vec<(usize, Lease)> {
        self.leases.take()
    }

    /// How many ended how.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let rows = self.rows.borrow();
        let mut totals = Totals {
            all: rows.len(),
            ..Totals::default()
        };
        for row in rows.iter() {
            *match row.fate {
                Fate::Created => &mut totals.created,
                Fate::Updated => &mut totals.updated,
                Fate::Unchanged => &mut totals.unchanged,
                Fate::Failed => &mut totals.failed,
                Fate::NotTried => &mut totals.not_tried,
            } += 1;
        }
        totals
    }

    /// The class of the gravest failure. What needs a person soonest is gravest: a bug, credentials, rights, the
    /// secret's state, a conflict, a quota, the network, the input.
    #[must_use]
    pub fn gravest(&self) -> Option<Class> {
        const ORDER: [Class; 8] = [
            Class::Bug,
            Class::Credentials,
            Class::Denied,
            Class::Refused,
            Class::Conflict,
            Class::Limit,
            Class::Unavailable,
            Class::Input,
        ];
        let rows = self.rows.borrow();
        let classes = rows
            .iter()
            .filter_map(|row| Some(row.more.as_ref()?.failure.as_ref()?.class));
        classes.min_by_key(|class| ORDER.iter().position(|other| other == class))
    }

    /// Writes a row.
    pub(super) fn post(&self, index: usize, outcome: Outcome, ended: Result<(), Failure>) {
        if let Some(lease) = outcome.lease.as_ref().filter(|lease| lease.on.is_some()) {
            self.leases.borrow_mut().push((index, lease.clone()));
        }
        let word = outcome.result();
        let mut rows = self.rows.borrow_mut();
        let Some(row) = rows.get_mut(index) else {
            return;
        };
        for (level, text) in &outcome.notices {
            self.note(*level, format!("{}: {text}", row.name));
        }
        row.fate = match (&ended, word) {
            (Err(_), _) => Fate::Failed,
            (Ok(()), Word::Created) => Fate::Created,
            (Ok(()), Word::Updated) => Fate::Updated,
            (Ok(()), Word::Unchanged) => Fate::Unchanged,
        };
        let more = More {
            previous: outcome.previous().map(str::to_owned),
            restored: outcome.restored(),
            failure: ended.err(),
            planned: outcome
                .preview
                .map(|preview| preview.steps)
                .unwrap_or_default(),
            changes: outcome.changes,
        };
        row.arn = outcome.arn.map(String::into_boxed_str);
        row.version_id = outcome.version.map(|version| version.id.into_boxed_str());
        let hopeless = more.failure.as_ref().is_some_and(|failure| {
            matches!(failure.class, Class::Unavailable | Class::Credentials)
        });
        self.hopeless
            .set(if hopeless { self.hopeless.get() + 1 } else { 0 });
        self.failed.set(self.failed.get() || more.failure.is_some());
        let tells = !more.changes.is_empty() || !more.planned.is_empty() || more.failure.is_some();
        row.more = tells.then(|| Box::new(more));
        if !self.together {
            self.meter.step();
        }
    }

    /// Writes down what was changed and taken back of a secret that ends as one that was not tried.
    fn mention(&self, index: usize, outcome: Outcome) {
        let mut rows = self.rows.borrow_mut();
        if let Some(row) = rows.get_mut(index).filter(|_| !outcome.changes.is_empty()) {
            row.arn = outcome.arn.map(String::into_boxed_str);
            row.more = Some(Box::new(More {
                changes: outcome.changes,
                ..More::default()
            }));
        }
    }
}

/// A secret that is worked on. Its row is written in any case, by [`Post::end`] or when this is dropped.
pub(super) struct Post<'a> {
    index: usize,
    board: &'a Board,
    pub(super) outcome: Outcome,
    /// It is no row of its own unless something was changed.
    pub(super) quiet: bool,
    ended: Option<Result<(), Failure>>,
}

impl<'a> Post<'a> {
    pub(super) fn new(index: usize, board: &'a Board) -> Self {
        Self {
            index,
            board,
            outcome: Outcome::default(),
            quiet: false,
            ended: None,
        }
    }

    pub(super) fn end(mut self, ended: Result<(), Failure>) {
        self.ended = Some(ended);
    }

    /// Nothing came of it, and nothing was its fault.
    pub(super) fn leave(mut self) {
        // A secret that was created stays: this tool never deletes one.
        if self.outcome.result() == Word::Created {
            self.ended = Some(Ok(()));
            return;
        }
        self.board
            .mention(self.index, std::mem::take(&mut self.outcome));
        self.quiet = true;
        self.ended = None;
    }
}

impl Drop for Post<'_> {
    fn drop(&mut self) {
        if self.quiet && self.ended.is_none() && self.outcome.changes.is_empty() {
            return;
        }
        let ended = self.ended.take().unwrap_or_else(|| {
            Err(Failure::new(
                Class::Unavailable,
                "the run was cut short while it was worked on",
                "run again: a write that arrived is found and kept",
            ))
        });
        self.board
            .post(self.index, std::mem::take(&mut self.outcome), ended);
    }
}
