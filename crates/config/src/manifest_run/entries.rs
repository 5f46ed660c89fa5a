//! Processes the entries of a manifest one by one: resolves their references, assembles their requests and collects the
//! problems. Checks how to reach other secrets. Must not read them. The manifest reader owns the structure of the file.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::region::is_region;
use upsert_secret_core::request::Job;
use upsert_secret_core::target::Target;
use upsert_secret_core::value::MAX_BYTES;

use super::assemble::{Shared, assemble};
use super::unresolved::{Draft, RemoteValue, Unresolved};
use crate::checks::identity;
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::RawInputs;
use crate::manifest::{Entry, Qualified, Reference, SecretRef, UnlocatedProblem, ValueSpec};
use crate::resolve::{ResolvedValue, SecretSink, extract, resolve};
use crate::spelling::Spelling;

/// Checks all entries and returns the valid ones and all problems with the others. Warnings go to `diagnostics`.
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
        values: HashMap::new(),
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
    /// One connection per region and role of other secrets.
    connections: BTreeMap<(Option<String>, Option<String>), Arc<Connection>>,
    /// The values of variables and files that have been read, by reference, and by whether they are decoded.
    values: HashMap<(Reference, bool), Result<ResolvedValue, String>>,
    /// The entry of each secret, by the secret's name, because an entry may use an ARN.
    entry_names: BTreeMap<String, String>,
    problems: Vec<UnlocatedProblem>,
}

impl EntryChecker<'_> {
    fn check(&mut self, entry: Entry, diagnostics: &mut Diagnostics) -> Option<Draft> {
        let inputs = entry.inputs();
        let decodes = inputs.value_encoding.as_deref() == Some("base64");
        let takes_json = inputs.json_value_as.as_deref() == Some("json");
        let mut is_complete = true;
        let (mut values, mut missing) = (Vec::new(), Vec::new());
        let mut length = 0;
        for (index, source) in entry.spec.references().into_iter().enumerate() {
            if length > MAX_BYTES {
                // The document is already too large, whatever the other members contain.
                values.push(ResolvedValue::stand_in_for(source.reference));
                continue;
            }
            let Qualified {
                reference, pointer, ..
            } = source;
            let as_json = source.as_json || takes_json;
            let mut value = self.resolve(reference, source.base64 || decodes);
            if let (Ok(document), Some(pointer), Some(sink)) = (&value, pointer, self.sink)
                && !matches!(reference, Reference::Secret(_))
            {
                value = extract(
                    document,
                    pointer,
                    as_json,
                    reference,
                    entry.spec.pointer_neighbor(),
                    sink,
                );
            }
            let value = value.map_err(|why| {
                self.problems.push(match entry.spec {
                    ValueSpec::Json { .. } => entry.member_problem(index, why),
                    ValueSpec::Value { .. } | ValueSpec::Dotenv { .. } => {
                        entry.problem("value", why)
                    }
                });
            });
            is_complete &= value.is_ok();
            // Continue checking the rest of the entry.
            let value = value.unwrap_or_else(|()| ResolvedValue::stand_in_for(reference));
            length += value.expose().trim_ascii().len();
            values.push(value);
            if let Reference::Secret(secret) = reference {
                let connection = self.connect(secret, &entry);
                is_complete &= connection.is_some();
                missing.extend(connection.map(|connection| RemoteValue {
                    index,
                    secret: secret.clone(),
                    pointer: pointer.cloned(),
                    as_json,
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
        // Warn about the values that are already known.
        for warning in warnings {
            diagnostics.warn(format!("{}: {warning}", request.target.id));
        }
        if missing.is_empty() {
            return Some(Draft::Ready(Job::Upsert(Box::new(request))));
        }
        Some(Draft::Unresolved(Box::new(Unresolved {
            entry,
            values,
            missing,
            shared: self.shared.clone(),
        })))
    }

    /// The value of a reference. A variable or file shared by thousands of entries is read only once.
    fn resolve(&mut self, reference: &Reference, base64: bool) -> Result<ResolvedValue, String> {
        let read = || resolve(reference, base64, self.environment, self.sink);
        match reference {
            Reference::Env(_) | Reference::File(_) | Reference::Dotenv(_) => {
                let known = self.values.entry((reference.clone(), base64));
                known.or_insert_with(read).clone()
            }
            Reference::Secret(_) | Reference::Generate(_) => read(),
        }
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
                        "names an ARN in {of_arn}, but is read in {region}: set `region`"
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
            reject("must name a region, such as `eu-west-1`".to_owned());
        }
        let mut identity = Arc::clone(&own.identity);
        if let Some(role) = &secret.role {
            let mut raw = self.raw.clone();
            raw.role_to_assume = Some(role.clone());
            // They restrict only the run's own account.
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

    /// Rejects values from secrets that the same run writes. Such values would predate the run, and a secret that reads itself,
    /// or two that read each other, would change with every run.
    fn check_sources(&mut self, unresolved: &Unresolved) {
        for (secret, connection) in unresolved.references() {
            if secret.role.is_some() || connection.region != self.shared.connection.region {
                continue;
            }
            let Ok(target) = Target::parse(&secret.id) else {
                continue;
            };
            // An ARN may belong to another account, where the same name is a different secret.
            let written = self
                .entry_names
                .get(&target.name)
                .filter(|name| !target.is_arn() || **name == secret.id);
            if let Some(name) = written {
                self.problems.push(unresolved.entry.problem(
                    "value",
                    format!(
                        "comes from {name}, which this manifest writes: give both the same source"
                    ),
                ));
            }
        }
    }
}
