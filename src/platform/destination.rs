//! Opens and writes the destination of outputs on a CI system: a file, standard output, or the Buildkite agent. `format` owns
//! the formats; the parent module decides which outputs to drop.

use std::path::{Path, PathBuf};
use std::time::Duration;

use upsert_secret_config::environment::Environment;
use upsert_secret_core::connection::CiSystem;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::notice::Level;

use super::buildkite::{self, Agent};
use super::failure::{full_output, meta_data_not_set, unwritable, unwritten, write_error};
use super::format::OutputFormat;
use super::output_file::{OutputFile, WRITE_LIMIT};
use crate::redact::Output;

/// The file name of GitLab's dotenv report, for `artifacts: reports: dotenv`.
const DOTENV_REPORT: &str = "upsert-secret.env";

/// Where outputs go.
pub(super) enum Destination {
    StandardOutput(OutputFormat),
    File(OutputFile, PathBuf, OutputFormat),
    BuildkiteMetaData(Agent),
    /// Standard output of a Buildkite step without an agent.
    NoBuildkiteAgent,
}

impl Destination {
    /// Opens the destination of a CI system, or the file that the user named instead.
    ///
    /// # Errors
    /// The destination cannot be opened, or is full.
    pub(super) fn open(
        system: CiSystem,
        environment: &Environment,
        output_file: Option<&str>,
        limit: Duration,
    ) -> Result<Self, Failure> {
        let open = |path: PathBuf, format| {
            let file = OutputFile::open(&path, limit).map_err(|error| unwritable(&error))?;
            Ok(Self::File(file, path, format))
        };
        if let Some(path) = output_file {
            let format = match system {
                CiSystem::Gitlab => OutputFormat::Dotenv,
                _ => OutputFormat::KeyValue,
            };
            return open(path.into(), format);
        }
        if let Some((path, format)) = file_of_system(system, environment) {
            return open(path, format);
        }
        let place = match system {
            CiSystem::AzurePipelines => Self::StandardOutput(OutputFormat::AzurePipelines),
            CiSystem::TeamCity => Self::StandardOutput(OutputFormat::TeamCity),
            CiSystem::Buildkite => match Agent::find(environment) {
                Some(agent) => return Ok(Self::BuildkiteMetaData(agent)),
                None => Self::NoBuildkiteAgent,
            },
            _ => Self::StandardOutput(OutputFormat::KeyValue),
        };
        Output::check_space().map_err(|error| full_output(&error))?;
        Ok(place)
    }

    /// The file that contains the outputs.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(_, path, _) => Some(path),
            _ => None,
        }
    }

    const fn format(&self) -> OutputFormat {
        match self {
            Self::StandardOutput(format) | Self::File(.., format) => *format,
            Self::BuildkiteMetaData(_) | Self::NoBuildkiteAgent => OutputFormat::KeyValue,
        }
    }

    /// The reason why a later job would not see this value unchanged.
    pub(super) fn rejection(&self, value: &str) -> Option<&'static str> {
        self.format().rejection(value)
    }

    /// Writes outputs. `print` says whether outputs may go to standard output. Returns where later steps find them, unless that
    /// is obvious.
    ///
    /// # Errors
    /// They cannot be written. If permitted, they are on standard output instead.
    pub(super) fn write(
        &mut self,
        outputs: &[(&str, &str)],
        output: &Output,
        print: bool,
    ) -> Result<Option<String>, Failure> {
        let format = self.format();
        let lines = outputs.iter().map(|(name, value)| format.line(name, value));
        let lines: String = lines.collect();
        // Better in the log than nowhere.
        let print_instead = || print && print_lines(&lines, output).is_ok() && !lines.is_empty();
        let first = outputs.first();
        let shared = first.and_then(|(name, _)| format.place(name));
        let place = match self {
            Self::StandardOutput(_) | Self::NoBuildkiteAgent if !print => {
                // A command for the runner would be a second document.
                if let Some(place) = shared {
                    let text = format!(
                        "no {place}: with `--format json`, standard output is one JSON object"
                    );
                    output.annotate(Level::Notice, &text);
                }
                None
            }
            Self::StandardOutput(_) => {
                print_lines(&lines, output)?;
                shared
            }
            Self::NoBuildkiteAgent => {
                print_lines(&lines, output)?;
                Some("on standard output, because buildkite-agent is not on PATH".to_owned())
            }
            Self::File(file, path, _) => {
                let shown = path.display();
                let written = write_file(file, &lines, format).map_err(|error| {
                    let error = error.context(format!("cannot write {shown}"));
                    unwritten(&error, print_instead())
                })?;
                if let Some(why) = written {
                    let text = format!(
                        "GitLab rejects {shown} as a dotenv report, so later jobs get no outputs: {why}"
                    );
                    output.annotate(Level::Warning, &text);
                }
                shared
            }
            Self::BuildkiteMetaData(agent) => {
                let set = agent.set(outputs);
                set.map_err(|error| meta_data_not_set(&error, print_instead()))?;
                buildkite::place(outputs)
            }
        };
        let place = place.filter(|_| !outputs.is_empty());
        Ok(place.map(|place| format!("outputs: {place}")))
    }
}

/// The file that the CI system reads outputs from, and its format.
fn file_of_system(system: CiSystem, environment: &Environment) -> Option<(PathBuf, OutputFormat)> {
    let (variable, format) = match system {
        CiSystem::Github => ("GITHUB_OUTPUT", OutputFormat::KeyValue),
        CiSystem::Gitlab => {
            // Independent of the script's current directory.
            let folder = environment.text("CI_PROJECT_DIR").unwrap_or_default();
            let path = PathBuf::from(folder).join(DOTENV_REPORT);
            return Some((path, OutputFormat::Dotenv));
        }
        CiSystem::Bitbucket => (
            "BITBUCKET_PIPELINES_VARIABLES_PATH",
            OutputFormat::Bitbucket,
        ),
        CiSystem::CircleCi => ("BASH_ENV", OutputFormat::CircleCi),
        _ => return None,
    };
    let path = environment.text(variable)?;
    Some((path.into(), format))
}

/// Appends outputs to a file. Returns the reason why GitLab will reject it as a report, if it will.
fn write_file(
    file: &mut OutputFile,
    lines: &str,
    format: OutputFormat,
) -> anyhow::Result<Option<String>> {
    match format {
        OutputFormat::Dotenv => return file.append_dotenv(lines, WRITE_LIMIT),
        OutputFormat::Bitbucket => file.append_variables(lines, WRITE_LIMIT),
        OutputFormat::CircleCi => file.append_exports(lines, WRITE_LIMIT),
        _ => file.append(lines, WRITE_LIMIT),
    }?;
    Ok(None)
}

fn print_lines(lines: &str, output: &Output) -> Result<(), Failure> {
    lines
        .lines()
        .try_for_each(|line| output.print_data(line))
        .map_err(|error| unwritten(&write_error("standard output", &error), false))
}
