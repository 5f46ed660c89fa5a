//! All or nothing: every version is put beside the current one under one private label, then all are made current,
//! each by compare-and-swap; where one cannot be, those that were are taken back, by compare-and-swap as well. The
//! run is decided at one point, when the label comes off the witness ([`crate::pact`]): a killed run is finished or
//! taken back by the next one, and never half. Readers can see the flips one by one; AWS has no other way.
//!
//! This room owns the order of the phases: `survey`, `takeover`, `forward`, and `back` where that fails; the calls are in
//! `moves`, the decisions in `plan::together`.

use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::board::Post;
use super::look::{Look, chunks};
use super::{AT_ONCE, Around, Board, LOOKS_AT_ONCE, Wanted};
use crate::failure::{Class, Failure};
use crate::observe::now;
use crate::outcome::Change;
use crate::pact::Pact;
use crate::patience::Patience;
use crate::plan::together::{Goal, Left, Stand, left};
use crate::request::Request;

mod back;
mod forward;
mod moves;
mod survey;
mod takeover;

use moves::Moves;
use survey::Surveyor;

/// Looks at the witness of another run before it is taken for dead: about ten seconds without a change.
const POLITE: u32 = 10;

/// One secret on its way.
struct Member<'a> {
    request: &'a Request,
    post: RefCell<Option<Post<'a>>>,
    stand: Stand,
    goal: Goal,
    /// The version that is, or shall be, current, and the one to go back to: staged, flipped, or taken over from a run
    /// that was killed.
    pair: Option<(String, String)>,
    /// It is current now, or may be, and might be taken back.
    flipped: bool,
    /// More than the value is to be written.
    more: bool,
}

impl Member<'_> {
    fn id(&self) -> &str {
        &self.request.target.id
    }

    /// Whether a version takes another's place.
    fn flips(&self) -> bool {
        matches!(self.goal, Goal::Flip { .. })
    }

    fn did(&self, change: Change) {
        if let Some(post) = self.post.borrow_mut().as_mut() {
            post.outcome.did(change);
        }
    }

    fn end(&self, ended: Result<(), Failure>) {
        if let Some(post) = self.post.take() {
            post.end(ended);
        }
    }
}

/// Brings all secrets to their goals together, or leaves them as they were.
pub async fn run(wanted: &[Wanted], around: Around<'_>, lasts: Duration, board: &Board) {
    let together = Together {
        around,
        board,
        lasts,
        moves: Moves { aws: around.aws },
    };
    together.go(wanted).await;
}

struct Together<'a> {
    around: Around<'a>,
    board: &'a Board,
    lasts: Duration,
    moves: Moves<'a>,
}

/// What came of taking over from runs that were killed.
enum Taken {
    /// What they had made current is this run's own now.
    Over,
    /// One of them was alive and has decided: everything may be different now.
    Decided,
    /// It did not work.
    Failed,
    /// Whether one of them has decided cannot be told.
    Unclear,
}

impl<'a> Together<'a> {
    async fn go(&self, wanted: &'a [Wanted]) {
        let mut turns = Patience::of(POLITE);
        let mut seen = None;
        loop {
            let Some(mut members) = self.survey(wanted).await else {
                return;
            };
            let stands: Vec<Stand> = members.iter().map(|member| member.stand.clone()).collect();
            let left = left(&stands, self.region(), now(), self.around.run);
            let undecided: Vec<&Left> = left
                .iter()
                .filter(|left| left.undecided.is_some())
                .collect();
            let alive = undecided.iter().any(|left| left.alive);
            // What it does shows that it lives: only one that does nothing is taken for dead. What others write does not.
            let done: Vec<_> = stands.iter().map(Stand::of_runs).collect();
            if alive && seen.as_ref().is_some_and(|seen| *seen != done) {
                turns = Patience::of(POLITE);
            }
            seen = Some(done);
            if alive && turns.wait().await {
                self.board
                    .meter
                    .say("waiting for another run with `all-or-nothing`, which may be alive");
                // Somebody else is at it, or was killed: what they do in the meantime counts.
                leave(&members);
                continue;
            }
            let own = match self.label(&members, &undecided) {
                Ok(Some(own)) => own,
                Ok(None) => {
                    // Nothing is to be flipped.
                    if self.first_versions(&mut members).await {
                        self.finish(&members, None, &left).await;
                    }
                    return leave(&members);
                }
                Err(failure) => {
                    self.board.fail(failure);
                    return leave(&members);
                }
            };
            match self.take_over(&mut members, &own, &undecided).await {
                Taken::Over => {}
                Taken::Decided => {
                    self.unmark(&members, &own).await;
                    leave(&members);
                    continue;
                }
                Taken::Unclear => {
                    // With every label as it is, the next run can tell.
                    self.board.fail(Failure::new(
                        Class::Conflict,
                        "whether another run with `all-or-nothing` has ended cannot be told",
                        "run again: it goes on from here",
                    ));
                    return leave(&members);
                }
                // Their labels may be all that tells what they had flipped.
                Taken::Failed => return self.undo(&members, &own, &[], false).await,
            }
            let flipped = self.first_versions(&mut members).await
                && self.stage(&mut members, &own).await
                && self.flip(&mut members).await;
            if !flipped {
                return self.undo(&members, &own, &left, false).await;
            }
            match self.commit(&members, &own).await {
                Ok(()) => self.finish(&members, Some(&own), &left).await,
                Err(failure) => {
                    let taken_over = failure.class == Class::Conflict;
                    self.board.fail(failure);
                    self.undo(&members, &own, &left, taken_over).await;
                }
            }
            return;
        }
    }

    fn region(&self) -> &str {
        self.around.aws.region()
    }

    /// Looks at every secret. `None` where one of them cannot be brought to its goal: then none is touched.
    async fn survey(&self, wanted: &'a [Wanted]) -> Option<Vec<Member<'a>>> {
        self.board.meter.phase("looked at", wanted.len());
        let look = Look::new(wanted, self.around.aws, self.board);
        let surveyor = Surveyor {
            around: self.around,
            board: self.board,
        };
        let seen = stream::iter(chunks(wanted))
            .map(|chunk| look.at(chunk))
            .buffered(LOOKS_AT_ONCE)
            .map(stream::iter)
            .flatten()
            .map(|(index, glimpse)| surveyor.look(index, &wanted[index], glimpse))
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect::<Vec<_>>();
        let mut seen = self.ticking(seen).await;
        seen.sort_by_key(|(index, _)| *index);
        let mut members: Vec<Member<'a>> = seen.into_iter().map(|(_, member)| member).collect();
        if self.board.has_failed() {
            leave(&members);
            return None;
        }
        surveyor.witnesses(&mut members).await;
        Some(members)
    }

    /// This run's label; `None` where there is nothing to flip and nothing to take over.
    fn label(&self, members: &[Member<'_>], undecided: &[&Left]) -> Result<Option<Pact>, Failure> {
        let taken = undecided
            .iter()
            .flat_map(|left| &left.flipped)
            .map(|(index, ..)| *index)
            .min();
        let flips = || members.iter().position(Member::flips);
        let Some(witness) = taken.or_else(flips) else {
            return Ok(None);
        };
        let end = now() + self.lasts.as_secs();
        let name = &members[witness].stand.name;
        Ok(Some(Pact::until(
            end,
            name,
            self.region(),
            self.around.run,
        )?))
    }

    /// Waits for some work, and says now and then how far it is.
    async fn ticking<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.board.meter.tick() => {}
            }
        }
    }
}

/// Nothing came of them, and nothing was their fault.
fn leave(members: &[Member<'_>]) {
    for member in members {
        if let Some(post) = member.post.take() {
            post.leave();
        }
    }
}
