//! Looks at twenty secrets a call, or one by one where that is denied. Reads only, and decides nothing.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::VecDeque;

use futures_util::future::join_all;

use super::{Board, Wanted};
use crate::aws::{AwsError, SecretsManager};
use crate::observe::{Glimpse, glimpsed};
use crate::redact::Level;
use crate::request::{CURRENT, Request};

/// The most that BatchGetSecretValue takes (API model).
const BATCH: usize = 20;

/// Secrets that are looked at together, by their place in the list; or one that is looked at by itself.
pub(super) struct Chunk {
    members: Vec<usize>,
    reads: bool,
}

/// What is looked at in which order: that of the list, but for those that are not read, which wait for nobody.
pub(super) fn chunks(wanted: &[Wanted]) -> VecDeque<Chunk> {
    let mut chunks = VecDeque::new();
    let mut together = Vec::new();
    for (index, one) in wanted.iter().enumerate() {
        // AWSCURRENT is all that the call reads.
        let reads = one
            .request
            .as_ref()
            .is_ok_and(|request| request.reads() && request.label() == CURRENT);
        if !reads {
            chunks.push_back(Chunk {
                members: vec![index],
                reads: false,
            });
            continue;
        }
        together.push(index);
        if together.len() == BATCH {
            chunks.push_back(Chunk {
                members: std::mem::take(&mut together),
                reads: true,
            });
        }
    }
    if !together.is_empty() {
        chunks.push_back(Chunk {
            members: together,
            reads: true,
        });
    }
    chunks
}

pub(super) struct Look<'a> {
    wanted: &'a [Wanted],
    aws: &'a SecretsManager,
    board: &'a Board,
    /// BatchGetSecretValue is denied.
    denied: Cell<bool>,
}

impl<'a> Look<'a> {
    pub(super) fn new(wanted: &'a [Wanted], aws: &'a SecretsManager, board: &'a Board) -> Self {
        Self {
            wanted,
            aws,
            board,
            denied: Cell::new(false),
        }
    }

    /// What GetSecretValue says of each; `None` where it is to be looked at from the beginning.
    pub(super) async fn at(&self, chunk: Chunk) -> Vec<(usize, Option<Glimpse>)> {
        let asked: Vec<(usize, &Request)> = chunk
            .members
            .iter()
            .filter_map(|index| Some((*index, self.wanted[*index].request.as_ref().ok()?)))
            .collect();
        if !chunk.reads || asked.is_empty() {
            return chunk
                .members
                .into_iter()
                .map(|index| (index, None))
                .collect();
        }
        if !self.denied.get() {
            match self.together(&asked).await {
                Ok(seen) => return seen,
                Err(error) if error.is("AccessDeniedException") => {
                    self.denied.set(true);
                    self.board.note(
                        Level::Notice,
                        "BatchGetSecretValue is denied: secrets are read one by one, not twenty a call",
                    );
                }
                // Whatever it is, it is told of the secrets that it is about: each is looked at by itself.
                Err(_) => return asked.iter().map(|(index, _)| (*index, None)).collect(),
            }
        }
        join_all(asked.iter().map(|(index, request)| async {
            let read = self.aws.read(&request.target.id, CURRENT).await;
            (*index, glimpsed(read).ok().flatten())
        }))
        .await
    }

    async fn together(
        &self,
        asked: &[(usize, &Request)],
    ) -> Result<Vec<(usize, Option<Glimpse>)>, AwsError> {
        let ids: Vec<String> = asked
            .iter()
            .map(|(_, request)| request.target.id.clone())
            .collect();
        let mut answers: BTreeMap<String, Glimpse> = self
            .aws
            .read_many(&ids)
            .await?
            .into_iter()
            .filter_map(|answer| Some((answer.id, glimpsed(answer.read).ok()??)))
            .collect();
        Ok(asked
            .iter()
            .map(|(index, request)| (*index, answers.remove(&request.target.id)))
            .collect())
    }
}
