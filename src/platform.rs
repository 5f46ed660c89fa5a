//! Where outputs and the summary go. Opens files before the first AWS call, so that a run that could not report its ids
//! writes nothing. Nothing here talks to AWS.

mod dotenv;
mod file_end;
mod gitlab;

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use upsert_secret_config::ci::{LogFormat, log_format};
use upsert_secret_config::environment::Environment;
use upsert_secret_config::random;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::hash::uuid;
use upsert_secret_core::notice::Level;

use crate::outputs::{Outputs, is_flat};
use crate::redact::Output;

/// The most that GitHub takes as one step's summary.
const MAX_SUMMARY: u64 = 1024 * 1024;

/// Where this run reports to.
pub(crate) struct Platform {
    log_format: LogFormat,
    outputs: Option<(File, PathBuf)>,
    summary: Option<PathBuf>,
    /// Where files go that later steps read.
    reports: Option<PathBuf>,
}

/// Whether standard error is shown in color: in the logs of both runners, and on a terminal, unless
/// `NO_COLOR` is set (no-color.org).
pub(crate) fn shows_color(environment: &Environment) -> bool {
    if environment.text("NO_COLOR").is_some() {
        return false;
    }
    match log_format(environment) {
        LogFormat::Github | LogFormat::Gitlab => true,
        // A console of Windows may show the codes themselves.
        LogFormat::Plain => {
            cfg!(unix) && environment.text("TERM") != Some("dumb") && io::stderr().is_terminal()
        }
    }
}

impl Platform {
    /// Finds out where we run and opens the place for outputs.
    ///
    /// # Errors
    /// The place cannot be written.
    pub(crate) fn open(
        environment: &Environment,
        output_file: Option<&str>,
    ) -> Result<Self, Failure> {
        let log_format = log_format(environment);
        let file = |name| environment.text(name).map(PathBuf::from);
        let (path, summary) = match log_format {
            LogFormat::Github => (file("GITHUB_OUTPUT"), file("GITHUB_STEP_SUMMARY")),
            LogFormat::Gitlab => (Some(gitlab::report(environment)), None),
            LogFormat::Plain => (None, None),
        };
        let outputs = output_file
            .map(PathBuf::from)
            .or(path)
            .map(|path| match append(&path) {
                Ok(file) => Ok((file, path)),
                Err(error) => Err(unwritable(&error)),
            })
            .transpose()?;
        Ok(Self {
            log_format,
            outputs,
            summary,
            reports: (log_format == LogFormat::Github)
                .then(|| file("RUNNER_TEMP"))
                .flatten(),
        })
    }

    /// Whether this platform takes the results of a manifest run as an output.
    pub(crate) fn takes_results(&self) -> bool {
        self.log_format == LogFormat::Github
    }

    /// Hands outputs on, and warns where the runner will drop one.
    ///
    /// # Errors
    /// The file cannot be written any more.
    pub(crate) fn write_outputs(
        &mut self,
        outputs: &Outputs,
        output: &Output,
        print: bool,
    ) -> Result<(), Failure> {
        let mut lines = String::new();
        for (name, value) in outputs {
            if let Some(why) = self.objection(name, value) {
                output.annotate(
                    Level::Warning,
                    &format!("the output {name} is left out: {why}"),
                );
                continue;
            }
            if self.log_format == LogFormat::Github
                && output.with_redactor(|redactor| redactor.is_masked(value))
            {
                output.annotate(
                    Level::Warning,
                    &format!("the output {name} contains a piece of the secret's value, as the runner masks it: used as a job output it will be empty in later jobs"),
                );
            }
            lines.push_str(&match self.log_format {
                LogFormat::Gitlab => dotenv::line(name, value),
                LogFormat::Github | LogFormat::Plain => format!("{name}={value}\n"),
            });
        }
        match &mut self.outputs {
            Some((file, path)) => {
                let refusal = match self.log_format {
                    LogFormat::Gitlab => gitlab::write(file, &lines),
                    LogFormat::Github | LogFormat::Plain => file_end::end_line(file)
                        .and_then(|()| file.write_all(lines.as_bytes()))
                        .map(|()| None),
                }
                .with_context(|| format!("cannot write {}", path.display()))
                .map_err(|error| unwritable(&error))?;
                if let Some(why) = refusal {
                    output.annotate(
                        Level::Warning,
                        &format!(
                            "GitLab will not take {} as a dotenv report, and no later job will get the ids: {why}",
                            path.display()
                        ),
                    );
                }
                Ok(())
            }
            None if print => lines
                .lines()
                .try_for_each(|line| output.print_data(line))
                .context("cannot write to standard output")
                .map_err(|error| unwritable(&error)),
            None => Ok(()),
        }
    }

    /// Why an output cannot be handed on as it is.
    fn objection(&self, name: &str, value: &str) -> Option<&'static str> {
        // One line of JSON, whose length its maker has checked.
        let whole = name == "results" && value.bytes().all(|byte| byte.is_ascii_graphic());
        if !whole && !is_flat(value) {
            Some("it is not one line of printable ASCII")
        } else if self.log_format == LogFormat::Gitlab && !dotenv::is_literal(value) {
            Some("it has a `$` or `%`, which GitLab would expand in later jobs")
        } else {
            None
        }
    }

    /// Writes a file for later steps, where the platform has a place for them, and tells its path. A run that did its
    /// work does not fail because of it.
    pub(crate) fn write_report(&self, json: &str, output: &Output) -> Option<String> {
        let folder = self.reports.as_ref()?;
        let mut unique = [0; 16];
        random::fill(&mut unique);
        let path = folder.join(format!("upsert-secret-{}.json", uuid(&unique)));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .and_then(|mut file| file.write_all(json.as_bytes()))
            .map(|()| path);
        match written {
            Ok(path) => Some(path.display().to_string()),
            Err(error) => {
                output.annotate(Level::Notice, &format!("no report was written: {error}"));
                None
            }
        }
    }

    /// How many bytes the step's summary still takes.
    pub(crate) fn summary_room(&self) -> usize {
        let used = self
            .summary
            .as_ref()
            .and_then(|path| path.metadata().ok())
            .map_or(0, |meta| meta.len());
        usize::try_from(MAX_SUMMARY.saturating_sub(used)).unwrap_or_default()
    }

    /// Appends to the job summary, where there is one. A run that did its work does not fail because
    /// of its summary.
    pub(crate) fn write_summary(&self, markdown: &str, output: &Output) {
        let Some(path) = &self.summary else {
            return;
        };
        let written = append(path).and_then(|mut file| {
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

fn append(path: &Path) -> anyhow::Result<File> {
    // Reading is for `end_line`; a pipe or a device need not allow it.
    let readable = path.is_file() || !path.exists();
    OpenOptions::new()
        .read(readable)
        .append(true)
        .create(true)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// The failure of a run that cannot hand its ids on.
pub(crate) fn unwritable(error: &anyhow::Error) -> Failure {
    Failure::new(
        Class::Input,
        "outputs cannot be written",
        "name a file in a folder that exists and that this user may write in `output-file`; in a container check who it runs as",
    )
    .because(format!("{error:#}"))
}
