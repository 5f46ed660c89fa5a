//! Reads current values before the engine runs, 20 per call, or individually if batch reads are denied. Must not write or
//! decide anything.

use std::cell::Cell;
use std::collections::VecDeque;

use futures_util::future::join_all;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::notice::Level;
use upsert_secret_core::request::Job;
use upsert_secret_core::state::ValueView;
use upsert_secret_core::store::{Call, SecretStore};

use crate::engine::job::PreparedTarget;
use crate::engine::observe::classify;
use crate::run_report::RunReport;

/// The maximum number of secrets in BatchGetSecretValue (API model).
pub(crate) const BATCH: usize = 20;

/// The secrets read in one call.
pub(crate) enum Chunk<'a> {
    /// A secret that is not prefetched, by its index in the list.
    Unread(usize),
    /// The IDs of up to 20 secrets, each with its index in the list.
    Read(Vec<(usize, &'a str)>),
}

/// The chunks in list order, with a job or `None` for each secret. A secret that is not prefetched does not wait for a chunk to
/// fill.
pub(crate) fn chunks<'a>(jobs: impl IntoIterator<Item = Option<&'a Job>>) -> VecDeque<Chunk<'a>> {
    let mut chunks = VecDeque::new();
    let mut members = Vec::new();
    for (index, job) in jobs.into_iter().enumerate() {
        match job {
            Some(job) if job.reads() => {
                members.push((index, job.target().id.as_str()));
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

/// Reads chunks, and remembers a denial.
pub(crate) struct Prefetcher<'a, S> {
    store: &'a S,
    report: &'a RunReport,
    /// Whether to read secrets individually if the batch response omits them. Label moves describe such secrets instead.
    singly: bool,
    /// Whether BatchGetSecretValue is denied.
    denied: Cell<bool>,
}

/// GetSecretValue responses, each with the index of its secret; `None` if the engine has to read the value.
type Read = Vec<(usize, Option<ValueView>)>;

impl<'a, S: SecretStore> Prefetcher<'a, S> {
    pub(crate) fn new(store: &'a S, report: &'a RunReport, targets: &[PreparedTarget]) -> Self {
        let is_move = |target: &PreparedTarget| matches!(target, Ok(Job::Move(_)));
        Self {
            store,
            report,
            singly: !targets.iter().any(is_move),
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
                    if self.singly {
                        self.report.note(
                            Level::Notice,
                            "BatchGetSecretValue is denied: secrets are read one by one instead of twenty \
                             per call",
                        );
                    }
                }
                // The engine observes each secret, and reports the error if it persists.
                Err(_) => return members.iter().map(|(index, _)| (*index, None)).collect(),
            }
        }
        let reads = members.iter().map(|(index, id)| self.read_one(*index, id));
        join_all(reads).await
    }

    async fn read_batch(&self, members: &[(usize, &str)]) -> Call<Read> {
        let ids: Vec<String> = members.iter().map(|(_, id)| (*id).to_owned()).collect();
        let mut entries = self.store.batch_get_values(&ids).await?;
        let reads = members.iter().map(|(index, id)| {
            let at = entries.iter().position(|entry| entry.id == *id);
            let entry = at.map(|at| entries.swap_remove(at));
            async move {
                match entry {
                    Some(entry) if entry.is_denied() => self.read_one(*index, id).await,
                    entry => (*index, entry.and_then(|entry| classify(entry.version).ok())),
                }
            }
        });
        Ok(join_all(reads).await)
    }

    async fn read_one(&self, index: usize, id: &str) -> (usize, Option<ValueView>) {
        if !self.singly {
            return (index, None);
        }
        let read = self.store.get_value(id, CURRENT).await;
        (index, classify(read).ok())
    }
}
