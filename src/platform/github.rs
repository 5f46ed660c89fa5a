//! What only GitHub's runner tells.

use crate::inputs::Environment;
use crate::token::RunIdentity;

/// The run, without its attempt: a re-run shall find the version that the first attempt wrote.
pub(super) fn run(environment: &Environment) -> Option<RunIdentity> {
    [
        "GITHUB_SERVER_URL",
        "GITHUB_REPOSITORY",
        "GITHUB_RUN_ID",
        "GITHUB_JOB",
    ]
    .into_iter()
    .map(|name| environment.text(name).map(str::to_owned))
    .collect::<Option<_>>()
    .map(|parts| RunIdentity { parts })
}
