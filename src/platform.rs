//! The destinations of outputs, report and summary on each CI system. Output files are opened before the first AWS call, so
//! that a run that could not report its ids writes nothing. Sends no request.

mod dotenv;
mod output_file;

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use upsert_secret_config::ci::{LogFormat, log_format};
use upsert_secret_config::environment::Environment;
use upsert_secret_config::random;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::hash::uuid;
use upsert_secret_core::notice::Level;

use crate::outputs::{Outputs, is_flat};
use crate::redact::Output;

/// The maximum size of a step's summary on GitHub, in bytes.
const MAX_SUMMARY: u64 = 1024 * 1024;

/// The file name of GitLab's dotenv report, for `artifacts: reports: dotenv`.
const DOTENV_REPORT: &str = "upsert-secret.env";

/// The destinations of this run.
pub(crate) struct Platform {
    log_format: LogFormat,
    outputs: Option<(File, PathBuf)>,
    summary: Option<PathBuf>,
    /// The folder for files that later steps read.
    reports: Option<PathBuf>,
}

/// Whether standard error supports color: in the logs of both runners, and on a terminal, unless `NO_COLOR` is set
/// (no-color.org).
pub(crate) fn shows_color(environment: &Environment) -> bool {
    if environment.text("NO_COLOR").is_some() {
        return false;
    }
    match log_format(environment) {
        LogFormat::Github | LogFormat::Gitlab => true,
        // A Windows console may show the escape sequences themselves.
        LogFormat::Plain => {
            cfg!(unix) && environment.text("TERM") != Some("dumb") && io::stderr().is_terminal()
        }
    }
}

impl Platform {
    /// Detects the CI system and opens the file for outputs.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) fn open(
        environment: &Environment,
        output_file: Option<&str>,
    ) -> Result<Self, Failure> {
        let file = |name| environment.text(name).map(PathBuf::from);
        let log_format = log_format(environment);
        let (path, summary, reports) = match log_format {
            LogFormat::Github => (
                file("GITHUB_OUTPUT"),
                file("GITHUB_STEP_SUMMARY"),
                file("RUNNER_TEMP"),
            ),
            LogFormat::Gitlab => {
                // Independent of the current folder of the script.
                let folder = file("CI_PROJECT_DIR").unwrap_or_default();
                (Some(folder.join(DOTENV_REPORT)), None, None)
            }
            LogFormat::Plain => (None, None, None),
        };
        let open = |path: PathBuf| output_file::open(&path).map(|file| (file, path));
        let path = output_file.map(PathBuf::from).or(path);
        let outputs = path.map(open).transpose();
        Ok(Self {
            log_format,
            outputs: outputs.map_err(|error| unwritable(&error))?,
            summary,
            reports,
        })
    }

    /// Whether the platform supports the output `results` of a manifest run.
    pub(crate) fn takes_results(&self) -> bool {
        self.log_format == LogFormat::Github
    }

    /// Writes the outputs, and warns about those that the runner will drop.
    ///
    /// # Errors
    /// The outputs cannot be written.
    pub(crate) fn write_outputs(
        &mut self,
        outputs: &Outputs,
        output: &Output,
        print: bool,
    ) -> Result<(), Failure> {
        let warn = |text: String| output.annotate(Level::Warning, &text);
        let mut lines = String::new();
        for (name, value) in outputs {
            if let Some(why) = self.rejection(name, value) {
                warn(format!("the output {name} is left out: {why}"));
                continue;
            }
            if self.log_format == LogFormat::Github
                && output.with_redactor(|redactor| redactor.is_masked(value))
            {
                warn(format!(
                    "the output {name} contains a piece of the secret's value, as the runner masks it: used as a job output it will be empty in later jobs"
                ));
            }
            lines.push_str(&match self.log_format {
                LogFormat::Gitlab => dotenv::line(name, value),
                LogFormat::Github | LogFormat::Plain => format!("{name}={value}\n"),
            });
        }
        let Some((file, path)) = &mut self.outputs else {
            if !print {
                return Ok(());
            }
            return lines
                .lines()
                .try_for_each(|line| output.print_data(line))
                .context("cannot write to standard output")
                .map_err(|error| unwritable(&error));
        };
        let written = match self.log_format {
            LogFormat::Gitlab => output_file::append_dotenv(file, &lines),
            LogFormat::Github | LogFormat::Plain => {
                output_file::append(file, &lines).map(|()| None)
            }
        };
        let rejection = written
            .with_context(|| format!("cannot write {}", path.display()))
            .map_err(|error| unwritable(&error))?;
        if let Some(why) = rejection {
            warn(format!(
                "GitLab will not take {} as a dotenv report, and no later job will get the ids: {why}",
                path.display()
            ));
        }
        Ok(())
    }

    /// The reason for leaving an output out.
    fn rejection(&self, name: &str, value: &str) -> Option<&'static str> {
        // One line of JSON, whose length is limited where it is made.
        let whole = name == "results" && value.bytes().all(|byte| byte.is_ascii_graphic());
        if !whole && !is_flat(value) {
            Some("it is not one line of printable ASCII")
        } else if self.log_format == LogFormat::Gitlab && !dotenv::is_literal(value) {
            Some("it has a `$` or `%`, which GitLab would expand in later jobs")
        } else {
            None
        }
    }

    /// Writes a file for later steps, if the platform has a folder for such files, and returns its path. An error is a
    /// notice, because the secrets are written.
    pub(crate) fn write_report(&self, json: &str, output: &Output) -> Option<String> {
        let mut unique = [0; 16];
        random::fill(&mut unique);
        let name = format!("upsert-secret-{}.json", uuid(&unique));
        let path = self.reports.as_ref()?.join(name);
        match File::create_new(&path).and_then(|mut file| file.write_all(json.as_bytes())) {
            Ok(()) => Some(path.display().to_string()),
            Err(error) => {
                output.annotate(Level::Notice, &format!("no report was written: {error}"));
                None
            }
        }
    }

    /// The number of bytes left in the step's summary.
    pub(crate) fn summary_room(&self) -> usize {
        let metadata = self.summary.as_ref().and_then(|path| path.metadata().ok());
        let used = metadata.map_or(0, |metadata| metadata.len());
        usize::try_from(MAX_SUMMARY.saturating_sub(used)).unwrap_or_default()
    }

    /// Appends to the job summary, if there is one. An error is a notice, because the secrets are written.
    pub(crate) fn write_summary(&self, markdown: &str, output: &Output) {
        let Some(path) = &self.summary else {
            return;
        };
        let written = output_file::open(path).and_then(|mut file| {
            let size = file.metadata().map_or(0, |meta| meta.len());
            ensure!(
                size + markdown.len() as u64 <= MAX_SUMMARY,
                "the step's summary is full"
            );
            file.write_all(markdown.as_bytes())
                .context("cannot write the step's summary")
        });
        if let Err(error) = written {
            output.annotate(Level::Notice, &format!("no summary was written: {error:#}"));
        }
    }
}

/// The failure of a run that cannot write its outputs.
pub(crate) fn unwritable(error: &anyhow::Error) -> Failure {
    Failure::new(
        Class::Input,
        "outputs cannot be written",
        "name a file in a folder that exists and that this user may write in `output-file`; in a container check who it runs as",
    )
    .because(format!("{error:#}"))
}
