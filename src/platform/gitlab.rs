//! What only GitLab's runner tells, and how outputs get into its dotenv report. This room must keep
//! what others wrote into that file, and never quotes it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use super::{dotenv, end_line};
use crate::failure::{Class, Failure};
use crate::inputs::{Environment, RawInputs};
use crate::token::RunIdentity;

/// The report's name, for `artifacts: reports: dotenv`.
const REPORT: &str = "upsert-secret.env";

/// More than any file that GitLab takes; what is longer is not read.
const MAX_READ: usize = 64 * 1024;

/// The run, without its attempt: a job that is retried has another id and the same name. The legs of
/// a `parallel` job have names of their own, and so tokens of their own.
pub(super) fn run(environment: &Environment) -> Option<RunIdentity> {
    [
        "CI_SERVER_URL",
        "CI_PROJECT_ID",
        "CI_PIPELINE_ID",
        "CI_JOB_NAME",
    ]
    .into_iter()
    .map(|name| environment.text(name).map(str::to_owned))
    .collect::<Option<_>>()
    .map(|parts| RunIdentity { parts })
}

/// Where the report is looked for, whatever folder a script is in.
pub(super) fn report(environment: &Environment) -> PathBuf {
    environment
        .text("CI_PROJECT_DIR")
        .map_or_else(PathBuf::new, PathBuf::from)
        .join(REPORT)
}

/// Refuses a value that is a path at which the runner put a variable of type file.
pub(super) fn check_source(environment: &Environment, raw: &RawInputs) -> Result<(), Failure> {
    let named = raw
        .value_env
        .as_deref()
        .and_then(|name| environment.text(name));
    let given = raw
        .value
        .as_ref()
        .and_then(|value| str::from_utf8(value.expose()).ok());
    let Some(name) = named
        .or(given)
        .and_then(|path| file_variable(environment, path))
    else {
        return Ok(());
    };
    Err(Failure::new(
        Class::Input,
        format!(
            "{name} is a variable of type file: it holds a path, and the secret is in that file"
        ),
        format!(
            "give the path as UPSERT_SECRET_VALUE_FILE instead: `export UPSERT_SECRET_VALUE_FILE=\"${name}\"` in `script`"
        ),
    ))
}

/// Whether a variable is of type file.
pub(super) fn is_file_variable(environment: &Environment, name: &str) -> bool {
    environment
        .text(name)
        .and_then(|path| file_variable(environment, path))
        .is_some()
}

/// The variable whose file this path is, by where the runner keeps them.
fn file_variable<'a>(environment: &Environment, path: &'a str) -> Option<&'a str> {
    let folder = environment.text("CI_PROJECT_DIR")?;
    let name = path.strip_prefix(folder)?.strip_prefix(".tmp/")?;
    (environment.text(name) == Some(path)).then_some(name)
}

/// Writes `lines` after what others wrote. Lines of an earlier call of ours go: the ids of two secrets
/// must not mix where the later call knows fewer, and a folder that is kept from job to job must not
/// fill the report up. Returns why GitLab will not take the report, if it will not.
///
/// # Errors
/// The file cannot be read or written.
pub(super) fn write(file: &mut File, lines: &str) -> io::Result<Option<String>> {
    if !file.metadata()?.is_file() {
        return file.write_all(lines.as_bytes()).map(|()| None);
    }
    let before = read(file)?;
    let others = dotenv::others(&before);
    if others.len() < before.len() && before.len() < MAX_READ {
        file.set_len(0)?;
        file.write_all(&others)?;
    }
    end_line(file)?;
    file.write_all(lines.as_bytes())?;
    Ok(dotenv::refusal(&read(file)?))
}

fn read(file: &mut File) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(MAX_READ as u64).read_to_end(&mut content)?;
    Ok(content)
}
