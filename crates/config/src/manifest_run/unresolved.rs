//! Entries whose values, or parts of them, are in other secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::request::{Job, Request};

use super::assemble::{Shared, assemble};
use crate::manifest::{Entry, SecretRef};
use crate::resolve::{ResolvedValue, ValuePart};

/// One secret of a run.
pub enum Draft {
    /// Everything is known.
    Ready(Job),
    /// Values of other secrets are missing.
    Unresolved(Box<Unresolved>),
}

impl Draft {
    /// The secret, as it was named.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Ready(job) => &job.target().id,
            Self::Unresolved(unresolved) => &unresolved.entry.name,
        }
    }
}

/// Region and role of another secret, where they differ from the run's.
pub(super) type RemoteKey = (Option<String>, Option<String>);

/// The key of a reference's connection.
pub(super) fn remote_key(reference: &SecretRef) -> RemoteKey {
    (reference.region.clone(), reference.role.clone())
}

/// A secret whose value, or a part of it, is in another secret.
pub struct Unresolved {
    pub(super) entry: Box<Entry>,
    pub(super) parts: Vec<ValuePart>,
    /// The connection to each region and role that values come from.
    pub(super) connections: Arc<BTreeMap<RemoteKey, Arc<Connection>>>,
    pub(super) shared: Shared,
}

impl Unresolved {
    /// The secrets whose values are missing, and how they are reached.
    pub fn references(&self) -> impl Iterator<Item = (&SecretRef, &Arc<Connection>)> {
        self.parts.iter().filter_map(|part| match part {
            ValuePart::Elsewhere(reference) => {
                Some((reference, self.connections.get(&remote_key(reference))?))
            }
            ValuePart::Here(_) => None,
        })
    }

    /// The request with stand-ins for the values that are missing.
    #[must_use]
    pub fn with_stand_ins(&self) -> Request {
        let found: Vec<ResolvedValue> = self.parts.iter().map(ValuePart::or_stand_in).collect();
        assemble(&self.entry, &found, &self.shared).request
    }

    /// The request, with these values in the order of [`Unresolved::references`].
    ///
    /// # Errors
    /// The value cannot be stored as asked.
    pub fn complete(
        &self,
        values: impl IntoIterator<Item = ResolvedValue>,
    ) -> Result<Request, Failure> {
        let mut values = values.into_iter();
        let found: Vec<ResolvedValue> = self
            .parts
            .iter()
            .filter_map(|part| match part {
                ValuePart::Here(found) => Some(found.clone()),
                ValuePart::Elsewhere(_) => values.next(),
            })
            .collect();
        let assembled = assemble(&self.entry, &found, &self.shared);
        if assembled.problems.is_empty() {
            return Ok(assembled.request);
        }
        let wrong: Vec<_> = assembled
            .problems
            .into_iter()
            .map(|(key, why)| format!("`{key}` of {} {why}", self.entry.name))
            .collect();
        Err(Failure::new(
            Class::Input,
            wrong.join("\n"),
            "correct the manifest, or the secret that the value comes from; nothing was written",
        ))
    }
}
