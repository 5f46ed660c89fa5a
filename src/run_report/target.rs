//! The report of one secret: status, IDs, and optional details. Plain data.

use upsert_secret_core::attempt::Wait;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::outcome::{ChangeKind, Outcome};

/// The final status of a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// An error prevented the requested state.
    Failed,
    /// The secret matches the request or, in a plan, would match it.
    Done(ChangeKind),
    /// The run ended before the secret was processed.
    #[default]
    NotTried,
}

impl Status {
    /// Every status, in the order used by a summary.
    pub(crate) const ALL: [Self; 5] = [
        Self::Done(ChangeKind::Created),
        Self::Done(ChangeKind::Updated),
        Self::Done(ChangeKind::Unchanged),
        Self::Failed,
        Self::NotTried,
    ];

    /// The word in outputs and reports.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Done(kind) => kind.word(),
            Self::NotTried => "not_tried",
        }
    }
}

/// The report of one secret.
#[derive(Debug, Default)]
pub(crate) struct TargetReport {
    /// The name or ARN as given.
    pub(crate) name: String,
    /// The final status.
    pub(crate) status: Status,
    /// The ARN, once known.
    pub(crate) arn: Option<Box<str>>,
    /// The version that holds the value, once known.
    pub(crate) version_id: Option<Box<str>>,
    /// Absent for most secrets of a large run, to save memory.
    pub(crate) details: Option<Box<Details>>,
}

impl TargetReport {
    /// Whether the secret was changed, even if not everything was written.
    pub(crate) fn has_changed(&self) -> bool {
        match self.status {
            Status::Done(kind) => kind != ChangeKind::Unchanged,
            Status::Failed => {
                let details = self.details.as_ref();
                details.is_some_and(|details| details.outcome.has_lasting_change())
            }
            Status::NotTried => false,
        }
    }

    /// Whether a write without a response may have changed the secret.
    pub(crate) fn may_have_changed(&self) -> bool {
        self.details
            .as_ref()
            .is_some_and(|details| details.is_uncertain)
    }

    /// The failure, if there is one.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.details.as_ref()?.failure.as_ref()
    }
}

/// Details about a secret that changed or failed, or that is the only one in the run.
#[derive(Debug, Default)]
pub(crate) struct Details {
    /// The ids, changes and notices.
    pub(crate) outcome: Outcome,
    /// The failure, if there is one.
    pub(crate) failure: Option<Failure>,
    /// Whether a write may have been applied that is missing from the outcome.
    pub(crate) is_uncertain: bool,
    /// Whether the run was cut short before the secret was done, and there is no other failure.
    pub(crate) is_cut: bool,
    /// What the run was waiting for when it was cut short.
    pub(crate) waiting: Option<Wait>,
    /// The holder of AWSCURRENT, if the run was cut short while it competed with concurrent writers.
    pub(crate) contended: Option<Option<String>>,
}
