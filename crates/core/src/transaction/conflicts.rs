//! The failures that report a conflict. It makes no decisions.

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

/// The run was cancelled before the answer to the commit arrived.
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
