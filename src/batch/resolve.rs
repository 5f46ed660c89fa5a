//! Reads values that come from other secrets, before anything is written: current versions 20 per call, with one connection per
//! region and role. Must not write.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use upsert_secret_aws::{CallGate, SecretsManager};
use upsert_secret_config::manifest::SecretRef;
use upsert_secret_config::resolve::{ResolvedValue, SecretSink};
use upsert_secret_config::run::{Draft, Unresolved};
use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::request::Job;
use upsert_secret_core::state::SecretVersion;
use upsert_secret_core::store::{Call, SecretStore as _, Subject};
use upsert_secret_core::target::Target;

/// The maximum number of secrets in BatchGetSecretValue (API model).
const BATCH: usize = 20;
/// The number of concurrent calls.
const CONCURRENT_CALLS: usize = 4;

/// Reads the values of other secrets.
pub(crate) struct SourceReader<'a> {
    /// The store of the run's own account and region.
    pub(crate) store: &'a SecretsManager,
    /// The connection of that store.
    pub(crate) connection: &'a Arc<Connection>,
    /// The gate for all calls.
    pub(crate) gate: &'a Arc<CallGate>,
    /// Registers every value for redaction and log masking.
    pub(crate) sink: &'a SecretSink<'a>,
}

/// A secret ID and the staging label of the version to read.
type SourceKey = (String, String);
type Values = BTreeMap<SourceKey, Result<ResolvedValue, Failure>>;

fn source_key(reference: &SecretRef) -> SourceKey {
    let stage = reference.stage.as_deref().unwrap_or(CURRENT);
    (reference.id.clone(), stage.to_owned())
}

impl SourceReader<'_> {
    /// Completes the drafts that need values of other secrets. If a value cannot be read, the drafts that need it fail.
    pub(crate) async fn complete(&self, drafts: Vec<Draft>) -> Vec<Result<Job, Failure>> {
        let mut sources: Vec<(Arc<Connection>, Values)> = Vec::new();
        for draft in &drafts {
            let Draft::Unresolved(unresolved) = draft else {
                continue;
            };
            for (reference, connection) in unresolved.references() {
                let known = sources
                    .iter()
                    .position(|(known, _)| Arc::ptr_eq(known, connection));
                let index = known.unwrap_or_else(|| {
                    sources.push((Arc::clone(connection), Values::new()));
                    sources.len() - 1
                });
                let values = &mut sources[index].1;
                values.insert(source_key(reference), Err(not_read()));
            }
        }
        for (connection, values) in &mut sources {
            self.read(connection, values).await;
        }
        drafts
            .into_iter()
            .map(|draft| match draft {
                Draft::Ready(job) => Ok(job),
                Draft::Unresolved(unresolved) => complete(&unresolved, &sources, self.sink),
            })
            .collect()
    }

    /// Reads all values over one connection.
    async fn read(&self, connection: &Arc<Connection>, values: &mut Values) {
        let connected;
        let is_own = Arc::ptr_eq(&connection.identity, &self.connection.identity)
            && connection.region == self.connection.region;
        let store = if is_own {
            self.store
        } else {
            let subject = Subject::new("the secret that the value comes from", "*");
            match upsert_secret_aws::connect(connection, Arc::clone(self.gate), subject).await {
                Ok(there) => {
                    connected = there.store;
                    &connected
                }
                Err(failure) => {
                    for ((id, _), value) in values {
                        *value = Err(not_readable(id, failure.clone()));
                    }
                    return;
                }
            }
        };
        let (current, others): (Vec<SourceKey>, Vec<SourceKey>) = values
            .keys()
            .cloned()
            .partition(|(_, stage)| stage == CURRENT);
        let chunks = current.chunks(BATCH).chain(others.chunks(1));
        let mut reads = stream::iter(chunks.map(<[SourceKey]>::to_vec))
            .map(|keys| self.read_chunk(store, keys))
            .buffer_unordered(CONCURRENT_CALLS);
        while let Some(read) = reads.next().await {
            values.extend(read);
        }
    }

    /// Reads current values in one call. Reads a value individually if the call or the entry for that secret is denied, if the
    /// response omits the secret, or if another version is requested.
    async fn read_chunk(&self, store: &SecretsManager, keys: Vec<SourceKey>) -> Values {
        let mut read = Values::new();
        let current = keys.iter().filter(|(_, stage)| stage == CURRENT);
        let ids: Vec<String> = current.map(|(id, _)| id.clone()).collect();
        if !ids.is_empty()
            && let Ok(entries) = store.batch_get_values(&ids).await
        {
            for entry in entries.into_iter().filter(|entry| !entry.is_denied()) {
                let value = self.resolve(store, entry.version, &entry.id, CURRENT).await;
                read.insert((entry.id, CURRENT.to_owned()), value);
            }
        }
        for key in keys {
            if let Entry::Vacant(entry) = read.entry(key) {
                let (id, stage) = entry.key();
                let version = store.get_value(id, stage).await;
                let value = self.resolve(store, version, id, stage).await;
                entry.insert(value);
            }
        }
        read
    }

    async fn resolve(
        &self,
        store: &SecretsManager,
        version: Call<Option<SecretVersion>>,
        id: &str,
        stage: &str,
    ) -> Result<ResolvedValue, Failure> {
        match version {
            Ok(Some(version)) => Ok(ResolvedValue::stored(&version.value, self.sink)),
            Ok(None) => Err(absent(store, id, stage).await),
            Err(error) => {
                let target = Target::parse(id).unwrap_or_default();
                let subject = Subject::new(id, &target.name);
                Err(not_readable(id, store.diagnose(&error, subject)))
            }
        }
    }
}

fn complete(
    unresolved: &Unresolved,
    sources: &[(Arc<Connection>, Values)],
    sink: &SecretSink<'_>,
) -> Result<Job, Failure> {
    let values = unresolved.references().map(|(reference, connection)| {
        sources
            .iter()
            .find(|(known, _)| Arc::ptr_eq(known, connection))
            .and_then(|(_, values)| values.get(&source_key(reference)))
            .cloned()
            .unwrap_or_else(|| Err(not_read()))
    });
    let request = unresolved.complete(values.collect::<Result<Vec<_>, _>>()?, sink)?;
    Ok(Job::Upsert(Box::new(request)))
}

/// The failure for a missing value. AWS has one error for both a missing secret and a missing version.
async fn absent(store: &SecretsManager, id: &str, stage: &str) -> Failure {
    let what = match store.describe(id).await {
        Ok(None) => "does not exist".to_owned(),
        Ok(Some(secret)) if secret.deleted => "is scheduled for deletion".to_owned(),
        Ok(Some(_)) => format!("has no version with the label {stage}"),
        Err(_) => format!("does not exist, or has no version with the label {stage}"),
    };
    Failure::new(
        Class::Refused,
        format!(
            "{id} in {}, the source of the value, {what}",
            store.region()
        ),
        "check id, region and stage of `secret` in the manifest",
    )
}

fn not_readable(id: &str, failure: Failure) -> Failure {
    Failure {
        what: format!("the value cannot be read from {id}: {}", failure.what),
        ..failure
    }
}

fn not_read() -> Failure {
    Failure::new(
        Class::Unavailable,
        "the value of another secret was not read",
        "run again",
    )
}
