//! What runs that were killed have left half done becomes this run's own, before anything else is written. The order is
//! what makes it safe: first this run's label, then the end of the other run.

use super::moves::Lost;
use super::{Member, Taken, Together};
use crate::pact::Pact;
use crate::plan::together::{Goal, Left};
use crate::redact::Level;

impl Together<'_> {
    /// Makes what killed runs have flipped this run's own: marks it, ends theirs, and takes back what is not wanted.
    pub(super) async fn take_over(
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
    pub(super) async fn take_first(&self, member: &mut Member<'_>) -> bool {
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
}
