//! All or nothing: every version is put beside the current one under one private label, then all are made current,
//! each by compare-and-swap; where one cannot be, those that were are taken back, by compare-and-swap as well. The
//! run is decided at one point, when the label comes off the witness ([`crate::pact`]): a killed run is finished or
//! taken back by the next one, and never half. Readers can see the flips one by one; AWS has no other way.
//!
//! This room owns the order of the phases; the calls are in `moves`, the decisions in `plan::together`.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::board::Post;
use super::look::{Look, chunks};
use super::{AT_ONCE, Around, Board, LOOKS_AT_ONCE, Wanted};
use crate::failure::{Class, Failure};
use crate::observe::now;
use crate::outcome::{Change, Version};
use crate::pact::Pact;
use crate::patience::Patience;
use crate::plan::together::{Goal, Left, Stand, left};
use crate::progress::Progress;
use crate::redact::Level;
use crate::request::{CURRENT, Request};
use crate::upsert::upsert;

mod moves;
mod survey;

use moves::{Lost, Moves};
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
            if undecided.iter().any(|left| left.alive) && turns.wait().await {
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

    /// Makes what killed runs have flipped this run's own: marks it, ends theirs, and takes back what is not wanted.
    async fn take_over(
        &self,
        members: &mut [Member<'_>],
        own: &Pact,
        undecided: &[&Left],
    ) -> Taken {
        for (index, version, previous) in undecided.iter().flat_map(|left| &left.flipped) {
            let member = &mut members[*index];
            if let Err(failure) = self.moves.mark(member.id(), &own.label, version).await {
                // Theirs stays as it is: nothing has been decided.
                member.end(Err(failure));
                return Taken::Failed;
            }
            member.pair = Some((version.clone(), previous.clone()));
        }
        let mut ended = false;
        for left in undecided {
            let Some((index, version)) = &left.undecided else {
                continue;
            };
            let witness = &members[*index];
            match self
                .moves
                .end(witness.id(), &left.pact.label, version, left.alive)
                .await
            {
                Ok(()) => {}
                Err(Lost::Elsewhere) if !ended => return Taken::Decided,
                Err(Lost::Unclear) => return Taken::Unclear,
                Err(lost) => {
                    let failure = lost.into_failure(witness.id());
                    witness.end(Err(failure));
                    return Taken::Failed;
                }
            }
            ended = true;
            for (index, ..) in &left.flipped {
                members[*index].flipped = true;
            }
            if !left.flipped.is_empty() {
                self.board.note(
                    Level::Notice,
                    "an earlier run with `all-or-nothing` had not ended: what it had made current is finished or taken \
                     back now",
                );
            }
        }
        for member in members {
            if !self.take_first(member).await {
                return Taken::Failed;
            }
        }
        Taken::Over
    }

    /// Where another value is wanted than the one of a killed run, that one goes first: what there was before it is what
    /// this run would go back to.
    async fn take_first(&self, member: &mut Member<'_>) -> bool {
        let id = &member.request.target.id;
        let Goal::Flip { base, .. } = &mut member.goal else {
            return true;
        };
        let Some((version, previous)) = member.pair.take_if(|(version, _)| version == base) else {
            return true;
        };
        match self.moves.flip(id, &version, &previous).await {
            Ok(_) => {
                *base = previous;
                member.flipped = false;
                true
            }
            Err(lost) => {
                member.end(Err(lost.into_failure(id)));
                false
            }
        }
    }

    /// Secrets without a version, by the loop of one secret.
    async fn first_versions(&self, members: &mut [Member<'_>]) -> bool {
        let progress = &Progress::silent();
        let first = |member: &Member<'_>| member.goal == Goal::First;
        let Around { aws, run, .. } = self.around;
        self.each(
            "created",
            members,
            first,
            |member: &mut Member<'_>| async move {
                let Some(mut post) = member.post.take() else {
                    return true;
                };
                let ended =
                    upsert(member.request, run, aws, progress, None, &mut post.outcome).await;
                let sound = ended.is_ok();
                member.post.replace(Some(post));
                if let Err(failure) = ended {
                    member.end(Err(failure));
                }
                sound
            },
        )
        .await
    }

    /// Puts every version beside the current one.
    async fn stage(&self, members: &mut [Member<'_>], own: &Pact) -> bool {
        self.each(
            "staged",
            members,
            Member::flips,
            |member: &mut Member<'_>| async move {
                match self.moves.stage(member, own, self.around.run).await {
                    // Its token's version is current already: there is nothing to flip, and nothing to take back.
                    Ok(staged) if staged.current => member.goal = Goal::Same,
                    Ok(staged) => member.pair = Some((staged.version, staged.base)),
                    Err(failure) => {
                        member.end(Err(failure));
                        return false;
                    }
                }
                true
            },
        )
        .await
    }

    /// Makes every staged version current.
    async fn flip(&self, members: &mut [Member<'_>]) -> bool {
        self.each(
            "made current",
            members,
            Member::flips,
            |member: &mut Member<'_>| async move {
                let Some((version, base)) = &member.pair else {
                    return true;
                };
                // Also where the answer never comes: it is looked at again before it is taken back.
                member.flipped = true;
                match self.moves.flip(member.id(), base, version).await {
                    Ok(_) => true,
                    Err(lost) => {
                        member.end(Err(lost.into_failure(member.id())));
                        false
                    }
                }
            },
        )
        .await
    }

    /// Does something to each of some members, many at a time. After a failure no further one is begun; what is under
    /// way is waited for.
    async fn each<'m, 'r: 'm, F, W>(
        &self,
        doing: &'static str,
        members: &'m mut [Member<'r>],
        which: impl Fn(&Member<'r>) -> bool,
        act: F,
    ) -> bool
    where
        F: Fn(&'m mut Member<'r>) -> W,
        W: Future<Output = bool>,
    {
        let some: Vec<&'m mut Member<'r>> =
            members.iter_mut().filter(|member| which(member)).collect();
        if some.is_empty() {
            return true;
        }
        self.board.meter.phase(doing, some.len());
        let sound = Cell::new(true);
        let (sound, act) = (&sound, &act);
        let work = stream::iter(some)
            .map(|member| async move {
                if sound.get() {
                    if act(member).await {
                        self.board.meter.step();
                    } else {
                        sound.set(false);
                    }
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect::<()>();
        self.ticking(work).await;
        sound.get()
    }

    /// Takes the label off the witness: from then on all are new, whatever happens.
    async fn commit(&self, members: &[Member<'_>], own: &Pact) -> Result<(), Failure> {
        let Some((member, (version, _))) = self.witness(members, own) else {
            return Ok(());
        };
        match self.moves.decide(member.id(), &own.label, version).await {
            Ok(()) => Ok(()),
            Err(Lost::Failed(failure)) => Err(*failure),
            Err(Lost::Elsewhere | Lost::Unclear) => Err(Failure::new(
                Class::Conflict,
                "another run with `all-or-nothing` took this one for dead, and its place",
                "let that run end; then run again where this one's values are still wanted",
            )),
        }
    }

    fn witness<'m, 'r>(
        &self,
        members: &'m [Member<'r>],
        own: &Pact,
    ) -> Option<(&'m Member<'r>, &'m (String, String))> {
        let member = members
            .iter()
            .find(|member| own.is_witnessed_by(&member.stand.name, self.region()))?;
        Some((member, member.pair.as_ref()?))
    }

    /// Everything is as it shall be: what is left are labels, and what is not about values.
    async fn finish(&self, members: &[Member<'_>], own: Option<&Pact>, left: &[Left]) {
        self.board.meter.phase("done", members.len());
        let progress = &Progress::silent();
        let work = stream::iter(members)
            .map(|member| async move {
                if let (Some(own), Some((version, _))) = (own, &member.pair)
                    && !own.is_witnessed_by(&member.stand.name, self.region())
                {
                    // Best effort, like all of these: the next run finds it as well.
                    let _ = self.moves.unmark(member.id(), &own.label, version).await;
                }
                self.sweep(member, left).await;
                self.conclude(member, progress).await;
            })
            .buffer_unordered(AT_ONCE)
            .collect::<()>();
        self.ticking(work).await;
    }

    /// Labels of other runs that are over. What is about other secrets is for the runs of those to judge.
    async fn sweep(&self, member: &Member<'_>, left: &[Left]) {
        for (pact, version) in &member.stand.marks {
            let over = |left: &Left| left.pact == *pact && left.is_ours_to_judge;
            if left.iter().any(over) {
                let _ = self.moves.unmark(member.id(), &pact.label, version).await;
            }
        }
    }

    /// Description, tags and the like, by the loop of one secret, which finds its value there.
    async fn conclude(&self, member: &Member<'_>, progress: &Progress) {
        let Some(mut post) = member.post.take() else {
            return;
        };
        let outcome = &mut post.outcome;
        if let (true, Some((version, base))) = (member.flips(), &member.pair) {
            outcome.did(Change::Version {
                id: version.clone(),
                label: CURRENT.to_owned(),
            });
            outcome.moved_from = Some(base.clone());
            outcome.version = Some(Version {
                id: version.clone(),
                stages: vec![CURRENT.to_owned()],
            });
            // Where it may not be read, it is known by its id.
            outcome.overtaken = Some(version.clone());
            outcome.own = Some(version.clone());
        }
        let ended = if member.more && member.goal != Goal::First {
            let Around { aws, run, .. } = self.around;
            upsert(member.request, run, aws, progress, None, outcome).await
        } else {
            Ok(())
        };
        post.end(ended);
    }

    /// Takes back what was made current, where it still is, and every label; the witness's last, and only where all
    /// else is as it was: otherwise the next run goes on from here.
    async fn undo(&self, members: &[Member<'_>], own: &Pact, left: &[Left], taken_over: bool) {
        self.board.meter.phase("looked at again", members.len());
        let sound = &Cell::new(true);
        let work = stream::iter(members)
            .map(|member| async move {
                if let Some((version, base)) = member.pair.as_ref().filter(|_| member.flipped) {
                    // What another run has marked is that run's to finish or to take back.
                    let spared = taken_over && self.moves.is_claimed(member.id(), &own.label).await;
                    if !spared && !self.take_back(member, version, base).await {
                        sound.set(false);
                    }
                }
                self.board.meter.step();
            })
            .buffer_unordered(AT_ONCE)
            .collect::<()>();
        self.ticking(work).await;
        if sound.get() {
            for member in members {
                self.sweep(member, left).await;
            }
            self.unmark(members, own).await;
        }
        leave(members);
    }

    async fn take_back(&self, member: &Member<'_>, version: &str, base: &str) -> bool {
        let id = member.id();
        match self.moves.flip(id, version, base).await {
            Ok(moved) => {
                if moved {
                    member.did(Change::TakenBack(version.to_owned()));
                }
                true
            }
            Err(Lost::Elsewhere | Lost::Unclear) => {
                self.board.note(
                    Level::Warning,
                    format!("{id} was written by somebody else meanwhile: theirs stays"),
                );
                true
            }
            Err(Lost::Failed(failure)) => {
                self.board.note(
                    Level::Error,
                    format!(
                        "{id} could not be taken back, and version {version} is current there: {}; the next run with                          `all-or-nothing` goes on from here",
                        failure.what
                    ),
                );
                false
            }
        }
    }

    /// Every label of this run, the witness's last.
    async fn unmark(&self, members: &[Member<'_>], own: &Pact) {
        let work = stream::iter(members)
            .map(|member| async move {
                if let Some((version, _)) = &member.pair
                    && !own.is_witnessed_by(&member.stand.name, self.region())
                {
                    let _ = self.moves.unmark(member.id(), &own.label, version).await;
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect::<()>();
        self.ticking(work).await;
        if let Some((member, (version, _))) = self.witness(members, own) {
            let _ = self.moves.unmark(member.id(), &own.label, version).await;
        }
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
