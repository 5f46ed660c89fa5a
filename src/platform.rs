//! Where we run, and so where outputs and the summary go. Opens files before the first AWS call, so
//! that a run that could not report its ids writes nothing. Nothing in this room talks to AWS.

mod dotenv;
mod github;
mod gitlab;

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::failure::{Class, Failure};
use crate::inputs::{Environment, RawInputs};
use crate::redact::{Door, Level, Reader};
use crate::token::{self, RunIdentity};

/// The most that GitHub takes as one step's summary.
const MAX_SUMMARY: u64 = 1024 * 1024;

/// Outputs by name, in the order of the documents. Every value is one line of printable ASCII.
pub type Outputs = Vec<(&'static str, String)>;

/// Where this run reports to.
pub struct Platform {
    reader: Reader,
    outputs: Option<(File, PathBuf)>,
    summary: Option<PathBuf>,
    /// Where files go that later steps read.
    reports: Option<PathBuf>,
    run: Option<RunIdentity>,
}

/// Who reads what we print: a runner where it says so, exactly as it says it.
#[must_use]
pub fn reader(environment: &Environment) -> Reader {
    let is = |name| environment.text(name) == Some("true");
    if is("GITHUB_ACTIONS") {
        Reader::Github
    } else if is("GITLAB_CI") {
        Reader::Gitlab
    } else {
        Reader::Plain
    }
}

/// Whether this platform keeps the content of a variable in a file, and the variable holds its path.
#[must_use]
pub fn is_file_variable(environment: &Environment, name: &str) -> bool {
    reader(environment) == Reader::Gitlab && gitlab::is_file_variable(environment, name)
}

/// Whether this is a GitLab job.
#[must_use]
pub fn is_gitlab(environment: &Environment) -> bool {
    reader(environment) == Reader::Gitlab
}

/// Whether a GitHub runner reads what we print.
#[must_use]
pub fn is_github(environment: &Environment) -> bool {
    reader(environment) == Reader::Github
}

/// Whether standard error is shown in colour: in the logs of both runners, and on a terminal, unless
/// `NO_COLOR` is set (no-color.org).
#[must_use]
pub fn shows_colour(environment: &Environment) -> bool {
    if environment.text("NO_COLOR").is_some() {
        return false;
    }
    match reader(environment) {
        Reader::Github | Reader::Gitlab => true,
        // A console of Windows may show the codes themselves.
        Reader::Plain => {
            cfg!(unix) && environment.text("TERM") != Some("dumb") && io::stderr().is_terminal()
        }
    }
}

/// Refuses what only this platform can tell to be a mistake, before it is taken for a value.
///
/// # Errors
/// The value is the path of a GitLab variable of type file.
pub fn check_source(environment: &Environment, raw: &RawInputs) -> Result<(), Failure> {
    match reader(environment) {
        Reader::Gitlab => gitlab::check_source(environment, raw),
        Reader::Github | Reader::Plain => Ok(()),
    }
}

impl Platform {
    /// Finds out where we run and opens the place for outputs.
    ///
    /// # Errors
    /// The place cannot be written.
    pub fn open(environment: &Environment, output_file: Option<&str>) -> Result<Self, Failure> {
        let reader = reader(environment);
        let file = |name| environment.text(name).map(PathBuf::from);
        let (place, summary, run) = match reader {
            Reader::Github => (
                file("GITHUB_OUTPUT"),
                file("GITHUB_STEP_SUMMARY"),
                github::run(environment),
            ),
            Reader::Gitlab => (
                Some(gitlab::report(environment)),
                None,
                gitlab::run(environment),
            ),
            Reader::Plain => (None, None, None),
        };
        let outputs = output_file
            .map(PathBuf::from)
            .or(place)
            .map(|path| match append(&path) {
                Ok(file) => Ok((file, path)),
                Err(error) => Err(unwritable(&error)),
            })
            .transpose()?;
        Ok(Self {
            reader,
            outputs,
            summary,
            reports: (reader == Reader::Github)
                .then(|| file("RUNNER_TEMP"))
                .flatten(),
            run,
        })
    }

    /// What identifies this CI run across its attempts.
    #[must_use]
    pub fn run(&self) -> Option<&RunIdentity> {
        self.run.as_ref()
    }

    /// Hands outputs on, and warns where the runner will drop one.
    ///
    /// # Errors
    /// The file cannot be written any more.
    pub fn write_outputs(
        &mut self,
        outputs: &Outputs,
        door: &Door,
        print: bool,
    ) -> Result<(), Failure> {
        let mut lines = String::new();
        for (name, value) in outputs {
            if let Some(why) = self.objection(name, value) {
                door.announce(
                    Level::Warning,
                    &format!("the output {name} is left out: {why}"),
                );
                continue;
            }
            if self.reader == Reader::Github && door.ask(|redactor| redactor.is_masked(value)) {
                door.announce(
                    Level::Warning,
                    &format!("the output {name} contains a piece of the secret's value, as the runner masks it: used as a job output it will be empty in later jobs"),
                );
            }
            lines.push_str(&match self.reader {
                Reader::Gitlab => dotenv::line(name, value),
                Reader::Github | Reader::Plain => format!("{name}={value}\n"),
            });
        }
        match &mut self.outputs {
            Some((file, path)) => {
                let refusal = match self.reader {
                    Reader::Gitlab => gitlab::write(file, &lines),
                    Reader::Github | Reader::Plain => end_line(file)
                        .and_then(|()| file.write_all(lines.as_bytes()))
                        .map(|()| None),
                }
                .with_context(|| format!("cannot write {}", path.display()))
                .map_err(|error| unwritable(&error))?;
                if let Some(why) = refusal {
                    door.announce(
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
                .try_for_each(|line| door.data(line))
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
        } else if self.reader == Reader::Gitlab && !dotenv::is_literal(value) {
            Some("it has a `$` or `%`, which GitLab would expand in later jobs")
        } else {
            None
        }
    }

    /// Writes a file for later steps, where the platform has a place for them, and tells its path. A run that did its
    /// work does not fail because of it.
    pub fn write_report(&self, json: &str, door: &Door) -> Option<String> {
        let folder = self.reports.as_ref()?;
        let written = token::random()
            .map_err(|_| anyhow::anyhow!("no random numbers"))
            .and_then(|name| {
                let path = folder.join(format!("upsert-secret-{name}.json"));
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .open(&path)?;
                file.write_all(json.as_bytes())?;
                Ok(path)
            });
        match written {
            Ok(path) => Some(path.display().to_string()),
            Err(error) => {
                door.announce(Level::Notice, &format!("no report was written: {error:#}"));
                None
            }
        }
    }

    /// How many bytes the step's summary still takes.
    #[must_use]
    pub fn summary_room(&self) -> usize {
        let used = self
            .summary
            .as_ref()
            .and_then(|path| path.metadata().ok())
            .map_or(0, |meta| meta.len());
        usize::try_from(MAX_SUMMARY.saturating_sub(used)).unwrap_or_default()
    }

    /// Appends to the job summary, where there is one. A run that did its work does not fail because
    /// of its summary.
    pub fn write_summary(&self, markdown: &str, door: &Door) {
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
            door.announce(Level::Notice, &format!("no summary was written: {error:#}"));
        }
    }
}

/// Whether an output is one line of printable ASCII. Nothing of ours is anything else; whatever is
/// would be an injection.
#[must_use]
pub fn is_flat(value: &str) -> bool {
    value.len() <= 2_048 && value.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What others wrote before us may lack its last line feed.
fn end_line(file: &mut File) -> io::Result<()> {
    if !file.metadata()?.is_file() || file.seek(SeekFrom::End(0))? == 0 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    match last {
        [b'\n'] => Ok(()),
        _ => file.write_all(b"\n"),
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
#[must_use]
pub fn unwritable(error: &anyhow::Error) -> Failure {
    Failure::new(
        Class::Input,
        "outputs cannot be written",
        "name a file in a folder that exists and that this user may write in `output-file`; in a container check who it runs as",
    )
    .because(format!("{error:#}"))
}
