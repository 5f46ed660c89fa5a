//! Chooses where outputs, the report and the summary go on each CI system. Opens output files before the first AWS call, so
//! that a run that could not report its IDs writes nothing. Must not send requests.

mod buildkite;
mod destination;
mod dotenv;
mod failure;
mod format;
mod output_file;
mod report_file;
mod variables;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use upsert_secret_config::ci::{self, LogFormat};
use upsert_secret_config::environment::Environment;
use upsert_secret_core::connection::CiSystem;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::notice::Level;

use crate::outputs::{Outputs, is_flat};
use crate::redact::Output;
use destination::Destination;
use failure::unwritable_report;
use output_file::{OutputFile, WRITE_LIMIT};
use report_file::ReportFile;

pub(crate) use failure::{unwritten, write_error};

/// The maximum size of a step's summary on GitHub, in bytes.
const MAX_SUMMARY: u64 = 1024 * 1024;

/// The file name of the manifest run report on GitLab, next to the dotenv report.
const REPORT: &str = "upsert-secret-report.json";
/// The file name of the report of a run that undoes a release and therefore reads the release's report.
const UNDO_REPORT: &str = "upsert-secret-undo-report.json";

/// The destinations of this run.
pub(crate) struct Platform {
    system: CiSystem,
    outputs: Destination,
    summary: Option<PathBuf>,
    /// The file for the manifest run report.
    report: Option<anyhow::Result<ReportFile>>,
}

/// Whether standard error supports color: in the logs of GitHub's and GitLab's runners, and on a terminal, unless `NO_COLOR` is
/// set (no-color.org).
pub(crate) fn shows_color(environment: &Environment) -> bool {
    if environment.text("NO_COLOR").is_some() {
        return false;
    }
    match ci::log_format(environment) {
        LogFormat::Github | LogFormat::Gitlab => true,
        // A Windows console may print the escape sequences verbatim.
        LogFormat::Plain => {
            cfg!(unix) && environment.text("TERM") != Some("dumb") && io::stderr().is_terminal()
        }
    }
}

impl Platform {
    /// Detects the CI system and opens the output file. A pipe must be opened for reading within the limit.
    ///
    /// # Errors
    /// The output file cannot be opened, or it or standard output is full.
    pub(crate) fn open(
        environment: &Environment,
        output_file: Option<&str>,
        limit: Duration,
    ) -> Result<Self, Failure> {
        let file = |name| environment.text(name).map(PathBuf::from);
        let system = ci::system(environment);
        let summary = match system {
            CiSystem::Github => file("GITHUB_STEP_SUMMARY"),
            _ => None,
        };
        let outputs = Destination::open(system, environment, output_file, limit)?;
        Ok(Self {
            system,
            outputs,
            summary,
            report: None,
        })
    }

    /// Whether the platform supports the output `results` of a manifest run.
    pub(crate) fn takes_results(&self) -> bool {
        self.system == CiSystem::Github
    }

    /// Writes the outputs, and warns about those that the runner will drop. `print` says whether outputs may go to standard
    /// output. Returns where later steps find them, unless that is obvious.
    ///
    /// # Errors
    /// The outputs cannot be written.
    pub(crate) fn write_outputs(
        &mut self,
        outputs: &Outputs,
        output: &Output,
        print: bool,
    ) -> Result<Option<String>, Failure> {
        let warn = |text: String| output.annotate(Level::Warning, &text);
        let mut accepted = Vec::new();
        for (name, value) in outputs {
            if let Some(why) = self.rejection(name, value) {
                warn(format!("the output {name} is omitted: {why}"));
                continue;
            }
            if self.system == CiSystem::Github && output.redactor().is_masked(value) {
                warn(format!(
                    "the output {name} contains a part of the secret's value, which the runner masks: as a \
                     job output it is empty in later jobs"
                ));
            }
            accepted.push((*name, value.as_str()));
        }
        self.outputs.write(&accepted, output, print)
    }

    /// The reason for leaving an output out.
    fn rejection(&self, name: &str, value: &str) -> Option<&'static str> {
        // One line of JSON. The code that creates it limits its length.
        let is_safe = match name {
            "results" => value.bytes().all(|byte| byte.is_ascii_graphic()),
            // A directory may have any name, and GitHub takes the rest of the line verbatim.
            "report_path" if self.system == CiSystem::Github => !value.contains(char::is_control),
            "report_path" if !is_flat(value) => {
                return Some("it has white space or characters other than ASCII, or is too long");
            }
            _ => is_flat(value),
        };
        if !is_safe {
            return Some("it is not one line of printable text");
        }
        self.outputs.rejection(value)
    }

    /// Opens the file for the manifest run report: the one that the user named, or the platform's default. `kept` lists the
    /// files that the run reads.
    ///
    /// # Errors
    /// The file that the user named cannot be opened, or is another file of this run. A problem with the platform's default
    /// file is not an error.
    pub(crate) fn open_report(
        &mut self,
        environment: &Environment,
        given: Option<&str>,
        kept: &[&str],
        is_undo: bool,
    ) -> Result<(), Failure> {
        let own = [self.outputs.path(), self.summary.as_deref()];
        let kept: Vec<&Path> = kept
            .iter()
            .map(Path::new)
            .chain(own.into_iter().flatten())
            .collect();
        self.report = match (given, self.system) {
            (Some(path), _) => {
                let file = ReportFile::open(path.as_ref(), path, &kept);
                Some(Ok(file.map_err(|error| unwritable_report(&error))?))
            }
            (None, CiSystem::Gitlab) => {
                let folder = environment.text("CI_PROJECT_DIR").unwrap_or_default();
                let name = if is_undo { UNDO_REPORT } else { REPORT };
                Some(ReportFile::open(&Path::new(folder).join(name), name, &kept))
            }
            (None, CiSystem::Github) => environment.text("RUNNER_TEMP").map(ReportFile::create_in),
            (None, _) => None,
        };
        Ok(())
    }

    /// Removes the report of an earlier run, once the inputs are valid.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn clear_report(&mut self) -> Result<(), Failure> {
        match &mut self.report {
            Some(Ok(file)) => file.clear().map_err(|error| unwritable_report(&error)),
            _ => Ok(()),
        }
    }

    /// Writes the report, if there is a file for it, and returns the path. A failed write is only a warning, because the
    /// secrets are already written.
    pub(crate) fn write_report(&mut self, json: &str, output: &Output) -> Option<String> {
        let written = self.report.take()?.and_then(|file| file.write(json));
        let warn =
            |error| output.annotate(Level::Warning, &format!("no report was written: {error:#}"));
        written.map_err(warn).ok()
    }

    /// The number of bytes left in the step's summary; `None` without a summary.
    pub(crate) fn summary_room(&self) -> Option<usize> {
        let metadata = self.summary.as_ref()?.metadata();
        let used = metadata.map_or(0, |metadata| metadata.len());
        Some(usize::try_from(MAX_SUMMARY.saturating_sub(used)).unwrap_or_default())
    }

    /// Appends to the job summary, if there is one. A failed write is only a notice, because the secrets are already written.
    pub(crate) fn write_summary(&self, markdown: &str, output: &Output) {
        let Some(path) = &self.summary else {
            return;
        };
        let written = OutputFile::open(path, WRITE_LIMIT).and_then(|mut file| {
            ensure!(
                file.size() + markdown.len() as u64 <= MAX_SUMMARY,
                "the step's summary is full"
            );
            file.append(markdown, WRITE_LIMIT)
                .context("cannot write the step's summary")
        });
        if let Err(error) = written {
            output.annotate(Level::Notice, &format!("no summary was written: {error:#}"));
        }
    }
}
