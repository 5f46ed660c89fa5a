//! What killed runs have left half done becomes this run's own, before anything else is written. The order is what makes it
//! safe: first this run's label, then the end of the other run.

use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::TransactionLabel;
use upsert_secret_core::notice::Level;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::{Goal, Leftover};

use super::driver::Transaction;
use super::member::{Member, MoveError};

/// The result of recovering from runs that were killed.
pub(super) enum Recovery {
    /// What they had made current is this run's own now.
    Recovered,
    /// One of them was alive and has decided: everything may be different now.
    OtherEnded,
    /// It did not work.
    Failed,
    /// Whether one of them has decided cannot be told.
    Unknown,
}

impl<S: SecretStore> Transaction<'_, S> {
    /// Makes what killed runs have flipped this run's own: marks it, ends theirs, and takes back what is not wanted.
    pub(super) async fn recover(
        &self,
        members: &mut [Member<'_, S>],
        own: &TransactionLabel,
        undecided: &[&Leftover],
    ) -> Recovery {
        for (index, version, previous) in undecided.iter().flat_map(|leftover| &leftover.moved) {
            let member = &mut members[*index];
            if let Err(failure) = member.add_label(&own.label, version).await {
                // Theirs stays as it is: nothing has been decided.
                member.fail(failure);
                return Recovery::Failed;
            }
            member.versions = Some((version.clone(), previous.clone()));
        }
        let mut ended = false;
        for leftover in undecided {
            let Some((index, version)) = &leftover.undecided else {
                continue;
            };
            let coordinator = &members[*index];
            match coordinator
                .take_over(&leftover.label, version, leftover.alive)
                .await
            {
                Ok(()) => {}
                Err(MoveError::Conflict) if !ended => return Recovery::OtherEnded,
                Err(MoveError::Unknown) => return Recovery::Unknown,
                Err(error) => {
                    coordinator.fail(error.into_failure(coordinator.id()));
                    return Recovery::Failed;
                }
            }
            ended = true;
            for (index, ..) in &leftover.moved {
                members[*index].moved = true;
            }
            if !leftover.moved.is_empty() {
                self.report.note(
                    Level::Notice,
                    "an earlier run with `all-or-nothing` had not ended: what it had made current is finished or taken \
                     back now",
                );
            }
        }
        for member in members {
            if let Err(failure) = revert_superseded(member).await {
                member.fail(failure);
                return Recovery::Failed;
            }
        }
        Recovery::Recovered
    }
}

/// Where another value is wanted than the one of a killed run, that one goes first: what there was before it is what
/// this run would go back to.
async fn revert_superseded<S: SecretStore>(member: &mut Member<'_, S>) -> Result<(), Failure> {
    let Goal::Flip { base, .. } = &mut member.goal else {
        return Ok(());
    };
    let Some((version, previous)) = member.versions.take_if(|(version, _)| version == base) else {
        return Ok(());
    };
    *base = previous.clone();
    let moved = member.move_current(&version, &previous).await;
    moved.map_err(|error| error.into_failure(member.id()))?;
    member.moved = false;
    Ok(())
}
