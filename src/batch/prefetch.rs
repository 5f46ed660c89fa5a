//! Reads current values before the engine runs: twenty a call, or one by one if BatchGetSecretValue is denied. It writes
//! nothing and decides nothing.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};

use futures_util::future::join_all;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::notice::Level;
use upsert_secret_core::request::Request;
use upsert_secret_core::state::ValueView;
use upsert_secret_core::store::{Call, SecretStore};

use crate::engine::observe::classify;
use crate::run_report::RunReport;

/// The most that BatchGetSecretValue takes (API model).
pub(crate) const BATCH: usize = 20;

/// The secrets that are read in one call.
pub(crate) enum Chunk<'a> {
    /// A secret that is not read in advance, by its index in the list.
    Unread(usize),
    /// The ids of up to twenty secrets, each with its index in the list.
    Read(Vec<(usize, &'a str)>),
}

/// The chunks in the order of the list, with a request or `None` for each secret. A secret that is not read in advance does
/// not wait for a chunk to fill.
pub(crate) fn chunks<'a>(
    requests: impl IntoIterator<Item = Option<&'a Request>>,
) -> VecDeque<Chunk<'a>> {
    let mut chunks = VecDeque::new();
    let mut members = Vec::new();
    for (index, request) in requests.into_iter().enumerate() {
        match request {
            // BatchGetSecretValue only reads AWSCURRENT.
            Some(request) if request.reads() && request.label() == CURRENT => {
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

/// The reader of chunks, which remembers a denial.
pub(crate) struct Prefetcher<'a, S> {
    store: &'a S,
    report: &'a RunReport,
    /// Whether BatchGetSecretValue is denied.
    denied: Cell<bool>,
}

/// GetSecretValue's answers with the index of each secret in the list; `None` if the engine has to read the value.
type Read = Vec<(usize, Option<ValueView>)>;

impl<'a, S: SecretStore> Prefetcher<'a, S> {
    pub(crate) fn new(store: &'a S, report: &'a RunReport) -> Self {
        Self {
            store,
            report,
            denied: Cell::new(false),
        }
    }

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
                // The engine observes each of the secrets, and reports the error if it persists.
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
