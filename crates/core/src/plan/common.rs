//! What the decisions about present and about unseen secrets share.

use crate::attempt::Attempt;
use crate::error::StoreError;
use crate::failure::{Class, Failure};
use crate::outcome::VersionRef;
use crate::request::Request;
use crate::state::SecretMetadata;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// A state, a conflict or a limit, in words.
    Failure(Box<Failure>),
    /// A denial that the store has to explain.
    Denied(StoreError),
}

impl From<Failure> for Rejected {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

/// A version and its labels, as DescribeSecret shows them.
pub(super) fn version(secret: &SecretMetadata, id: &str) -> VersionRef {
    VersionRef {
        id: id.to_owned(),
        stages: secret.labels(id),
    }
}

/// Whether AWSCURRENT sits on the version that this run wrote before it was overtaken: then somebody
/// has put it back, and there is nothing left to do.
pub(super) fn is_ours(done: &Attempt, holder: Option<&str>) -> bool {
    done.overtaken.is_some() && done.overtaken.as_deref() == holder
}

/// Somebody wrote after us. Their value is not ours to undo.
pub(super) fn overtaken(
    request: &Request,
    done: &Attempt,
    holder: Option<&str>,
) -> Result<(), Failure> {
    let Some(ours) = &done.overtaken else {
        return Ok(());
    };
    let by = holder.map_or_else(
        || format!("which version holds {} now cannot be seen", request.label()),
        |holder| format!("{} is now on version {holder}", request.label()),
    );
    Err(Failure::new(
        Class::Conflict,
        format!("somebody wrote to {} after this run", request.target.id),
        "run again to write this value over theirs, or let theirs stand",
    )
    .because(format!("this run's version is {ours}; {by}")))
}
