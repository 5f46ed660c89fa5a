//! The failures that report a conflict. Must not make decisions.

use crate::failure::{Class, Failure};

/// Another writer changed a secret between its observation and the commit.
pub(super) fn changed_meanwhile(name: &str) -> Failure {
    Failure::new(
        Class::Conflict,
        format!("another writer changed {name} during this run"),
        "run again: it starts from the current value",
    )
}

/// Another writer gave a secret its first value between its observation and the write.
pub(super) fn first_value_meanwhile(name: &str) -> Failure {
    Failure::new(
        Class::Conflict,
        format!("another writer gave {name} its first value during this run"),
        "run again: it starts from the current value",
    )
}

/// The run was canceled before the response to the commit arrived.
pub(super) fn cut_short_while_committing() -> Failure {
    Failure::new(
        Class::Unavailable,
        "the run was cut short before the commit was confirmed",
        "run again with all secrets of this manifest",
    )
}

/// Every version of this run has been replaced since it was made current.
pub(super) fn undecidable() -> Failure {
    Failure::new(
        Class::Conflict,
        "the commit record is gone, and other writers have replaced every version of this run",
        "run again: it starts from the current values",
    )
}

/// A killed run over `all` secrets can only be recovered by a run with all of them, but this one has only `own`.
pub(super) fn incomplete(all: usize, own: usize) -> Failure {
    Failure::new(
        Class::Conflict,
        format!(
            "an unfinished run with `all-or-nothing` has {all} secrets, and this run has only {own} of them"
        ),
        "run again with the complete manifest, without `only`: the run rolls back the unfinished one first;\n\
         once the `timeout` of the unfinished run has passed, this run rolls back its own secrets",
    )
}

/// The current version may still be rolled back by a run that this one cannot recover.
pub(super) fn unfinished_elsewhere(name: &str) -> Failure {
    Failure::new(
        Class::Conflict,
        format!("another run with `all-or-nothing` made a version of {name} current and has not finished"),
        "run again when it has; if it was killed, run its manifest again, which rolls it back, or wait until its `timeout` has\n\
         passed",
    )
    .because("the secret with its commit record is not part of this run")
}
