//! The first look of a run that makes all secrets current or none: what is to be done to each, and what others have
//! left on it. Reads only, but for a secret that is to be taken back from deletion.

use std::cell::RefCell;

use super::super::board::Post;
use super::super::{Around, Board, Wanted};
use super::Member;
use crate::apply::subject;
use crate::aws::Described;
use crate::failure::Failure;
use crate::observe::{Glimpse, Observed};
use crate::outcome::{Change, Outcome};
use crate::patience::Patience;
use crate::plan::Step;
use crate::plan::settled;
use crate::plan::together::{Goal, Stand, goal, has_more};
use crate::request::Request;
use crate::upsert::{begin, look};

/// Looks at a secret that is being restored.
const ROUNDS: u32 = 12;

pub(super) struct Surveyor<'a> {
    pub(super) around: Around<'a>,
    pub(super) board: &'a Board,
}

impl<'a> Surveyor<'a> {
    /// Looks at one. `None` where it cannot be brought to its goal, which is on the board then.
    pub(super) async fn look(
        &self,
        index: usize,
        wanted: &'a Wanted,
        glimpse: Option<Glimpse>,
    ) -> Option<(usize, Member<'a>)> {
        let mut post = Post::new(index, self.board);
        post.quiet = true;
        let request = match &wanted.request {
            Ok(request) => request,
            Err(why) => {
                post.end(Err(why.clone()));
                return None;
            }
        };
        match self.goal(request, glimpse, &mut post.outcome).await {
            Ok((stand, goal, more)) => {
                self.board.meter.step();
                Some((
                    index,
                    Member {
                        request,
                        post: RefCell::new(Some(post)),
                        stand,
                        goal,
                        pair: None,
                        flipped: false,
                        more,
                    },
                ))
            }
            Err(failure) => {
                post.end(Err(failure));
                None
            }
        }
    }

    async fn goal(
        &self,
        request: &Request,
        mut glimpse: Option<Glimpse>,
        outcome: &mut Outcome,
    ) -> Result<(Stand, Goal, bool), Failure> {
        let Around { aws, run, .. } = self.around;
        begin(request, run, aws, outcome)?;
        if let Some(Glimpse::Value(read)) = &glimpse
            && let Some(plan) = settled(request, read)
            // Whoever has left a mark on it has to be seen whole.
            && !read.stages.iter().any(|stage| crate::pact::is_ours(stage))
        {
            outcome.arn = Some(read.arn.clone());
            outcome.name = Some(read.name.clone());
            let stand = Stand {
                name: read.name.clone(),
                current: Some(read.version_id.clone()),
                ..Stand::default()
            };
            outcome.version = plan.keep;
            return Ok((stand, Goal::Same, false));
        }
        let mut patience = Patience::of(ROUNDS);
        let mut turns = Patience::of(u32::MAX);
        loop {
            let (observed, plan) = look(request, aws, glimpse.take(), outcome).await?;
            match plan.steps.first() {
                Some(Step::Yield) => {
                    turns.turn().await;
                    continue;
                }
                Some(Step::Restore) => {
                    outcome.restore_sent = true;
                    match aws.restore(&request.target.id).await {
                        Ok(()) => outcome.did(Change::Restored),
                        Err(error) if error.is_unknown_outcome() => {}
                        Err(error) => {
                            return Err(Failure::of_aws(
                                &error,
                                subject(&request.target, outcome, aws.region()),
                            ));
                        }
                    }
                    continue;
                }
                Some(Step::Wait) if patience.wait().await => continue,
                _ => {}
            }
            let stand = match &observed {
                Observed::Present(present) => stand(&present.secret),
                // Who holds which label has to be seen.
                Observed::Hidden(hidden) => {
                    return Err(Failure::of_aws(
                        &hidden.denied,
                        subject(&request.target, outcome, aws.region()),
                    ));
                }
                Observed::Absent => Stand {
                    name: request.target.name.clone(),
                    ..Stand::default()
                },
            };
            let (goal, more) = (goal(&plan), has_more(&plan));
            outcome.version = plan.keep;
            return Ok((stand, goal, more));
        }
    }

    /// Looks once more at secrets that decide about others' runs, where the first look may not have shown all labels.
    pub(super) async fn witnesses(&self, members: &mut [Member<'a>]) {
        let region = self.around.aws.region();
        let pacts: Vec<_> = members
            .iter()
            .flat_map(|member| member.stand.marks.iter().map(|(pact, _)| pact.clone()))
            .collect();
        for member in members {
            let decides = pacts
                .iter()
                .any(|pact| pact.is_witnessed_by(&member.stand.name, region));
            if decides
                && member.stand.marks.is_empty()
                && let Ok(Some(secret)) = self.around.aws.describe(member.id()).await
            {
                member.stand = stand(&secret);
            }
        }
    }
}

fn stand(secret: &Described) -> Stand {
    Stand::of(secret, None)
}
