//! The end of a run: outputs, text, summary, JSON, and the exit code. It owns their order. The report owns their content, the
//! platform their destinations.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::notice::Level;

use crate::args::Format;
use crate::platform::{self, Platform};
use crate::redact::Output;
use crate::report::Report;
use crate::run_report::RunReport;

/// The number of notices shown individually: a runner shows ten of each level for a step.
const MAX_NOTICES: usize = 20;

/// The state of a run as far as its end reports it.
pub(super) struct Finish {
    pub(super) output: Arc<Output>,
    pub(super) format: Format,
    pub(super) started: Instant,
    pub(super) platform: Option<Platform>,
    /// Without secrets until the inputs are checked.
    pub(super) report: RunReport,
    /// The documents of `iam-policy`, and notes about them.
    pub(super) documents: Option<(String, Vec<String>)>,
}

impl Finish {
    /// Reports the results of the run and returns the exit code.
    pub(super) fn end(&mut self, ended: Result<(), Failure>) -> u8 {
        let ended = match self.documents.take() {
            Some((documents, notes)) => self.print_documents(&documents, &notes),
            None => self.report(ended),
        };
        ended.map_or_else(|failure| failure.class.exit_code(), |()| 0)
    }

    fn print_documents(&self, documents: &str, notes: &[String]) -> Result<(), Failure> {
        for note in notes {
            self.output.annotate(Level::Notice, note);
        }
        // Line by line: the document may be longer than the limit for text.
        let lines = documents.lines().map(|line| self.output.clean(line));
        self.print(&lines.collect::<Vec<_>>().join("\n"))
    }

    fn report(&mut self, mut ended: Result<(), Failure>) -> Result<(), Failure> {
        let run = &self.report;
        let took = self.started.elapsed();
        let output = Arc::clone(&self.output);
        if let Some(platform) = &mut self.platform {
            let report = Report::new(run, ended.as_ref().err(), took);
            let mut outputs = report.outputs();
            if platform.takes_results() && !run.kind.single {
                match report.results() {
                    Some(results) => outputs.push(("results", results)),
                    None => run.note(
                        Level::Notice,
                        "the output `results` is left out: it would have more than 256 KiB; `report_path` has all of it",
                    ),
                }
                let json = output.with_redactor(|redactor| report.json(redactor));
                if let Some(path) = platform.write_report(&json, &output) {
                    outputs.push(("report_path", path));
                }
            }
            // JSON is the one object on standard output then.
            let print = self.format == Format::Text;
            ended = ended.and(platform.write_outputs(&outputs, &output, print));
        }
        let report = Report::new(run, ended.as_ref().err(), took);
        self.print_notices(&run.notices());
        self.print_result(&report.text(), &ended);
        if let Some(platform) = &self.platform {
            let room = platform.summary_room();
            let page = output.with_redactor(|redactor| report.markdown(redactor, room));
            platform.write_summary(&page, &output);
        }
        if self.format == Format::Json {
            let object = output.with_redactor(|redactor| report.json(redactor));
            ended = ended.and(self.print(&object));
        }
        ended
    }

    fn print_notices(&self, notices: &[(Level, String)]) {
        for (level, text) in notices.iter().take(MAX_NOTICES) {
            self.output.annotate(*level, text);
        }
        if notices.len() > MAX_NOTICES {
            let more = notices.len() - MAX_NOTICES;
            let text = format!("and {more} more notices, which the report has");
            self.output.annotate(Level::Notice, &text);
        }
    }

    fn print_result(&self, text: &str, ended: &Result<(), Failure>) {
        if !text.is_empty() {
            match ended {
                Ok(()) => self.output.success(text, self.started.elapsed()),
                Err(_) => self.output.info(text),
            }
        }
        if let Err(failure) = ended {
            let (code, class) = (failure.class.exit_code(), failure.class.name());
            let text = format!("{failure}\n  exit: {code} ({class})");
            self.output.annotate(Level::Error, &text);
        }
    }

    fn print(&self, document: &str) -> Result<(), Failure> {
        let printed = self.output.print_data(document);
        let printed = printed.context("cannot write to standard output");
        printed.map_err(|error| {
            let failure = platform::unwritable(&error);
            self.output.annotate(Level::Error, &failure.to_string());
            failure
        })
    }
}
