//! Current values, read twenty a call before the secrets are worked on, or one by one where that is denied. Reads only, and
//! decides nothing.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};

use futures_util::future::join_all;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::notice::Level;
use upsert_secret_core::request::{Job, Request};
use upsert_secret_core::state::ValueView;
use upsert_secret_core::store::{Call, SecretStore};

use crate::engine::observe::classify;
use crate::run_report::RunReport;

/// The most that BatchGetSecretValue takes (API model).
const BATCH: usize = 20;

/// Secrets that are read in one call, by their place in the list; or one that is not read in advance.
pub(crate) struct Chunk {
    members: Vec<usize>,
    reads: bool,
}

impl Chunk {
    /// A secret that is not read in advance.
    pub(crate) fn unread(index: usize) -> Self {
        Self {
            members: vec![index],
            reads: false,
        }
    }
}

/// The chunks in the order of the list. Secrets that are not read in advance wait for no others.
pub(crate) fn chunks(targets: &[Result<Job, Failure>]) -> VecDeque<Chunk> {
    let mut chunks = VecDeque::new();
    let mut reads = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        if readable(target).is_none() {
            chunks.push_back(Chunk::unread(index));
            continue;
        }
        reads.push(index);
        if reads.len() == BATCH {
            chunks.push_back(Chunk {
                members: std::mem::take(&mut reads),
                reads: true,
            });
        }
    }
    if !reads.is_empty() {
        chunks.push_back(Chunk {
            members: reads,
            reads: true,
        });
    }
    chunks
}

/// The request of a target whose current value is read in advance: AWSCURRENT is all that BatchGetSecretValue reads.
fn readable(target: &Result<Job, Failure>) -> Option<&Request> {
    match target {
        Ok(Job::Upsert(request)) if request.reads() && request.label() == CURRENT => Some(request),
        _ => None,
    }
}

/// Reads chunks.
pub(crate) struct Prefetcher<'a, S> {
    targets: &'a [Result<Job, Failure>],
    store: &'a S,
    report: &'a RunReport,
    /// Whether BatchGetSecretValue is denied.
    denied: Cell<bool>,
}

/// What GetSecretValue says of secrets, by their place in the list; `None` where that has to be asked.
type Read = Vec<(usize, Option<ValueView>)>;

impl<'a, S: SecretStore> Prefetcher<'a, S> {
    pub(crate) fn new(
        targets: &'a [Result<Job, Failure>],
        store: &'a S,
        report: &'a RunReport,
    ) -> Self {
        Self {
            targets,
            store,
            report,
            denied: Cell::new(false),
        }
    }

    /// Reads a chunk.
    pub(crate) async fn read(&self, chunk: Chunk) -> Read {
        let members: Vec<(usize, &str)> = chunk
            .members
            .iter()
            .filter(|_| chunk.reads)
            .filter_map(|index| Some((*index, &*readable(&self.targets[*index])?.target.id)))
            .collect();
        if members.is_empty() {
            let unread = chunk.members.into_iter();
            return unread.map(|index| (index, None)).collect();
        }
        if !self.denied.get() {
            match self.read_batch(&members).await {
                Ok(read) => return read,
                Err(error) if error.is_denied() => {
                    self.denied.set(true);
                    self.report.note(
                        Level::Notice,
                        "BatchGetSecretValue is denied: secrets are read one by one, not twenty a call",
                    );
                }
                // Whatever it is, it is reported for each secret that is then observed by itself.
                Err(_) => return members.iter().map(|(index, _)| (*index, None)).collect(),
            }
        }
        join_all(members.iter().map(|(index, id)| async {
            let read = self.store.get_value(id, CURRENT).await;
            (*index, classify(read).ok().flatten())
        }))
        .await
    }

    async fn read_batch(&self, members: &[(usize, &str)]) -> Call<Read> {
        let ids: Vec<String> = members.iter().map(|(_, id)| (*id).to_owned()).collect();
        let mut entries: BTreeMap<String, ValueView> = self
            .store
            .batch_get_values(&ids)
            .await?
            .into_iter()
            .filter_map(|entry| Some((entry.id, classify(entry.version).ok()??)))
            .collect();
        Ok(members
            .iter()
            .map(|(index, id)| (*index, entries.remove(*id)))
            .collect())
    }
}
