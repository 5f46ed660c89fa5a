//! The recovery: takes over the transactions of killed runs before anything else is written. For safety it labels their moved
//! versions first, and ends their transactions then.

use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::TransactionLabel;
use upsert_secret_core::notice::Level;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::{Goal, Leftover};

use super::driver::Transaction;
use super::member::{Member, MoveError};

/// The result of a recovery.
pub(super) enum Recovery {
    /// Their moves are part of this transaction.
    Recovered,
    /// One of the transactions has ended by itself, so that every observation may be outdated.
    OtherEnded,
    /// A call failed.
    Failed,
    /// Whether one of the transactions has ended by itself is not known.
    Unknown,
}

impl<S: SecretStore> Transaction<'_, S> {
    /// Takes over the moves of killed runs, ends their transactions, and rolls back values that this run replaces.
    pub(super) async fn recover(
        &self,
        members: &mut [Member<'_, S>],
        own: &TransactionLabel,
        undecided: &[&Leftover],
    ) -> Recovery {
        for (index, version, previous) in undecided.iter().flat_map(|leftover| &leftover.moved) {
            let member = &mut members[*index];
            if let Err(failure) = member.add_label(&own.label, version).await {
                // The other transaction is untouched, and still undecided.
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

/// Rolls back a killed run's value that this run replaces: a rollback of this run must lead to the value before it.
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
