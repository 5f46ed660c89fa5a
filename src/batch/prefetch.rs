//! Current values, read twenty a call before the secrets are worked on, or one by one where that is denied. Reads only, and
//! decides nothing.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};

use futures_util::future::join_all;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::notice::Level;
use upsert_secret_core::request::Job;
use upsert_secret_core::state::ValueView;
use upsert_secret_core::store::{Call, SecretStore};

use crate::engine::observe::classify;
use crate::run_report::RunReport;

/// The most that BatchGetSecretValue takes (API model).
const BATCH: usize = 20;

/// What is read in one call.
pub(crate) enum Chunk<'a> {
    /// A secret that is not read in advance, by its place in the list.
    Unread(usize),
    /// The ids of up to twenty secrets, each with its place in the list.
    Read(Vec<(usize, &'a str)>),
}

/// The chunks in the order of the list. Secrets that are not read in advance wait for no others.
pub(crate) fn chunks(targets: &[Result<Job, Failure>]) -> VecDeque<Chunk<'_>> {
    let mut chunks = VecDeque::new();
    let mut members = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        match target {
            // AWSCURRENT is all that BatchGetSecretValue reads.
            Ok(Job::Upsert(request)) if request.reads() && request.label() == CURRENT => {
                members.push((index, request.target.id.as_str()));
            }
            _ => chunks.push_back(Chunk::Unread(index)),
        }
        if members.len() == BATCH {
            chunks.push_back(Chunk::Read(std::mem::take(&mut members)));
        }
    }
    if !members.is_empty() {
        chunks.push_back(Chunk::Read(members));
    }
    chunks
}

/// Reads chunks.
pub(crate) struct Prefetcher<'a, S> {
    store: &'a S,
    report: &'a RunReport,
    /// Whether BatchGetSecretValue is denied.
    denied: Cell<bool>,
}

/// What GetSecretValue says of secrets, by their place in the list; `None` where that has to be asked.
type Read = Vec<(usize, Option<ValueView>)>;

impl<'a, S: SecretStore> Prefetcher<'a, S> {
    pub(crate) fn new(store: &'a S, report: &'a RunReport) -> Self {
        Self {
            store,
            report,
            denied: Cell::new(false),
        }
    }

    /// Reads a chunk.
    pub(crate) async fn read(&self, chunk: Chunk<'_>) -> Read {
        let members = match chunk {
            Chunk::Unread(index) => return vec![(index, None)],
            Chunk::Read(members) => members,
        };
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
