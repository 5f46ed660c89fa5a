//! The way forward: first versions, staged versions, the flips, the point at which all is decided, and what is left to do
//! after it. Owns the order within each phase; the calls are in `moves`.

use std::cell::Cell;
use std::future::Future;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::super::{AT_ONCE, Around};
use super::moves::Lost;
use super::{Member, Together};
use crate::failure::{Class, Failure};
use crate::outcome::{Change, Version};
use crate::pact::Pact;
use crate::plan::together::{Goal, Left};
use crate::progress::Progress;
use crate::request::CURRENT;
use crate::upsert::upsert;

impl Together<'_> {
    /// Secrets without a version, by the loop of one secret.
    pub(super) async fn first_versions(&self, members: &mut [Member<'_>]) -> bool {
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
    pub(super) async fn stage(&self, members: &mut [Member<'_>], own: &Pact) -> bool {
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
    pub(super) async fn flip(&self, members: &mut [Member<'_>]) -> bool {
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
    pub(super) async fn each<'m, 'r: 'm, F, W>(
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
    pub(super) async fn commit(&self, members: &[Member<'_>], own: &Pact) -> Result<(), Failure> {
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

    pub(super) fn witness<'m, 'r>(
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
    pub(super) async fn finish(&self, members: &[Member<'_>], own: Option<&Pact>, left: &[Left]) {
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

    /// Description, tags and the like, by the loop of one secret, which finds its value there.
    pub(super) async fn conclude(&self, member: &Member<'_>, progress: &Progress) {
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
}
