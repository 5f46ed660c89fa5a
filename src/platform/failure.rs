//! Failures of runs that cannot write their outputs. Must not open or write anything.

use std::io;

use anyhow::anyhow;
use upsert_secret_core::bounded::io_reason;
use upsert_secret_core::failure::{Class, Failure};

/// The error of a write, without the operating system's error number.
pub(crate) fn write_error(what: &str, error: &io::Error) -> anyhow::Error {
    anyhow!("cannot write to {what}: {}", io_reason(error))
}

/// The failure of a run that cannot open its outputs. Nothing has been sent to AWS.
pub(super) fn unwritable(error: &anyhow::Error) -> Failure {
    Failure::new(
        Class::Input,
        "outputs cannot be written",
        "set `output-file` to a file in an existing folder that this user can write to; in a container, \
         check the user that it runs as",
    )
    .because(format!("{error:#}"))
}

/// The failure of a run whose standard output is a full device. Nothing has been sent to AWS.
pub(super) fn full_output(error: &io::Error) -> Failure {
    Failure::new(
        Class::Input,
        "outputs cannot be written",
        "free some space, or redirect standard output to another place",
    )
    .because(write_error("standard output", error).to_string())
}

/// The failure of a run that cannot open its report. Nothing has been sent to AWS.
pub(super) fn unwritable_report(error: &anyhow::Error) -> Failure {
    Failure::new(
        Class::Input,
        "the report cannot be written",
        "set `report-file` to a file in an existing folder that this user can write to",
    )
    .because(format!("{error:#}"))
}

/// The failure of a run that could not write its outputs at the end. `printed` says whether they are on standard output.
pub(crate) fn unwritten(error: &anyhow::Error, printed: bool) -> Failure {
    let what = if printed {
        "outputs could not be written where later steps look for them; they are on standard output instead"
    } else {
        "outputs could not be written"
    };
    Failure::new(
        Class::Unavailable,
        what,
        "is the disk full? Run again when it has space: nothing is written to AWS twice",
    )
    .because(format!("{error:#}"))
}

/// The failure of a run that could not set the meta-data of a Buildkite build. `printed` says whether the outputs are on
/// standard output.
pub(super) fn meta_data_not_set(error: &anyhow::Error, printed: bool) -> Failure {
    let instead = if printed {
        "; they are on standard output instead"
    } else {
        ""
    };
    Failure::new(
        Class::Unavailable,
        format!("outputs could not be set as meta-data of the build{instead}"),
        "retry the job: what was written to AWS is found and kept. If the agent cannot reach Buildkite, \
         set `output-file`",
    )
    .because(format!("{error:#}"))
}
