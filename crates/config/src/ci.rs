//! The CI system and the run, from the system's variables. Opens no file.

use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::version_id::RunIdentity;

use crate::environment::Environment;
use crate::inputs::RawInputs;

/// The reader of the log, which decides how messages and outputs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A person, or a log that shows lines unchanged.
    #[default]
    Plain,
    /// A GitHub runner, which interprets workflow commands.
    Github,
    /// GitLab's log, which folds sections.
    Gitlab,
}

/// The log format of the CI system. A system is detected by the exact value that its runner sets.
pub fn log_format(environment: &Environment) -> LogFormat {
    let is_set = |name| environment.text(name) == Some("true");
    if is_set("GITHUB_ACTIONS") {
        LogFormat::Github
    } else if is_set("GITLAB_CI") {
        LogFormat::Gitlab
    } else {
        LogFormat::Plain
    }
}

/// Whether this is a GitHub Actions step.
pub fn is_github(environment: &Environment) -> bool {
    log_format(environment) == LogFormat::Github
}

/// Whether this is a GitLab job.
pub(crate) fn is_gitlab(environment: &Environment) -> bool {
    log_format(environment) == LogFormat::Gitlab
}

/// The CI run without the number of the attempt, so that a re-run finds the version that the first attempt wrote. On
/// GitLab a retried job has a new id and the same name; the jobs of a `parallel` job have names of their own, and so
/// tokens of their own.
pub fn run_identity(environment: &Environment) -> Option<RunIdentity> {
    let names = match log_format(environment) {
        LogFormat::Github => [
            "GITHUB_SERVER_URL",
            "GITHUB_REPOSITORY",
            "GITHUB_RUN_ID",
            "GITHUB_JOB",
        ],
        LogFormat::Gitlab => [
            "CI_SERVER_URL",
            "CI_PROJECT_ID",
            "CI_PIPELINE_ID",
            "CI_JOB_NAME",
        ],
        LogFormat::Plain => return None,
    };
    let parts = names.map(|name| environment.text(name).map(str::to_owned));
    Some(RunIdentity {
        parts: parts.into_iter().collect::<Option<_>>()?,
    })
}

/// Whether the CI system keeps this variable's content in a file and the variable holds the path.
pub(crate) fn is_file_variable(environment: &Environment, name: &str) -> bool {
    let path = environment.text(name);
    path.is_some_and(|path| file_variable(environment, path).is_some())
}

/// Rejects a value that is the path of a GitLab file variable, before the path is taken for the value.
///
/// # Errors
/// The value is such a path.
pub(crate) fn check_value(environment: &Environment, raw: &RawInputs) -> Result<(), Failure> {
    let named = raw
        .value_env
        .as_deref()
        .and_then(|name| environment.text(name));
    let path = named.or_else(|| str::from_utf8(raw.value.as_ref()?.expose()).ok());
    let Some(name) = path.and_then(|path| file_variable(environment, path)) else {
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

/// The file variable that holds this path, if it is one where GitLab's runner keeps such files.
fn file_variable<'a>(environment: &Environment, path: &'a str) -> Option<&'a str> {
    let folder = environment
        .text("CI_PROJECT_DIR")
        .filter(|_| is_gitlab(environment))?;
    let name = path.strip_prefix(folder)?.strip_prefix(".tmp/")?;
    (environment.text(name) == Some(path)).then_some(name)
}
