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

/// The value of an entry or of one of its members.
pub(super) enum ValuePart {
    Known(ResolvedValue),
    /// The value of another secret.
    Remote(SecretRef, Arc<Connection>),
}

impl ValuePart {
    pub(super) fn is_remote(&self) -> bool {
        matches!(self, Self::Remote(..))
    }

    /// The value, or a stand-in.
    pub(super) fn or_stand_in(&self) -> ResolvedValue {
        match self {
            Self::Known(value) => value.clone(),
            Self::Remote(..) => ResolvedValue::stand_in(),
        }
    }
}

/// A secret whose value, or a part of it, is in another secret.
pub struct Unresolved {
    pub(super) entry: Entry,
    pub(super) parts: Vec<ValuePart>,
    pub(super) shared: Shared,
}

impl Unresolved {
    /// The secrets whose values are missing, and how they are reached.
    pub fn references(&self) -> impl Iterator<Item = (&SecretRef, &Arc<Connection>)> {
        self.parts.iter().filter_map(|part| match part {
            ValuePart::Known(_) => None,
            ValuePart::Remote(reference, connection) => Some((reference, connection)),
        })
    }

    /// The request with stand-ins for the values that are missing.
    pub fn with_stand_ins(&self) -> Request {
        let values: Vec<_> = self.parts.iter().map(ValuePart::or_stand_in).collect();
        assemble(&self.entry, &values, &self.shared).0
    }

    /// The request with `values`, one for each of [`Unresolved::references`].
    ///
    /// # Errors
    /// A value cannot be stored as the entry asks.
    ///
    /// # Panics
    /// There are fewer values than references.
    pub fn complete(
        &self,
        values: impl IntoIterator<Item = ResolvedValue>,
    ) -> Result<Request, Failure> {
        let mut values = values.into_iter();
        let values: Vec<_> = self
            .parts
            .iter()
            .map(|part| match part {
                ValuePart::Known(value) => value.clone(),
                ValuePart::Remote(..) => values.next().expect("a value for each reference"),
            })
            .collect();
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
