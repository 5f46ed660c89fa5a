//! Entry by entry: references are looked up, the desired state is checked, and everything that is wrong is collected.

use std::collections::BTreeMap;
use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::region::is_region;
use upsert_secret_core::request::{Job, Request};
use upsert_secret_core::target::Target;

use super::assemble::{Assembled, Shared, assemble};
use super::guard;
use super::unresolved::{Draft, RemoteKey, Unresolved, remote_key};
use crate::checks::identity;
use crate::diagnostics::{Diagnostics, Spelling};
use crate::environment::Environment;
use crate::inputs::RawInputs;
use crate::manifest::{Entry, InputProblem, SecretRef, ValueSpec};
use crate::resolve::{self, ResolvedValue, SecretSink, ValuePart};

/// Checks entry by entry, and collects what is wrong.
pub(super) struct EntryChecker<'a> {
    pub(super) raw: &'a RawInputs,
    pub(super) environment: &'a Environment,
    pub(super) sink: Option<&'a SecretSink<'a>>,
    pub(super) shared: &'a Shared,
    pub(super) problems: Vec<InputProblem>,
    pub(super) connections: BTreeMap<RemoteKey, Arc<Connection>>,
    /// A secret may be named by its name and by its ARN.
    pub(super) names: BTreeMap<String, String>,
}

/// An entry in order; without parts where all its values are known.
struct CheckedEntry {
    request: Request,
    unresolved: Option<(Box<Entry>, Vec<ValuePart>)>,
}

impl EntryChecker<'_> {
    /// Checks all entries: what is in order, and everything that is wrong.
    pub(super) fn check_all(
        mut self,
        entries: Vec<Entry>,
        warnings: &mut Vec<String>,
    ) -> (Vec<Draft>, Vec<InputProblem>) {
        let checked: Vec<_> = entries
            .into_iter()
            .filter_map(|entry| self.check(entry, warnings))
            .collect();
        let unresolved = checked
            .iter()
            .filter_map(|checked| checked.unresolved.as_ref())
            .map(|(entry, parts)| (&**entry, parts.as_slice()));
        let circles = guard::circles(unresolved, &self.names, &self.shared.connection);
        self.problems.extend(circles);
        let connections = Arc::new(self.connections);
        let drafts = checked.into_iter().map(|checked| match checked.unresolved {
            None => Draft::Ready(Job::Upsert(Box::new(checked.request))),
            Some((entry, parts)) => Draft::Unresolved(Box::new(Unresolved {
                entry,
                parts,
                connections: Arc::clone(&connections),
                shared: self.shared.clone(),
            })),
        });
        (drafts.collect(), self.problems)
    }

    fn check(&mut self, entry: Entry, warnings: &mut Vec<String>) -> Option<CheckedEntry> {
        let (parts, complete) = self.look_up(&entry);
        for part in &parts {
            if let ValuePart::Elsewhere(reference) = part {
                self.connect(reference, &entry);
            }
        }
        let known: Vec<ResolvedValue> = parts.iter().map(ValuePart::or_stand_in).collect();
        let Assembled {
            request,
            problems,
            warnings: found,
        } = assemble(&entry, &known, self.shared);
        if !problems.is_empty() {
            let problems = problems.into_iter();
            self.problems
                .extend(problems.map(|(key, why)| entry.problem(key, why)));
            return None;
        }
        let twin = self
            .names
            .insert(request.target.name.clone(), entry.name.clone());
        if let Some(twin) = twin {
            let why = format!("is the same secret as {twin}");
            self.problems.push(entry.problem("name", why));
        }
        if !complete {
            return None;
        }
        if parts
            .iter()
            .any(|part| matches!(part, ValuePart::Elsewhere(_)))
        {
            return Some(CheckedEntry {
                request,
                unresolved: Some((Box::new(entry), parts)),
            });
        }
        for warning in found {
            warnings.push(format!("{}: {warning}", request.target.id));
        }
        Some(CheckedEntry {
            request,
            unresolved: None,
        })
    }

    /// The values of an entry, and whether all of them could be looked up. One that could not has a stand-in, so that the
    /// rest of the entry is checked as well.
    fn look_up(&mut self, entry: &Entry) -> (Vec<ValuePart>, bool) {
        let limit = self.shared.connection.timeout;
        let decodes = entry.inputs().value_encoding.as_deref() == Some("base64");
        let mut complete = true;
        let mut parts = Vec::new();
        for (member, (reference, base64)) in entry.spec.references().into_iter().enumerate() {
            let base64 = base64 || decodes;
            let part = match self.sink {
                None => Ok(resolve::stand_in(reference)),
                Some(sink) => resolve::look_up(reference, base64, self.environment, limit, sink),
            };
            parts.push(part.unwrap_or_else(|why| {
                self.problems.push(match entry.spec {
                    ValueSpec::Value(_) => entry.problem("value", why),
                    ValueSpec::Json { .. } => entry.member_problem(member, why),
                });
                complete = false;
                resolve::stand_in(reference)
            }));
        }
        (parts, complete)
    }

    /// How another secret is reached.
    fn connect(&mut self, reference: &SecretRef, entry: &Entry) {
        let named = Target::parse(&reference.id);
        let asked = reference
            .region
            .as_ref()
            .or(self.shared.connection.region.as_ref());
        match &named {
            Err(why) => self
                .problems
                .push(entry.problem("value", format!("names a secret whose name {why}"))),
            Ok(named) => {
                if let (Some(there), Some(asked)) = (named.region(), asked)
                    && there != asked
                {
                    let why = format!(
                        "names an ARN of {there}, but is read in {asked}: give `region` with it"
                    );
                    self.problems.push(entry.problem("value", why));
                }
            }
        }
        let key = remote_key(reference);
        if self.connections.contains_key(&key) {
            return;
        }
        let own = &self.shared.connection;
        let mut diagnostics = Diagnostics::new(Spelling::Key);
        let mut raw = self.raw.public();
        if let Some(role) = &reference.role {
            raw.role_to_assume = Some(role.clone());
            // Those are about the run's own account.
            raw.allowed_account_ids = None;
        }
        if reference
            .region
            .as_deref()
            .is_some_and(|region| !is_region(region))
        {
            diagnostics.reject("value", "names a region that is none, such as `eu-west-1`");
        }
        let mut warnings = Vec::new();
        match identity::check(&raw, self.environment, &mut diagnostics, &mut warnings) {
            Ok(identity) => {
                let connection = Connection {
                    region: reference.region.clone().or_else(|| own.region.clone()),
                    identity: if reference.role.is_some() {
                        Arc::new(identity)
                    } else {
                        Arc::clone(&own.identity)
                    },
                    timeout: own.timeout,
                    settings: own.settings.clone(),
                };
                self.connections.insert(key, Arc::new(connection));
            }
            Err(why) => diagnostics.reject(
                "value",
                format!("cannot be read with that role: {}", why.what),
            ),
        }
        for (_, why) in diagnostics.of_keys {
            self.problems.push(entry.problem("value", why));
        }
    }
}
