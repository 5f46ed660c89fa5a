//! The report of a run as outputs, text, JSON and Markdown, for a single secret or a manifest. Passes everything through
//! `redact`. Must not print.

use std::time::Duration;

use serde_json::json;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::Outcome;

use crate::outputs::Outputs;
use crate::redact::Redactor;
use crate::run_report::RunReport;

mod failure;
mod graph;
mod manifest;
mod markdown;
mod parts;
mod single;

pub(crate) use failure::{cancelled, failure, timed_out};

/// Everything known at the end of a run.
pub(crate) struct Report<'a> {
    run: &'a RunReport,
    /// The outcome of the only secret; `None` for a manifest.
    single: Option<Outcome>,
    failure: Option<&'a Failure>,
    took: Duration,
}

impl<'a> Report<'a> {
    /// The report of a run with the given duration.
    pub(crate) fn new(run: &'a RunReport, failure: Option<&'a Failure>, took: Duration) -> Self {
        let targets = run.targets();
        let details = targets.first().and_then(|target| target.details.as_ref());
        let outcome = details.map(|details| details.outcome.clone());
        Self {
            run,
            single: run.kind.single.then(|| outcome.unwrap_or_default()),
            failure,
            took,
        }
    }

    /// All outputs after a success; the known ones after a failure.
    pub(crate) fn outputs(&self) -> Outputs {
        match &self.single {
            Some(outcome) => single::outputs(outcome, self.failure.is_some()),
            None => manifest::outputs(self.run),
        }
    }

    /// The output `results` of a manifest run; `None` if it would be too long.
    pub(crate) fn results(&self) -> Option<String> {
        manifest::results(self.run)
    }

    /// Text for the log.
    pub(crate) fn text(&self, redactor: &Redactor) -> String {
        match &self.single {
            Some(outcome) => single::text(outcome, self.failure.is_some(), self.took),
            None => manifest::text(self.run, self.took, redactor),
        }
    }

    /// A JSON object.
    pub(crate) fn json(&self, redactor: &Redactor) -> String {
        let mut object = match &self.single {
            Some(outcome) => single::object(outcome, self.failure.is_some(), redactor),
            None => manifest::object(self.run, redactor),
        };
        let notices = self.run.notices();
        object["notices"] = parts::texts(notices.iter().map(|(_, text)| text), redactor);
        object["milliseconds"] = json!(u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX));
        if let Some(failure) = self.failure {
            object["error"] = parts::error_object(failure, redactor);
        }
        object.to_string()
    }

    /// The job summary. For a manifest it has at most `room` bytes.
    pub(crate) fn markdown(&self, redactor: &Redactor, room: usize) -> String {
        match &self.single {
            Some(outcome) => {
                let notices = self.run.notices();
                single::markdown(outcome, &notices, self.failure, self.took, redactor)
            }
            None => manifest::markdown(self.run, self.failure, self.took, redactor, room),
        }
    }
}

/// The job summary of `iam-policy`: the documents, already redacted, and the notes about them.
pub(crate) fn policy_markdown(documents: &str, notes: &[String], redactor: &Redactor) -> String {
    let notes = notes.iter().map(|note| (Level::Notice, note.clone()));
    let notes: Vec<_> = notes.collect();
    format!(
        "### IAM policy of this run\n\n{}{}\n",
        markdown::block("json", documents),
        markdown::notice_items(&notes, redactor)
    )
}

#[cfg(test)]
mod tests;
