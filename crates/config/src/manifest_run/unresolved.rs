//! The secrets of a run before the values of other secrets are read. Must not read values itself.

use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::json::KeyPath;
use upsert_secret_core::request::{Job, Request};

use super::assemble::{Shared, assemble};
use crate::manifest::{Entry, Reference, SecretRef, ValueSpec};
use crate::resolve::{ResolvedValue, SecretSink, extract};

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
    /// The index of the value in the entry.
    pub(super) index: usize,
    pub(super) secret: SecretRef,
    /// The location of the value in the secret's JSON document.
    pub(super) pointer: Option<KeyPath>,
    /// Whether it is taken as JSON rather than as the text of a string.
    pub(super) as_json: bool,
    pub(super) connection: Arc<Connection>,
}

/// A secret with a value, or part of one, that comes from another secret.
pub struct Unresolved {
    pub(super) entry: Entry,
    /// Includes placeholders for the missing values.
    pub(super) values: Vec<ResolvedValue>,
    pub(super) missing: Vec<RemoteValue>,
    pub(super) shared: Shared,
}

impl Unresolved {
    /// The secrets whose values are missing, and the connections for reading them.
    pub fn references(&self) -> impl Iterator<Item = (&SecretRef, &Arc<Connection>)> {
        let missing = self.missing.iter();
        missing.map(|remote| (&remote.secret, &remote.connection))
    }

    /// The request with placeholders for the missing values.
    pub(crate) fn with_stand_ins(&self) -> Request {
        assemble(&self.entry, &self.values, &self.shared).0
    }

    /// The request with `resolved`, one for each of [`Unresolved::references`]. Parts extracted from them go to the sink.
    ///
    /// # Errors
    /// A value cannot be stored as requested in the entry.
    ///
    /// # Panics
    /// There are fewer values than references.
    pub fn complete(
        &self,
        resolved: impl IntoIterator<Item = ResolvedValue>,
        sink: &SecretSink<'_>,
    ) -> Result<Request, Failure> {
        let mut values = self.values.clone();
        let mut resolved = resolved.into_iter();
        let mut lines = Vec::new();
        for remote in &self.missing {
            let mut value = resolved.next().expect("a value for each reference");
            if let Some(pointer) = &remote.pointer {
                let reference = Reference::Secret(remote.secret.clone());
                let neighbor = self.entry.spec.pointer_neighbor();
                let element = extract(&value, pointer, remote.as_json, &reference, neighbor, sink);
                match element {
                    Ok(element) => value = element,
                    Err(why) => lines.push(format!(
                        "{} of {} {why}",
                        self.key(remote.index),
                        self.entry.name
                    )),
                }
            }
            values[remote.index] = value;
        }
        if !lines.is_empty() {
            return Err(reject(&lines));
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
        Err(reject(&lines))
    }

    /// The purpose of the value with this index.
    fn key(&self, index: usize) -> String {
        match &self.entry.spec {
            ValueSpec::Json { members, .. } => format!("the key {} in `json`", members[index].key),
            ValueSpec::Value { .. } | ValueSpec::Dotenv { .. } => "`value`".to_owned(),
        }
    }
}

fn reject(lines: &[String]) -> Failure {
    Failure::new(
        Class::Input,
        lines.join("\n"),
        "correct the manifest, or the secret that the value comes from; nothing was written to this one",
    )
}
