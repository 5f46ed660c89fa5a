//! The entries of a manifest, one after the other: resolves their references, assembles their requests and collects the
//! problems. What the file must look like is for the manifest reader.

use std::collections::BTreeMap;

use upsert_secret_core::request::Job;
use upsert_secret_core::target::Target;

use super::assemble::{Shared, assemble};
use super::remote::RemoteConnections;
use super::unresolved::{Draft, Unresolved, ValuePart};
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::RawInputs;
use crate::manifest::{Entry, SecretRef, UnlocatedProblem, ValueSpec};
use crate::resolve::{self, Resolution, ResolvedValue, SecretSink};

pub(super) struct EntryChecker<'a> {
    raw: &'a RawInputs,
    environment: &'a Environment,
    sink: Option<&'a SecretSink<'a>>,
    shared: Shared,
    remotes: RemoteConnections,
    /// The entry of each secret, by the secret's name: an entry may give its ARN.
    entry_names: BTreeMap<String, String>,
    problems: Vec<UnlocatedProblem>,
}

impl<'a> EntryChecker<'a> {
    pub(super) fn new(
        raw: &'a RawInputs,
        environment: &'a Environment,
        sink: Option<&'a SecretSink<'a>>,
        shared: Shared,
    ) -> Self {
        Self {
            raw,
            environment,
            sink,
            shared,
            remotes: RemoteConnections::default(),
            entry_names: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// Checks all entries: the valid ones and every problem of the others. Warnings go to `diagnostics`.
    pub(super) fn check_all(
        mut self,
        entries: Vec<Entry>,
        diagnostics: &mut Diagnostics,
    ) -> (Vec<Draft>, Vec<UnlocatedProblem>) {
        let drafts: Vec<_> = entries
            .into_iter()
            .filter_map(|entry| self.check(entry, diagnostics))
            .collect();
        for draft in &drafts {
            if let Draft::Unresolved(unresolved) = draft {
                self.check_sources(unresolved);
            }
        }
        (drafts, self.problems)
    }

    fn check(&mut self, entry: Entry, diagnostics: &mut Diagnostics) -> Option<Draft> {
        let (parts, is_complete) = self.resolve_parts(&entry);
        let values: Vec<_> = parts.iter().map(ValuePart::or_stand_in).collect();
        let (request, entry_diagnostics) = assemble(&entry, &values, &self.shared);
        let (rejections, warnings) = entry_diagnostics.into_rejections();
        if !rejections.is_empty() {
            let rejections = rejections.into_iter();
            self.problems
                .extend(rejections.map(|(key, why)| entry.problem(key, why)));
            return None;
        }
        let same_secret = self
            .entry_names
            .insert(request.target.name.clone(), entry.name.clone());
        if let Some(other) = same_secret {
            let why = format!("is the same secret as {other}");
            self.problems.push(entry.problem("name", why));
        }
        if !is_complete {
            return None;
        }
        if parts.iter().any(ValuePart::is_remote) {
            return Some(Draft::Unresolved(Box::new(Unresolved {
                entry,
                parts,
                shared: self.shared.clone(),
            })));
        }
        for warning in warnings {
            diagnostics.warn(format!("{}: {warning}", request.target.id));
        }
        Some(Draft::Ready(Job::Upsert(Box::new(request))))
    }

    /// The values of an entry, and whether all of them are known or can be reached. The others have stand-ins, so that
    /// the rest of the entry is checked as well.
    fn resolve_parts(&mut self, entry: &Entry) -> (Vec<ValuePart>, bool) {
        let decodes = entry.inputs().value_encoding.as_deref() == Some("base64");
        let mut is_complete = true;
        let mut parts = Vec::new();
        for (member, (reference, base64)) in entry.spec.references().into_iter().enumerate() {
            let resolution = match self.sink {
                None => Ok(resolve::stand_in(reference)),
                Some(sink) => {
                    resolve::resolve(reference, base64 || decodes, self.environment, sink)
                }
            };
            let part = match resolution {
                Ok(Resolution::Value(value)) => Some(ValuePart::Known(value)),
                Ok(Resolution::Secret(secret)) => self.connect(secret, entry),
                Err(why) => {
                    self.problems.push(match entry.spec {
                        ValueSpec::Value(_) => entry.problem("value", why),
                        ValueSpec::Json { .. } => entry.member_problem(member, why),
                    });
                    None
                }
            };
            is_complete &= part.is_some();
            parts.push(part.unwrap_or_else(|| ValuePart::Known(ResolvedValue::stand_in())));
        }
        (parts, is_complete)
    }

    fn connect(&mut self, secret: &SecretRef, entry: &Entry) -> Option<ValuePart> {
        let mut problems = Vec::new();
        let connection = self.remotes.connect(
            secret,
            &self.shared.connection,
            self.raw,
            self.environment,
            &mut problems,
        );
        let problems = problems.into_iter();
        self.problems
            .extend(problems.map(|why| entry.problem("value", why)));
        Some(ValuePart::Remote(secret.clone(), connection?))
    }

    /// Rejects values from secrets that the same run writes. They would be those from before the run, and a secret that
    /// reads itself, or two that read each other, would change with every run.
    fn check_sources(&mut self, unresolved: &Unresolved) {
        for (secret, connection) in unresolved.references() {
            if secret.role.is_some() || connection.region != self.shared.connection.region {
                continue;
            }
            let Ok(target) = Target::parse(&secret.id) else {
                continue;
            };
            // An ARN may be of another account, where the same name is another secret.
            let written = self
                .entry_names
                .get(&target.name)
                .filter(|name| !target.is_arn() || **name == secret.id);
            if let Some(name) = written {
                self.problems.push(unresolved.entry.problem(
                    "value",
                    format!("is to come from {name}, which this manifest writes: give both the same source"),
                ));
            }
        }
    }
}
