//! The secrets of a run, before the values of other secrets are read. Reads nothing itself.

use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::request::{Job, Request};

use super::assemble::{Shared, assemble};
use crate::manifest::{Entry, SecretRef};
use crate::resolve::ResolvedValue;

/// One secret of a run.
pub enum Draft {
    /// Everything is known.
    Ready(Job),
    /// Values of other secrets are missing.
    Unresolved(Box<Unresolved>),
}

impl Draft {
    /// The secret's name or ARN, as given.
    pub fn id(&self) -> &str {
        match self {
            Self::Ready(job) => &job.target().id,
            Self::Unresolved(unresolved) => &unresolved.entry.name,
        }
    }
}

/// A value in another secret.
pub(super) struct RemoteValue {
    /// Which of the entry's values it is.
    pub(super) index: usize,
    pub(super) secret: SecretRef,
    pub(super) connection: Arc<Connection>,
}

/// A secret whose value, or a part of it, is in another secret.
pub struct Unresolved {
    pub(super) entry: Entry,
    /// With stand-ins for the missing values.
    pub(super) values: Vec<ResolvedValue>,
    pub(super) missing: Vec<RemoteValue>,
    pub(super) shared: Shared,
}

impl Unresolved {
    /// The secrets whose values are missing, and how they are reached.
    pub fn references(&self) -> impl Iterator<Item = (&SecretRef, &Arc<Connection>)> {
        let missing = self.missing.iter();
        missing.map(|remote| (&remote.secret, &remote.connection))
    }

    /// The request with stand-ins for the values that are missing.
    pub(crate) fn with_stand_ins(&self) -> Request {
        assemble(&self.entry, &self.values, &self.shared).0
    }

    /// The request with `resolved`, one for each of [`Unresolved::references`].
    ///
    /// # Errors
    /// A value cannot be stored as the entry asks.
    ///
    /// # Panics
    /// There are fewer values than references.
    pub fn complete(
        &self,
        resolved: impl IntoIterator<Item = ResolvedValue>,
    ) -> Result<Request, Failure> {
        let mut values = self.values.clone();
        let mut resolved = resolved.into_iter();
        for remote in &self.missing {
            values[remote.index] = resolved.next().expect("a value for each reference");
        }
        let (request, diagnostics) = assemble(&self.entry, &values, &self.shared);
        let (rejections, _) = diagnostics.into_rejections();
        if rejections.is_empty() {
            return Ok(request);
        }
        let lines: Vec<_> = rejections
            .into_iter()
            .map(|(key, why)| format!("`{key}` of {} {why}", self.entry.name))
            .collect();
        Err(Failure::new(
            Class::Input,
            lines.join("\n"),
            "correct the manifest, or the secret that the value comes from; nothing was written",
        ))
    }
}
