//! A run as outputs, text, JSON and Markdown, one secret or a manifest. Prints nothing; what it makes goes through `redact`.

use std::time::Duration;

use upsert_secret_core::failure::Failure;
use upsert_secret_core::outcome::Outcome;

use crate::outputs::Outputs;
use crate::redact::Redactor;
use crate::run_report::RunReport;

mod error;
mod failure;
mod graph;
mod manifest;
mod manifest_page;
mod markup;
mod single;

pub(crate) use failure::{failure, timed_out};
use manifest::ManifestReport;
use single::SingleReport;

/// Everything that is known at the end of a run, in the form that fits it.
pub(crate) enum Report<'a> {
    Single(Box<SingleReport<'a>>),
    Manifest(ManifestReport<'a>),
}

impl<'a> Report<'a> {
    /// The report of a run, which failed or did not, after so long.
    pub(crate) fn new(
        run: &'a RunReport,
        outcome: &'a Outcome,
        failure: Option<&'a Failure>,
        took: Duration,
    ) -> Self {
        if run.kind.single {
            Self::Single(Box::new(SingleReport {
                outcome,
                notices: run.notices(),
                failure,
                took,
            }))
        } else {
            Self::Manifest(ManifestReport { run, failure, took })
        }
    }

    /// The outputs: all of them after a success; after a failure what is known.
    pub(crate) fn outputs(&self) -> Outputs {
        match self {
            Self::Single(report) => report.outputs(),
            Self::Manifest(report) => report.outputs(),
        }
    }

    /// The output `results` of a manifest run; `None` where it would be too long.
    pub(crate) fn results(&self) -> Option<String> {
        match self {
            Self::Single(_) => None,
            Self::Manifest(report) => report.results(),
        }
    }

    /// What a person reads.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Single(report) => report.text(),
            Self::Manifest(report) => report.text(),
        }
    }

    /// One object for programs.
    pub(crate) fn json(&self, redactor: &Redactor) -> String {
        match self {
            Self::Single(report) => report.json(redactor),
            Self::Manifest(report) => report.json(redactor),
        }
    }

    /// The job summary, of at most `room` bytes where it could be long.
    pub(crate) fn markdown(&self, redactor: &Redactor, room: usize) -> String {
        match self {
            Self::Single(report) => report.markdown(redactor),
            Self::Manifest(report) => report.markdown(redactor, room),
        }
    }
}
