//! The entries of a manifest, one after the other: resolves their references, assembles their requests and collects the
//! problems. Checks how other secrets are reached, and reads none of them. What the file must look like is for the
//! manifest reader.

use std::collections::BTreeMap;
use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::region::is_region;
use upsert_secret_core::request::Job;
use upsert_secret_core::target::Target;

use super::assemble::{Shared, assemble};
use super::unresolved::{Draft, RemoteValue, Unresolved};
use crate::checks::identity;
use crate::diagnostics::{Diagnostics, Spelling};
use crate::environment::Environment;
use crate::inputs::RawInputs;
use crate::manifest::{Entry, Reference, SecretRef, UnlocatedProblem, ValueSpec};
use crate::resolve::{ResolvedValue, SecretSink, resolve};

/// Checks all entries: the valid ones and every problem of the others. Warnings go to `diagnostics`.
pub(super) fn check(
    entries: Vec<Entry>,
    raw: &RawInputs,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
    shared: Shared,
    diagnostics: &mut Diagnostics,
) -> (Vec<Draft>, Vec<UnlocatedProblem>) {
    let mut checker = EntryChecker {
        raw,
        environment,
        sink,
        shared,
        connections: BTreeMap::new(),
        entry_names: BTreeMap::new(),
        problems: Vec::new(),
    };
    let drafts: Vec<_> = entries
        .into_iter()
        .filter_map(|entry| checker.check(entry, diagnostics))
        .collect();
    for draft in &drafts {
        if let Draft::Unresolved(unresolved) = draft {
            checker.check_sources(unresolved);
        }
    }
    (drafts, checker.problems)
}

struct EntryChecker<'a> {
    raw: &'a RawInputs,
    environment: &'a Environment,
    sink: Option<&'a SecretSink<'a>>,
    shared: Shared,
    /// One connection for each pair of region and role of other secrets.
    connections: BTreeMap<(Option<String>, Option<String>), Arc<Connection>>,
    /// The entry of each secret, by the secret's name: an entry may give its ARN.
    entry_names: BTreeMap<String, String>,
    problems: Vec<UnlocatedProblem>,
}

impl EntryChecker<'_> {
    fn check(&mut self, entry: Entry, diagnostics: &mut Diagnostics) -> Option<Draft> {
        let decodes = entry.inputs().value_encoding.as_deref() == Some("base64");
        let mut is_complete = true;
        let (mut values, mut missing) = (Vec::new(), Vec::new());
        for (index, (reference, base64)) in entry.spec.references().into_iter().enumerate() {
            let value = resolve(reference, base64 || decodes, self.environment, self.sink);
            let value = value.map_err(|why| {
                self.problems.push(match entry.spec {
                    ValueSpec::Value(_) => entry.problem("value", why),
                    ValueSpec::Json { .. } => entry.member_problem(index, why),
                });
            });
            is_complete &= value.is_ok();
            // The rest of the entry is checked as well.
            values.push(value.unwrap_or_else(|()| ResolvedValue::stand_in()));
            if let Reference::Secret(secret) = reference {
                let connection = self.connect(secret, &entry);
                is_complete &= connection.is_some();
                missing.extend(connection.map(|connection| RemoteValue {
                    index,
                    secret: secret.clone(),
                    connection,
                }));
            }
        }
        let (request, entry_diagnostics) = assemble(&entry, &values, &self.shared);
        let (rejections, warnings) = entry_diagnostics.into_rejections();
        if !rejections.is_empty() {
            let problems = rejections.into_iter();
            let problems = problems.map(|(key, why)| entry.problem(key, why));
            self.problems.extend(problems);
            return None;
        }
        let secret = request.target.name.clone();
        if let Some(other) = self.entry_names.insert(secret, entry.name.clone()) {
            let why = format!("is the same secret as {other}");
            self.problems.push(entry.problem("name", why));
        }
        if !is_complete {
            return None;
        }
        if missing.is_empty() {
            for warning in warnings {
                diagnostics.warn(format!("{}: {warning}", request.target.id));
            }
            return Some(Draft::Ready(Job::Upsert(Box::new(request))));
        }
        Some(Draft::Unresolved(Box::new(Unresolved {
            entry,
            values,
            missing,
            shared: self.shared.clone(),
        })))
    }

    /// The connection to another secret; `None` if it cannot be reached.
    fn connect(&mut self, secret: &SecretRef, entry: &Entry) -> Option<Arc<Connection>> {
        let own = &self.shared.connection;
        let region = secret.region.as_ref().or(own.region.as_ref());
        let mut reject = |why: String| self.problems.push(entry.problem("value", why));
        match Target::parse(&secret.id) {
            Err(why) => reject(format!("names a secret whose name {why}")),
            Ok(target) => {
                if let (Some(of_arn), Some(region)) = (target.region(), region)
                    && of_arn != region
                {
                    reject(format!(
                        "names an ARN of {of_arn}, but is read in {region}: give `region` with it"
                    ));
                }
            }
        }
        let key = (secret.region.clone(), secret.role.clone());
        if let Some(connection) = self.connections.get(&key) {
            return Some(Arc::clone(connection));
        }
        if secret
            .region
            .as_deref()
            .is_some_and(|region| !is_region(region))
        {
            reject("names a region that is none, such as `eu-west-1`".to_owned());
        }
        let mut identity = Arc::clone(&own.identity);
        if let Some(role) = &secret.role {
            let mut raw = self.raw.clone();
            raw.role_to_assume = Some(role.clone());
            // They restrict the run's own account.
            raw.allowed_account_ids = None;
            let mut diagnostics = Diagnostics::new(Spelling::Input);
            let checked = identity::check(&raw, self.environment, &mut diagnostics);
            let (rejections, _) = diagnostics.into_rejections();
            for (_, why) in rejections {
                reject(why);
            }
            let checked = checked.map_err(|why| {
                reject(format!("cannot be read with that role: {}", why.what));
            });
            identity = Arc::new(checked.ok()?);
        }
        let connection = Arc::new(Connection {
            region: region.cloned(),
            identity,
            timeout: own.timeout,
            settings: own.settings.clone(),
        });
        self.connections.insert(key, Arc::clone(&connection));
        Some(connection)
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
