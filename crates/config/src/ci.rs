//! Information from a job's environment: the format of its log, the identity of its run, and variables that hold file paths.
//! Must not open files.

use upsert_secret_core::connection::CiSystem;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::version_id::RunIdentity;

use crate::environment::Environment;
use crate::inputs::RawInputs;

mod systems;

pub use systems::system;
pub(crate) use systems::variables;

/// The reader of the log, which determines the format of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A person, or a log that shows lines unchanged.
    #[default]
    Plain,
    /// A GitHub runner, which interprets workflow commands.
    Github,
    /// GitLab's log, which has collapsible sections.
    Gitlab,
}

/// The log format of the CI system.
pub fn log_format(environment: &Environment) -> LogFormat {
    match system(environment) {
        CiSystem::Github => LogFormat::Github,
        CiSystem::Gitlab => LogFormat::Gitlab,
        _ => LogFormat::Plain,
    }
}

/// Whether this is a GitHub Actions step.
pub fn is_github(environment: &Environment) -> bool {
    system(environment) == CiSystem::Github
}

/// Whether this is a GitLab job.
pub(crate) fn is_gitlab(environment: &Environment) -> bool {
    system(environment) == CiSystem::Gitlab
}

/// The CI run without its attempt number, so that a re-run finds the version that the first attempt wrote. `None` if one of its
/// variables is missing.
pub fn run_identity(environment: &Environment) -> Option<RunIdentity> {
    let entry = systems::entry(environment)?;
    // In a classic release, BUILD_BUILDID is the build that is released, possibly many times.
    if entry.system == CiSystem::AzurePipelines && environment.text("RELEASE_RELEASEID").is_some() {
        return None;
    }
    let text = |name: &&str| environment.text(name).map(str::to_owned);
    let mut parts: Vec<_> = entry.run.iter().map(text).collect::<Option<_>>()?;
    parts.extend(entry.copy.iter().map(|name| text(name).unwrap_or_default()));
    Some(RunIdentity { parts })
}

/// Whether the CI system stores this variable's content in a file and the variable holds the path.
pub(crate) fn is_file_variable(environment: &Environment, name: &str) -> bool {
    let path = environment.text(name);
    path.is_some_and(|path| file_variable(environment, path).is_some())
}

/// Whether these bytes are the path of a file variable, which is not a secret: messages name the variable.
pub fn is_path_of_file_variable(environment: &Environment, bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(|path| file_variable(environment, path).is_some())
}

/// Rejects a value that is the path of a GitLab file variable, before the path is mistaken for the value.
///
/// # Errors
/// The value is such a path.
pub(crate) fn check_value(environment: &Environment, raw: &RawInputs) -> Result<(), Failure> {
    let named = raw
        .value_env
        .as_deref()
        .and_then(|name| environment.text(name));
    let path = named.or_else(|| str::from_utf8(raw.value.as_ref()?.expose()).ok());
    let Some((path, name)) = path.and_then(|path| Some((path, file_variable(environment, path)?)))
    else {
        return Ok(());
    };
    let command = if path.contains('\\') {
        format!("`$env:UPSERT_SECRET_VALUE_FILE = $env:{name}`")
    } else {
        format!("`export UPSERT_SECRET_VALUE_FILE=\"${name}\"`")
    };
    Err(Failure::new(
        Class::Input,
        format!(
            "{name} is a variable of type file: it holds a path, and the secret is in that file"
        ),
        format!("give the path as UPSERT_SECRET_VALUE_FILE instead: {command} in `script`"),
    ))
}

/// The file variable that holds this path, if the path is in the directory where GitLab's runner stores such files:
/// `PROJECT.tmp`, next to the project. On Windows, the runner writes either kind of slash.
fn file_variable<'a>(environment: &Environment, path: &'a str) -> Option<&'a str> {
    let slashes = |path: &str| path.replace('\\', "/");
    let folder = environment
        .text("CI_PROJECT_DIR")
        .filter(|_| is_gitlab(environment))?;
    let folder = format!("{}.tmp/", slashes(folder).trim_end_matches('/'));
    let is_there = |start: &str| {
        let start = slashes(start);
        // A Windows path with a drive is case-insensitive.
        start == folder || folder.contains(':') && start.eq_ignore_ascii_case(&folder)
    };
    let (start, name) = path.split_at_checked(folder.len())?;
    (is_there(start) && environment.text(name) == Some(path)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file variable that a path belongs to, in a job of a project in the directory `folder`.
    fn found<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
        let environment = Environment::from_pairs([
            ("GITLAB_CI".into(), "true".into()),
            ("CI_PROJECT_DIR".into(), folder.into()),
            ("KEY".into(), path.into()),
            ("OTHER".into(), "made up".into()),
        ]);
        file_variable(&environment, path)
    }

    #[test]
    fn file_variable_is_recognized_on_every_system() {
        for (folder, path) in [
            ("/builds/acme/p", "/builds/acme/p.tmp/KEY"),
            ("/builds/acme/p/", "/builds/acme/p.tmp/KEY"),
            (r"C:\builds\acme\p", r"C:\builds\acme\p.tmp\KEY"),
            (r"C:\builds\acme\p", "C:/builds/acme/p.tmp/KEY"),
            ("C:/builds/acme/p", r"C:\builds\acme\p.tmp\KEY"),
            (r"C:\Builds\acme\p", r"c:\builds\acme\p.tmp\KEY"),
            (r"\\host\builds\p", r"\\host\builds\p.tmp\KEY"),
        ] {
            assert_eq!(found(folder, path), Some("KEY"), "{folder} {path}");
        }
        for (folder, path) in [
            ("/builds/acme/p", "/builds/acme/p/KEY"),
            ("/builds/acme/p", "/builds/acme/p.tmp/OTHER"),
            ("/builds/acme/p", "/builds/acme/P.tmp/KEY"),
            ("/builds/acme/p", "/builds/acme/q.tmp/KEY"),
            ("/builds/acme/p", "made up"),
            (r"C:\builds\ä", r"C:\builds\é.tmp\KEY"),
        ] {
            assert_eq!(found(folder, path), None, "{folder} {path}");
        }
    }
}
