//! The end of a run: outputs, text, summary, JSON, and the exit code. Owns their order. The report owns their content, the
//! platform their destinations.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::counted;

use crate::args::Format;
use crate::import;
use crate::platform::{self, Platform};
use crate::redact::Output;
use crate::report::{self, Report};
use crate::run_report::RunReport;

/// The maximum number of notices shown individually: a runner shows ten per level in a step.
const MAX_NOTICES: usize = 20;

/// The state of a run that is needed to report its end.
pub(super) struct Finish {
    pub(super) output: Arc<Output>,
    pub(super) format: Format,
    pub(super) started: Instant,
    pub(super) platform: Option<Platform>,
    /// Without secrets until the inputs are checked.
    pub(super) report: RunReport,
    /// Whether a dry run that finds changes ends with a separate exit code.
    pub(super) fail_on_change: bool,
    /// Texts that the user has made public, which IDs may contain.
    pub(super) public: Vec<String>,
    /// The documents of `iam-policy`, and notes about them.
    pub(super) documents: Option<(String, Vec<String>)>,
    /// The manifest that `import` prints.
    pub(super) manifest: Option<String>,
}

impl Finish {
    /// Reports the results of the run and returns the exit code.
    pub(super) fn end(&mut self, ended: Result<(), Failure>) -> u8 {
        let ended = match (self.documents.take(), self.manifest.take()) {
            (Some((documents, notes)), _) => self.print_documents(&documents, &notes),
            (None, Some(manifest)) if ended.is_ok() => self.print_manifest(&manifest),
            _ => self.report(ended),
        };
        let pending = self.report.count_planned();
        match ended {
            Err(failure) => failure.class.exit_code(),
            Ok(()) if self.fail_on_change && pending > 0 => {
                let code = Class::Pending.exit_code();
                let text = format!("{} would change (exit {code})", counted(pending, "secret"));
                self.output.annotate(Level::Warning, &text);
                code
            }
            Ok(()) => 0,
        }
    }

    fn print_documents(&self, documents: &str, notes: &[String]) -> Result<(), Failure> {
        let notes = notes.iter().map(|note| self.report.spelling.spell(note));
        let notes = &notes.collect::<Vec<_>>();
        for note in notes {
            self.output.annotate(Level::Notice, note);
        }
        // Line by line, because the document may exceed the limit for text.
        let lines = documents.lines().map(|line| self.output.clean(line));
        let documents = lines.collect::<Vec<_>>().join("\n");
        if let Some(platform) = &self.platform {
            let output = &self.output;
            let page = report::policy_markdown(&documents, notes, output.redactor());
            platform.write_summary(&page, output);
        }
        self.print(&documents)
    }

    /// Prints a manifest verbatim: it is data for a file, and its writer has escaped everything that could control a terminal
    /// or a runner.
    fn print_manifest(&mut self, manifest: &str) -> Result<(), Failure> {
        if let Err(failure) = import::check_leaks(manifest, self.output.redactor()) {
            return self.report(Err(failure));
        }
        self.print_notices(&self.report.notices());
        self.print(manifest.trim_end())
    }

    fn report(&mut self, mut ended: Result<(), Failure>) -> Result<(), Failure> {
        let run = &self.report;
        ended = ended.map_err(|failure| run.conclude(failure));
        let took = self.started.elapsed();
        let output = Arc::clone(&self.output);
        run.withhold(&self.public, output.redactor());
        let mut place = None;
        if let Some(platform) = &mut self.platform {
            let report = Report::new(run, ended.as_ref().err(), took);
            let mut outputs = report.outputs();
            if !run.kind.single {
                match report.results() {
                    _ if !platform.takes_results() => {}
                    Some(results) => outputs.push(("results", results)),
                    None => run.note(
                        Level::Notice,
                        "the output `results` is omitted, because it would exceed 448 KiB; the file \
                         `report_path` has all results",
                    ),
                }
                let json = report.json(output.redactor());
                if let Some(path) = platform.write_report(&json, &output) {
                    outputs.push(("report_path", path));
                }
            }
            // With JSON, the object must be the only output on standard output.
            let print = self.format == Format::Text;
            match platform.write_outputs(&outputs, &output, print) {
                Ok(written) => place = written,
                Err(failure) => ended = ended.and(Err(run.conclude(failure))),
            }
        }
        let report = Report::new(run, ended.as_ref().err(), took);
        self.print_notices(&run.notices());
        let text = report.text(output.redactor());
        self.print_result(&text, &ended);
        if let Some(place) = place {
            output.info(&place);
        }
        if let Some(platform) = &self.platform
            && let Some(room) = platform.summary_room()
        {
            let page = report.markdown(output.redactor(), room);
            platform.write_summary(&page, &output);
        }
        if self.format == Format::Json {
            let object = report.json(output.redactor());
            // A failed run may have failed because standard output is full.
            let printed = self.output.print_data(&object);
            if ended.is_ok() {
                ended = printed.map_err(|error| self.unprinted(&error));
            }
        }
        ended
    }

    fn print_notices(&self, notices: &[(Level, String)]) {
        for (level, text) in notices.iter().take(MAX_NOTICES) {
            self.output.annotate(*level, text);
        }
        if notices.len() > MAX_NOTICES {
            let more = notices.len() - MAX_NOTICES;
            let text = format!("and {more} more notices, which are in the report");
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
            self.output.annotate(Level::Error, &with_exit_code(failure));
        }
    }

    fn print(&self, document: &str) -> Result<(), Failure> {
        let printed = self.output.print_data(document);
        printed.map_err(|error| self.unprinted(&error))
    }

    fn unprinted(&self, error: &io::Error) -> Failure {
        let error = platform::write_error("standard output", error);
        let failure = self.report.conclude(platform::unwritten(&error, false));
        self.output
            .annotate(Level::Error, &with_exit_code(&failure));
        failure
    }
}

/// The text of a failure that ends the run.
pub(super) fn with_exit_code(failure: &Failure) -> String {
    let (code, class) = (failure.class.exit_code(), failure.class.name());
    format!("{failure}\n  exit: {code} ({class})")
}
