//! Many secrets in one run: looked at twenty a call, each brought to its goal by the loop of one secret, so many at a
//! time that AWS's quotas and not this program set the pace. This room owns the order and what a failure stops; what
//! to do with a secret is `plan`'s.

use std::collections::VecDeque;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::aws::SecretsManager;
use crate::failure::Failure;
use crate::observe::Glimpse;
use crate::outcome::Outcome;
use crate::plan::settled;
use crate::preview::preview;
use crate::progress::Progress;
use crate::redact::Level;
use crate::request::Request;
use crate::token::RunIdentity;
use crate::upsert::{begin, upsert};

mod board;
mod look;
mod meter;
mod origins;
mod together;

pub use board::{Board, Fate, Row, Totals};
pub use meter::Meter;
pub use origins::{Finder, fill};
pub use together::run as together;

use board::Post;
use look::{Look, chunks};

/// Secrets that are worked on at the same time. What they hold in memory does not depend on how many there are.
const AT_ONCE: usize = 64;
/// Looks at twenty secrets each, at the same time.
const LOOKS_AT_ONCE: usize = 8;

/// What a run of many secrets has around it.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// Where they are.
    pub aws: &'a SecretsManager,
    /// What names this run among all others.
    pub run: Option<&'a RunIdentity>,
    /// Only what would be done is asked for.
    pub preview: bool,
    /// Nothing more is started after a failure.
    pub fail_fast: bool,
}

/// One secret of many.
pub struct Wanted {
    /// What shall be true of it; or why that cannot be said.
    pub request: Result<Request, Failure>,
}

/// Brings every secret to its goal. What came of each is on the board, also if this is dropped half way.
pub async fn run(wanted: &[Wanted], around: Around<'_>, board: &Board) {
    let mut ready: VecDeque<(usize, Option<Glimpse>)> = VecDeque::new();
    let mut chunks = chunks(wanted);
    let look = Look::new(wanted, around.aws, board);
    let progress = Progress::silent();
    let mut looking = FuturesUnordered::new();
    let mut working = FuturesUnordered::new();
    loop {
        let stopped = around.fail_fast && board.has_failed()
            || board.is_hopeless()
            || around.aws.is_cancelled();
        if stopped {
            ready.clear();
            looking.clear();
        }
        while !stopped && looking.len() < LOOKS_AT_ONCE && ready.len() < AT_ONCE {
            let Some(chunk) = chunks.pop_front() else {
                break;
            };
            looking.push(look.at(chunk));
        }
        while working.len() < AT_ONCE
            && let Some((index, glimpse)) = ready.pop_front()
        {
            working.push(one(
                index,
                &wanted[index],
                glimpse,
                around,
                &progress,
                board,
            ));
        }
        if looking.is_empty() && working.is_empty() {
            if board.is_hopeless() {
                board.note(
                    Level::Warning,
                    "so many secrets in a row failed for the same kind of reason that the others were not tried",
                );
            }
            return;
        }
        tokio::select! {
            Some(seen) = looking.next() => ready.extend(seen),
            Some(()) = working.next() => {}
            () = board.meter.tick() => {}
        }
    }
}

async fn one(
    index: usize,
    wanted: &Wanted,
    glimpse: Option<Glimpse>,
    around: Around<'_>,
    progress: &Progress,
    board: &Board,
) {
    let mut post = Post::new(index, board);
    let ended = match &wanted.request {
        Ok(request) => reach_goal(request, glimpse, around, progress, &mut post.outcome).await,
        Err(why) => Err(why.clone()),
    };
    // A run that was cancelled has not come to it.
    if ended.is_err() && around.aws.is_cancelled() && post.outcome.changes.is_empty() {
        post.leave();
    } else {
        post.end(ended);
    }
}

async fn reach_goal(
    request: &Request,
    glimpse: Option<Glimpse>,
    around: Around<'_>,
    progress: &Progress,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let Around { aws, run, .. } = around;
    if let Some(Glimpse::Value(read)) = &glimpse
        && let Some(plan) = settled(request, read)
    {
        begin(request, run, aws, outcome)?;
        outcome.arn = Some(read.arn.clone());
        outcome.name = Some(read.name.clone());
        outcome.version = plan.keep;
        return Ok(());
    }
    if around.preview {
        preview(request, run, aws, glimpse, outcome).await
    } else {
        upsert(request, run, aws, progress, glimpse, outcome).await
    }
}
